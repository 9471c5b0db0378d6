"""The sparse `bins` loss against dense soft targets and torch's own cross-entropy, forward and backward.

    python bench/bins_loss.py

Same soft-encoding, same weights, same logits, 16 x 313 x 64 x 64, one thread. The time is the processor's, which other
programs disturb less than the clock's. Memory is the high-water mark of a process of its own for each, less what it
held before; the logits themselves (82 MB in float32), which the network makes, are counted and left out in turn.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from _machine import describe
from tintype.objectives import Bins

BATCH, SIDE, ROUNDS = 16, 64, 5


def bins() -> Bins:
    prior = torch.linspace(1, 100, 313, dtype=torch.float64)
    return Bins(prior=prior / prior.sum())


def inputs(batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Colours at the head's resolution, and logits for them."""
    generator = torch.Generator().manual_seed(0)
    ab = torch.randn(batch, 2, SIDE, SIDE, generator=generator) * 25
    return ab, torch.randn(batch, 313, SIDE, SIDE, generator=generator).requires_grad_()


def sparse(objective: Bins, ab: Tensor, logits: Tensor) -> Tensor:
    return objective.loss(logits, objective.target(ab))


def dense(objective: Bins, ab: Tensor, logits: Tensor) -> Tensor:
    target = objective.target(ab)
    soft = torch.zeros_like(logits).scatter_(1, target.numbers, target.weights.to(logits.dtype))
    return (F.cross_entropy(logits, soft, reduction="none") * target.rarity).mean()


LOSSES: dict[str, Callable[[Bins, Tensor, Tensor], Tensor]] = {"sparse": sparse, "dense": dense}


def step(name: str, objective: Bins, ab: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    loss = LOSSES[name](objective, ab, logits)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), gradient


def memory(line: str) -> float:
    """MB of this process now (VmRSS) or at most so far (VmHWM). getrusage hands on the parent's high-water mark."""
    status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(status[line].split()[0]) * 1024 / 1e6


def peak_of_this_process(name: str) -> float:
    torch.set_num_threads(1)
    objective = bins()
    step(name, objective, *inputs(batch=1))  # libraries and tables are not what is measured
    before = memory("VmRSS")
    step(name, objective, *inputs())
    return memory("VmHWM") - before


def peak(name: str) -> float:
    child = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
    return float(child.stdout)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def on_cuda(name: str, objective: Bins, ab: Tensor, logits: Tensor) -> tuple[float, float]:
    """Seconds and peak MB, the logits included."""

    def work() -> None:
        step(name, objective, ab, logits)
        torch.cuda.synchronize()

    work()
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    for _ in range(20):
        work()
    return (time.perf_counter() - start) / 20, torch.cuda.max_memory_allocated() / 1e6


def report(title: str, took: dict[str, float], peaks: dict[str, float], logits: Tensor) -> None:
    held = logits.numel() * logits.element_size() / 1e6
    print(title)
    for name in LOSSES:
        with_logits, without = peaks[name], peaks[name] - held
        print(f"  {name:14} {took[name] * 1e3:7.1f} ms {with_logits:7.0f} MB {without:7.0f} MB without the logits")
    time_ratio, with_logits = took["sparse"] / took["dense"], peaks["sparse"] / peaks["dense"]
    without = (peaks["sparse"] - held) / (peaks["dense"] - held)
    print(f"  {'sparse / dense':14} {time_ratio:7.2f}    {with_logits:7.2f}    {without:7.2f}")


def main() -> None:
    print(describe("torch"))
    torch.set_num_threads(1)
    objective = bins()
    ab, logits = inputs()
    results = {name: step(name, objective, ab, logits) for name in LOSSES}
    value = abs(float(results["sparse"][0] / results["dense"][0]) - 1)
    largest = results["dense"][1].abs().max()
    gradient = float((results["sparse"][1] - results["dense"][1]).abs().max() / largest)
    print(f"relative difference of the losses {value:.1e}, of the gradients {gradient:.1e}")
    del results

    took = dict.fromkeys(LOSSES, np.inf)
    for _ in range(ROUNDS):  # in turns, so that what else the machine does falls on both alike
        for name in LOSSES:
            took[name] = min(took[name], seconds(lambda n=name: step(n, objective, ab, logits)))
    report("CPU, one thread, float32", took, {name: peak(name) for name in LOSSES}, logits)

    if torch.cuda.is_available():
        for dtype in (torch.float32, torch.bfloat16):
            given = (objective.cuda(), ab.cuda(), logits.detach().to("cuda", dtype).requires_grad_())
            found = {name: on_cuda(name, *given) for name in LOSSES}
            report(
                f"{torch.cuda.get_device_name()}, {dtype}",
                {name: time for name, (time, _) in found.items()},
                {name: peak for name, (_, peak) in found.items()},
                given[2],
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(peak_of_this_process(sys.argv[1]))
    else:
        main()
