"""The training loop."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tintype.training.average import WeightAverage
from tintype.training.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint
from tintype.training.errors import Interrupted, TrainingError
from tintype.training.interrupt import StopRequest
from tintype.training.launch import seed_everything
from tintype.training.log import Log

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How long a run is and what it does how often. Intervals are in steps.

    Attributes:
        steps: updates in all.
        seed: of everything random during training (dropout and the like).
        clip: largest norm of the gradient; 0 does not clip.
        ema: decay of the weight average; 0 keeps none.
        precision: `bf16` runs the network under autocast; weights, loss and updates stay in float32.
        keep: checkpoints to keep.
    """

    steps: int
    seed: int
    clip: float = 0.0
    ema: float = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    log_every: int = 10
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep: int = 2


def train(
    accelerator: Accelerator,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: Path,
    plan: Plan,
    *,
    batches: Callable[[int], Iterable[Tensor]],
    loss: Callable[[nn.Module, Tensor, int], Tensor],
    learning_rate: Callable[[int], float],
    validate: Callable[[nn.Module, int], Mapping[str, float]],
    facts: Mapping[str, str | int] | None = None,
    resume: bool = False,
) -> nn.Module:
    """Train a network, from the start or from a run's last checkpoint.

    Everything random in step n follows from (seed, n, process), so that a resumed run needs no random state from its
    checkpoint and makes the very same updates as one that was never stopped, on the same machine and process count.
    Each process's loss must be a mean over its equal share of the batch: the gradients, averaged over processes, are
    then those of the joint batch. Batch-norm uses each process's own share in training, and keeps the first's running
    statistics.

    Args:
        network: moved to the device and trained in place.
        optimizer: of the network's parameters; each group may have a "factor" on the learning rate.
        run: folder for checkpoints, metrics.jsonl and TensorBoard events.
        batches: from the number of updates made so far to the batches that follow, this process's share of each.
        loss: (network, batch, step) to a scalar. Gets the batch on the training device.
        learning_rate: the number of updates made so far to the rate of the next one.
        validate: (network, step) to figures on held-out data. The network is in evaluation mode and holds the averaged
            weights if there are any. Called by the first process only.
        facts: about what is trained on; a resumed run must have the same.
        resume: go on from the last checkpoint in `run`; without any, start from the beginning.

    Returns:
        The trained network; its weights are the averaged ones if the plan has `ema`.

    Raises:
        Interrupted: SIGINT or SIGTERM came. A checkpoint has been written.
        TrainingError: the loss or the weights stopped being finite, or the run cannot be resumed.
    """
    device, main, processes = accelerator.device, accelerator.is_main_process, accelerator.num_processes
    network.to(device).to(memory_format=torch.channels_last)  # convolutions are faster so, on CPUs too
    model = accelerator.prepare_model(network.train())
    average = WeightAverage(network, plan.ema) if plan.ema else None  # after Accelerate, which may move the weights
    folder, facts = run / "checkpoints", dict(facts or {})
    start = _restore(folder, network, optimizer, average, facts) if resume else 0
    log = Log(run, start, plan.steps, main)
    losses: list[Tensor] = []  # since the last look at them, which has to wait for the device
    images, since = 0, time.perf_counter()

    def checkpoint(step: int) -> Path:
        if not all(bool(p.isfinite().all()) for p in network.parameters()):
            raise TrainingError(_not_finite(f"the weights are not finite after step {step}", folder))
        state = {"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict(), "facts": facts}
        if average:
            state["average"] = average.network.state_dict()
        path = save_checkpoint(folder, step, state, plan.keep) if main else folder / f"step-{step:07}.pt"
        accelerator.wait_for_everyone()
        return path

    try:
        with StopRequest() as stop:
            for step, batch in enumerate(batches(start), start=start + 1):
                seed_everything(plan.seed, step, accelerator.process_index)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step - 1) * group.get("factor", 1.0)
                with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
                    value = loss(model, batch.to(device, non_blocking=True), step)
                optimizer.zero_grad()
                accelerator.backward(value)
                if plan.clip:
                    nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
                optimizer.step()
                if average:
                    average.update(step)
                losses.append(value.detach())
                images += len(batch) * processes

                last = step == plan.steps
                logs, validates, keeps = (
                    last or step % every == 0 for every in (plan.log_every, plan.validate_every, plan.checkpoint_every)
                )
                if not (logs or validates or keeps or (stop.signal and processes == 1)):
                    continue

                means = accelerator.reduce(torch.stack(losses).float(), "mean").tolist()
                for i, mean in enumerate(means):
                    if not math.isfinite(mean):
                        at = step - len(means) + 1 + i
                        raise TrainingError(_not_finite(f"the loss became {mean} at step {at}", folder))
                seconds = time.perf_counter() - since
                mean, rate = sum(means) / len(means), images / seconds
                log.metrics(step, loss=mean, lr=learning_rate(step - 1), images_per_second=round(rate, 2))
                log.progress(step, mean, rate, seconds / len(means))
                if validates and main:
                    shown = average.network if average else network
                    with torch.no_grad():
                        figures = validate(shown.eval(), step)
                    network.train()
                    log.metrics(step, **figures)
                    log.say(f"step {step}/{plan.steps}  " + "  ".join(f"{k} {v:.4g}" for k, v in figures.items()))
                asked = _any_process(accelerator, stop.signal)
                if keeps or asked:
                    path = checkpoint(step)
                    if asked and not last:
                        raise Interrupted(asked, step, path)
                losses, images, since = [], 0, time.perf_counter()
    finally:
        log.close()
    return average.network if average else network.eval()


def _restore(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
    facts: Mapping[str, str | int],
) -> int:
    """Load the newest checkpoint that can be read; returns the number of updates made, 0 without a checkpoint."""
    state, damage = None, ""
    for path in reversed(list_checkpoints(folder)):
        try:
            state = load_checkpoint(path)
            break
        except ValueError as error:
            damage = str(error)
            _log.warning("%s: going back to the one before", damage)
    if state is None and damage:
        raise TrainingError(f"cannot resume: {damage}, and there is no other checkpoint")
    if state is None:
        return 0
    for name, value in facts.items():
        if state["facts"].get(name) != value:
            raise TrainingError(f"cannot resume: {name} was {state['facts'].get(name)}, and is now {value}")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    if average:
        average.network.load_state_dict(state["average"])
    return int(state["step"])


def _any_process(accelerator: Accelerator, signal: int) -> int:
    """The highest signal number that any process has noted, so that all stop after the same step."""
    if accelerator.num_processes == 1:
        return signal
    return int(accelerator.gather(torch.tensor([signal], device=accelerator.device)).max())


def _not_finite(what: str, folder: Path) -> str:
    checkpoints = list_checkpoints(folder)
    kept = f"the last good checkpoint is {checkpoints[-1]}" if checkpoints else "there is no checkpoint yet"
    return f"{what}; {kept}. A lower learning rate or gradient clipping may help"
