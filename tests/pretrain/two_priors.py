"""Run by torchrun: FOLDER. Counts a prior, then has it again as a resumed run does; each process has its own disk."""

import os
import sys
from pathlib import Path

import torch

from tintype.pretrain.prior import counted_prior
from tintype.training import launch


def colours(number):
    return 50 * torch.rand(2, 2, 8, 8, generator=torch.Generator().manual_seed(number)) - 25


def count_again():
    raise AssertionError("was counted before")


if __name__ == "__main__":
    accelerator, rank = launch(), int(os.environ["RANK"])
    folder = Path(sys.argv[1]) / str(rank)
    folder.mkdir()
    kept = folder / "prior.npy"
    priors = [counted_prior(accelerator, kept, ab) for ab in (lambda: [colours(rank), colours(2 + rank)], count_again)]
    torch.save(priors, folder / "priors.pt")
    torch.distributed.destroy_process_group()
