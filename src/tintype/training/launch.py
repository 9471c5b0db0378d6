"""Devices and processes, by Hugging Face Accelerate."""

import os
import random
from datetime import timedelta

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

from tintype.training.errors import TrainingError

PATIENCE = timedelta(hours=24)
"""Of processes that wait for one which fits SVMs or proposes boxes. Where one dies, torchrun ends the others."""


def launch() -> Accelerator:
    """One CPU, one GPU, or this process's part of a `torchrun` (nccl on GPUs, gloo on CPUs).

    Precision is not set here: Accelerate keeps it for the whole process and patches it into the network's `forward`,
    which would follow the network into its copies and exports. The loop uses `torch.autocast` instead.

    Raises:
        TrainingError: `torchrun` started several processes on a device that cannot be shared.
    """
    # Without `cpu`, Accelerate takes processes on a machine without GPUs for so many runs of their own.
    cpu = not torch.accelerator.is_available()
    handlers = [
        DistributedDataParallelKwargs(gradient_as_bucket_view=True),
        InitProcessGroupKwargs(timeout=PATIENCE),
    ]
    accelerator = Accelerator(cpu=cpu, kwargs_handlers=handlers)
    wanted = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != wanted:
        raise TrainingError(f"{wanted} processes were launched, but {accelerator.device.type} can only be used by one")
    if accelerator.device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # every batch has the same shape
    return accelerator


def seed_everything(*numbers: int) -> None:
    """Seed Python, numpy and torch, on every device, from a few whole numbers."""
    seed = seed_from(*numbers)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (whoever draws from it is not ours)
    torch.manual_seed(seed)


def seed_from(*numbers: int) -> int:
    """One well-mixed 63-bit seed from a few whole numbers, none negative."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
