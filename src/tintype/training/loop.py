"""The training loop."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, Self, TypeVar, cast

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from tintype.training.average import WeightAverage
from tintype.training.checkpoint import clear_up, list_checkpoints, load_checkpoint, save_checkpoint
from tintype.training.errors import Interrupted, TrainingError
from tintype.training.flops import matrix_peak, training_flops
from tintype.training.interrupt import StopRequest
from tintype.training.launch import seed_everything
from tintype.training.log import Log
from tintype.training.nan import write_batches
from tintype.training.precision import Precision, precision_on
from tintype.training.record import record_session

_log = logging.getLogger(__name__)

HEAR_SECONDS = 5.0  # after which, at most, several processes stop together when one is asked to


class Batch(Protocol):
    """A tensor, or several of the same length that go together."""

    @property
    def shape(self) -> torch.Size: ...
    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Self: ...
    def to(self, device: torch.device, *, non_blocking: bool) -> Self: ...


B = TypeVar("B", bound=Batch)
Sums = tuple[Mapping[str, float], int]  # figures added up over some members, and how many there were


@dataclass(frozen=True)
class Plan:
    """How long a run is and what it does how often. Intervals are in steps.

    Attributes:
        steps: updates in all.
        seed: of everything random during training (dropout and the like).
        clip: largest norm of the gradient; 0 does not clip.
        ema: decay of the weight average; 0 keeps none.
        precision: `bf16` runs the network under autocast where the device has arithmetic of bfloat16 (`precision_on`);
            weights, loss and updates stay in float32.
        keep: checkpoints to keep.
    """

    steps: int
    seed: int
    clip: float = 0.0
    ema: float = 0.0
    precision: Precision = "fp32"
    log_every: int = 10
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep: int = 2


@dataclass(frozen=True)
class Compute:
    """How a machine computes a run. The updates are the same but for rounding, and for what a network does with a batch
    as a whole: batch-norm and dropout see each part by itself, as they see each process's share.

    Attributes:
        accumulate: parts in which each process goes through its share of a batch, for less memory.
        compile: whether the network is compiled by `torch.compile`.
        channels_last: whether convolutions have their channels last in memory, which is faster nearly everywhere.
    """

    accumulate: int = 1
    compile: bool = False
    channels_last: bool = True


AS_USUAL = Compute()


def train(
    accelerator: Accelerator,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: Path,
    plan: Plan,
    *,
    batches: Callable[[int], Iterable[B]],
    loss: Callable[[nn.Module, B, int, int], Tensor],
    learning_rate: Callable[[int], float],
    validate: Callable[[nn.Module, int], Iterable[Sums]],
    names: Callable[[int], Sequence[str]] | None = None,
    facts: Mapping[str, str | int] | None = None,
    compute: Compute = AS_USUAL,
    resume: bool = False,
) -> nn.Module:
    """Train a network, from the start or from a run's last checkpoint.

    Everything random in step n follows from (seed, n, process), so that a resumed run needs no random state from its
    checkpoint and makes the very same updates as one that was never stopped, on the same machine's CPU and process
    count; on a GPU, the same but for rounding.
    Each process's loss must be a mean over its equal share of the batch: the gradients, averaged over processes and
    parts, are then those of the joint batch. Batch-norm uses each process's own share in training, and keeps the
    first's running statistics.

    Args:
        network: moved to the device and trained in place.
        optimizer: of the network's parameters; each group may have a "factor" on the learning rate.
        run: folder for checkpoints, metrics.jsonl, sessions.jsonl and TensorBoard events.
        batches: from the number of updates made so far to the batches that follow, this process's share of each.
        loss: (network, part of a batch, step, place of its first member in the joint batch) to a scalar. Gets the part
            on the training device.
        learning_rate: the number of updates made so far to the rate of the next one.
        validate: (network, step) to figures on held-out data: for each batch of this process's share, their sums over
            its members, and how many there are. The network is in evaluation mode, holds the averaged weights if there
            are any, and is the same on every process. A stop is heard between two batches.
        names: what this process's share of a step's batch is known by, written down if the loss is no longer finite.
        facts: about what is trained on; a resumed run must have the same.
        compute: how the machine does it.
        resume: go on from the last checkpoint in `run`; without any, start from the beginning.

    Returns:
        The trained network; its weights are the averaged ones if the plan has `ema`.

    Raises:
        Interrupted: SIGINT or SIGTERM came. A checkpoint has been written.
        TrainingError: the loss or the weights stopped being finite, or the run cannot be resumed.
        OSError: something cannot be written. Earlier checkpoints stay as they are.
    """
    device, main, processes = accelerator.device, accelerator.is_main_process, accelerator.num_processes
    wanted, plan = plan.precision, replace(plan, precision=precision_on(device, plan.precision))
    network.to(device)
    if compute.channels_last:
        network.to(memory_format=torch.channels_last)
    shared = accelerator.prepare_model(network.train())
    model = cast(nn.Module, torch.compile(shared)) if compute.compile else shared
    average = WeightAverage(network, plan.ema) if plan.ema else None  # after Accelerate, which may move the weights
    folder, facts = run / "checkpoints", dict(facts or {})
    start = _restore(accelerator, folder, network, optimizer, average, facts) if resume else 0
    peak = _peak(device, plan)
    if main:
        settings = {"step": start, "seed": plan.seed, "precision": plan.precision, "processes": processes}
        measured = {"matrix_flops_per_second": peak} if peak else {}
        record_session(run, device, settings | asdict(compute) | facts | measured)
    log = Log(run, start, plan.steps, main)
    if plan.precision != wanted:
        log.say(f"this {device.type} has no fast bfloat16, or PyTorch does not know of it: trained in float32")
    image_flops, counted = 0.0, torch.Size()  # of one image, in batches of that shape
    losses: list[Tensor] = []  # since the last look at them, which has to wait for the device
    images, waited, since = 0, 0.0, time.perf_counter()
    hear_every = 1  # steps

    def gradients(batch: B, step: int) -> Tensor:
        """Adds the gradients of this process's share of a batch; returns its loss."""
        size, rest = divmod(len(batch), compute.accumulate)
        if rest:
            raise TrainingError(f"{len(batch)} images for each process cannot be parted into {compute.accumulate}")
        values = []
        for part in range(compute.accumulate):
            first = accelerator.process_index * len(batch) + part * size
            piece = batch[part * size : (part + 1) * size].to(device, non_blocking=True)
            with nullcontext() if part + 1 == compute.accumulate else accelerator.no_sync(shared):
                with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
                    values.append(loss(model, piece, step, first))
                accelerator.backward(values[-1] / compute.accumulate)
        return torch.stack([value.detach() for value in values]).mean()

    def flops_of_one(batch: B, step: int) -> float:
        piece = batch[: len(batch) // compute.accumulate].to(device, non_blocking=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
            return training_flops(network, lambda twin: loss(twin, piece, step, 0)) / len(piece)

    def checkpoint(step: int) -> Path:
        if not all(bool(p.isfinite().all()) for p in network.parameters()):
            listed = write_batches(accelerator, run, names, step, losses[-1].item())
            raise TrainingError(_not_finite(f"the weights are not finite after step {step}", folder, listed))
        state = {"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict(), "facts": facts}
        if average:
            state["average"] = average.network.state_dict()
        path = save_checkpoint(folder, step, state, plan.keep) if main else folder / f"step-{step:07}.pt"
        accelerator.wait_for_everyone()
        return path

    try:
        with StopRequest() as stop:
            before = time.perf_counter()
            for step, batch in enumerate(batches(start), start=start + 1):
                waited += time.perf_counter() - before
                if peak and main and batch.shape != counted:
                    counted, image_flops = batch.shape, flops_of_one(batch, step)
                seed_everything(plan.seed, step, accelerator.process_index)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step - 1) * group.get("factor", 1.0)
                optimizer.zero_grad()
                losses.append(gradients(batch, step))
                if plan.clip:
                    nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
                optimizer.step()
                if average:
                    average.update(step)
                images += len(batch) * processes
                before = time.perf_counter()

                last = step == plan.steps
                logs, validates, keeps = (
                    last or step % every == 0 for every in (plan.log_every, plan.validate_every, plan.checkpoint_every)
                )
                due = logs or validates or keeps
                asked = _largest(accelerator, stop.signal)[0] if due or step % hear_every == 0 else 0
                if not (due or asked):
                    continue

                own = torch.stack(losses).float()
                pace = torch.tensor([(time.perf_counter() - since) / len(losses)], device=device)
                *means, pace = accelerator.reduce(torch.cat([own, pace]), "mean").tolist()
                if processes > 1:
                    hear_every = max(1, int(HEAR_SECONDS / pace))  # the same number in each
                for i, mean in enumerate(means):
                    if not math.isfinite(mean):
                        at = step - len(means) + 1 + i
                        listed = write_batches(accelerator, run, names, at, own[i].item())
                        raise TrainingError(_not_finite(f"the loss became {mean} at step {at}", folder, listed))
                if asked:  # first of all, for who asks may not wait
                    path = checkpoint(step)
                seconds = time.perf_counter() - since
                mean, rate = sum(means) / len(means), images / seconds
                speed = {"images_per_second": round(rate, 2), "waiting_for_data": round(waited / seconds, 4)}
                if peak and main:
                    speed["share_of_peak"] = round(rate / processes * image_flops / peak, 4)
                log.metrics(step, loss=mean, lr=learning_rate(step - 1), **speed)
                log.progress(step, mean, rate, seconds / len(means))
                kept = bool(asked)
                if validates and (last or not asked):
                    shown = average.network if average else network
                    _share_buffers(accelerator, shown)
                    with torch.no_grad():
                        figures, asked = _measure(accelerator, validate(shown.eval(), step), stop)
                    network.train()
                    if figures:
                        log.metrics(step, **figures)
                        log.say(f"step {step}/{plan.steps}  " + "  ".join(f"{k} {v:.4g}" for k, v in figures.items()))
                if (keeps or asked) and not kept:
                    path = checkpoint(step)
                if asked and not last:
                    raise Interrupted(asked, step, path)
                losses, images, waited, since = [], 0, 0.0, time.perf_counter()
                before = since
    finally:
        log.close()
    return average.network if average else network.eval()


def _restore(
    accelerator: Accelerator,
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
    facts: Mapping[str, str | int],
) -> int:
    """Load the newest checkpoint that can be read; returns the number of updates made, 0 without a checkpoint."""
    state, damaged, damage = None, [], ""
    for path in reversed(list_checkpoints(folder)):
        try:
            state = load_checkpoint(path)
            break
        except ValueError as error:
            damage = str(error)
            damaged.append(path)
            _log.warning("%s: going back to the one before", damage)
    if state is None and damage:
        raise TrainingError(f"cannot resume: {damage}, and there is no other checkpoint")
    step = torch.tensor([int(state["step"]) if state else 0], device=accelerator.device)
    if len(set(accelerator.gather(step).tolist())) > 1:
        raise TrainingError(f"cannot resume: the processes see different checkpoints; do they all share {folder}?")
    if accelerator.is_main_process:  # when all have read
        clear_up(folder, damaged)
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


def _peak(device: torch.device, plan: Plan) -> float:
    """What products of matrices reach on a GPU, in floating-point operations per second; 0 elsewhere."""
    if device.type != "cuda":
        return 0.0
    return matrix_peak(device, torch.bfloat16 if plan.precision == "bf16" else torch.float32)


def _largest(accelerator: Accelerator, *numbers: int) -> list[int]:
    """The largest of each number that any process has. Of signals: so that all stop after the same step."""
    if accelerator.num_processes == 1:
        return list(numbers)
    largest: list[int] = accelerator.gather(torch.tensor([numbers], device=accelerator.device)).amax(dim=0).tolist()
    return largest


def _share_buffers(accelerator: Accelerator, network: nn.Module) -> None:
    """Give every process the first one's buffers: in training each has its own running statistics for a step."""
    if accelerator.num_processes > 1:
        for buffer in network.buffers():
            held = buffer.contiguous()
            torch.distributed.broadcast(held, 0)
            buffer.copy_(held)


def _measure(accelerator: Accelerator, parts: Iterable[Sums], stop: StopRequest) -> tuple[dict[str, float], int]:
    """Means over the members of every process's parts; or none and the signal, where one of them is asked to stop."""
    totals: dict[str, float] = {}
    count, rest, going = 0, iter(parts), 1
    while going:
        part = next(rest, None)
        sums, members = part or ({}, 0)
        for name, value in sums.items():
            totals[name] = totals.get(name, 0.0) + value
        count += members
        asked, going = _largest(accelerator, stop.signal, int(part is not None))
        if asked:
            return {}, asked
    everyone = gather_object([(totals, count)])
    count = sum(number for _, number in everyone)
    names = {name: None for held, _ in everyone for name in held}  # in their order
    return {name: sum(held.get(name, 0.0) for held, _ in everyone) / count for name in names}, 0


def _not_finite(what: str, folder: Path, listed: str) -> str:
    checkpoints = list_checkpoints(folder)
    kept = f"the last good checkpoint is {checkpoints[-1]}" if checkpoints else "there is no checkpoint yet"
    return f"{what}; {kept}{listed}. A lower learning rate or gradient clipping may help"
