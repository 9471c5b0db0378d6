"""The network of Zhang16 as PAPERS A6 tabulates it, and what follows from the table by arithmetic."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Layer(NamedTuple):
    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    padding: int = 1
    upsamples: bool = False
    relu: bool = True
    batch_norm: bool = False


LAYERS = [
    Layer("1_1", 1, 64),
    Layer("1_2", 64, 64, stride=2, batch_norm=True),
    Layer("2_1", 64, 128),
    Layer("2_2", 128, 128, stride=2, batch_norm=True),
    Layer("3_1", 128, 256),
    Layer("3_2", 256, 256),
    Layer("3_3", 256, 256, stride=2, batch_norm=True),
    Layer("4_1", 256, 512),
    Layer("4_2", 512, 512),
    Layer("4_3", 512, 512, batch_norm=True),
    Layer("5_1", 512, 512, dilation=2, padding=2),
    Layer("5_2", 512, 512, dilation=2, padding=2),
    Layer("5_3", 512, 512, dilation=2, padding=2, batch_norm=True),
    Layer("6_1", 512, 512, dilation=2, padding=2),
    Layer("6_2", 512, 512, dilation=2, padding=2),
    Layer("6_3", 512, 512, dilation=2, padding=2, batch_norm=True),
    Layer("7_1", 512, 512),
    Layer("7_2", 512, 512),
    Layer("7_3", 512, 512, batch_norm=True),
    Layer("8_1", 512, 256, kernel=4, stride=2, upsamples=True),
    Layer("8_2", 256, 256),
    Layer("8_3", 256, 256),
    Layer("8_313", 256, 313, kernel=1, padding=0, relu=False),
]


def parameter_count(layers: Sequence[Layer]) -> int:
    """Weights and biases; batch-norm has no scale and no shift."""
    return sum(layer.kernel**2 * layer.inputs * layer.outputs + layer.outputs for layer in layers)


def receptive_field(layers: Sequence[Layer], place: int) -> tuple[int, int]:
    """First and last input row that the output row `place` depends on, in an endless picture.

    Walks back from the output. A convolution's row r reads stride * r - padding + dilation * t for t = 0..kernel-1;
    a deconvolution's row r is written to by every row i with r = stride * i - padding + t for some such t.
    """
    first = last = place
    for layer in reversed(layers):
        if layer.upsamples:
            first = -((layer.kernel - 1 - layer.padding - first) // layer.stride)
            last = (last + layer.padding) // layer.stride
        else:
            first = layer.stride * first - layer.padding
            last = layer.stride * last - layer.padding + layer.dilation * (layer.kernel - 1)
    return first, last


def forward(state: dict[str, Tensor], lightness: Tensor) -> Tensor:
    """The network's output from its tensors, taken in the order of the table."""
    weights = iter([v for k, v in state.items() if k.endswith("weight")])
    biases = iter([v for k, v in state.items() if k.endswith("bias")])
    means = iter([v for k, v in state.items() if k.endswith("running_mean")])
    variances = iter([v for k, v in state.items() if k.endswith("running_var")])
    x = lightness - 50
    for layer in LAYERS:
        if layer.upsamples:
            x = F.conv_transpose2d(x, next(weights), next(biases), layer.stride, layer.padding)
        else:
            x = F.conv2d(x, next(weights), next(biases), layer.stride, layer.padding, layer.dilation)
        if layer.relu:
            x = x.clamp(min=0)
        if layer.batch_norm:
            mean, variance = (next(s)[None, :, None, None] for s in (means, variances))
            x = (x - mean) / torch.sqrt(variance + 1e-5)
    return x
