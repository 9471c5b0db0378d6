"""What a step computes, and what the device could."""

import copy
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

_SECONDS = 0.3  # for which products are timed


def training_flops(network: nn.Module, loss: Callable[[nn.Module], Tensor]) -> int:
    """Floating-point operations of a forward and backward pass: two for each multiplication in a matrix product or
    convolution, nothing for the rest.

    Args:
        network: only a copy of it is run, so that neither statistics nor gradients change.
        loss: network to a scalar.
    """
    twin = copy.deepcopy(network)
    with FlopCounterMode(display=False) as counter:
        loss(twin).backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops())


def matrix_peak(device: torch.device, dtype: torch.dtype, size: int = 8192) -> float:
    """The most floating-point operations per second that a product of two matrices is measured to reach.

    Args:
        device: to measure.
        dtype: of the matrices.
        size: of their sides.
    """
    options: dict[str, Any] = {"device": device, "dtype": dtype}
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")  # TF32, which is what convolutions of float32 use on GPUs
    a, b, c = torch.randn(size, size, **options), torch.randn(size, size, **options), torch.empty(size, size, **options)
    best, end = float("inf"), 0.0
    while time.perf_counter() < end or best == float("inf"):
        end = end or time.perf_counter() + _SECONDS
        _wait(device)
        start = time.perf_counter()
        torch.mm(a, b, out=c)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    torch.set_float32_matmul_precision(precision)
    return 2 * size**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
