"""Run by torchrun, with two processes: FOLDER first|again.

first   gradients with and without accumulation; a run that is never stopped; one that is killed (-9) at step 7
again   goes on with the killed run; starts one of which only the second process is asked to stop, and goes on with it;
        the same while it is validated
"""

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from tintype.training import Compute, Interrupted
from training import runs
from training.runs import run

WAYS = [(parts, precision) for parts in (1, 2) for precision in ("fp32", "bf16")]


def gradients(folder: Path, parts: int, precision: str) -> list[torch.Tensor]:
    """Of the first three updates, by plain SGD, so that each depends on the one before."""
    seen: list[torch.Tensor] = []

    def optimizer(model):
        made = torch.optim.SGD(model.parameters())
        made.register_step_pre_hook(
            lambda *_: seen.append(torch.cat([p.grad.flatten().clone() for p in model.parameters()]))
        )
        return made

    run(folder, 3, optimizer=optimizer, dropout=0.0, precision=precision, compute=Compute(accumulate=parts))
    return seen


def at(step, number):
    def on_loss(now, value):
        if now == step:
            os.kill(os.getpid(), number)
        return value

    return on_loss


def validate(share, save, asked=None):
    """Numbers 0..6 shared by both processes; the second may be asked to stop at its second one."""

    def parts(model, step):
        save.append([buffer.clone() for buffer in model.buffers()])
        for number in range(share, 7, 2):
            if number == asked:
                os.kill(os.getpid(), signal.SIGTERM)
            yield {"mean": 2.0 * number, f"only-{share}": 1.0}, 2

    return parts


def main(folder: Path, which: str) -> None:
    rank = int(os.environ["RANK"])
    if which == "first":
        for parts, precision in WAYS:
            seen = gradients(folder / f"gradients-{parts}-{precision}", parts, precision)
            torch.save(seen, folder / f"gradients-{parts}-{precision}-{rank}.pt")
        torch.save(run(folder / "whole").state_dict(), folder / f"whole-{rank}.pt")
        seen: list[list[torch.Tensor]] = []
        plain, runs.network = runs.network, lambda dropout: nn.Sequential(plain(dropout), nn.BatchNorm2d(1))
        run(folder / "measured", 3, validate=validate(rank, seen))
        torch.save(seen, folder / f"measured-{rank}.pt")
        runs.network = plain
        run(folder / "killed", on_loss=at(7, signal.SIGKILL))
    else:
        torch.save(run(folder / "killed", resume=True).state_dict(), folder / f"killed-{rank}.pt")
        try:
            run(folder / "asked", on_loss=at(5, signal.SIGTERM) if rank == 1 else None)
        except Interrupted as stopped:
            (folder / f"asked-{rank}.txt").write_text(f"{stopped.signal} {stopped.step}")
        torch.save(run(folder / "asked", resume=True).state_dict(), folder / f"asked-{rank}.pt")
        try:
            run(folder / "validated", validate=validate(rank, [], asked=3), validate_every=5)
        except Interrupted as stopped:
            (folder / f"validated-{rank}.txt").write_text(f"{stopped.signal} {stopped.step}")
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2])
