"""Devices and processes, by Hugging Face Accelerate."""

import random

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs


def launch() -> Accelerator:
    """One CPU, one GPU, or this process's part of a `torchrun` (nccl on GPUs, gloo on CPUs).

    Precision is not set here: Accelerate keeps it for the whole process and patches it into the network's `forward`,
    which would follow the network into its copies and exports. The loop uses `torch.autocast` instead.
    """
    accelerator = Accelerator(kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)])
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
