"""A trunk whose feature maps are known functions of position."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.trunk import Chain


class Subsample(nn.Module):
    """Every second cell from the second on."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 1::2, 1::2]


class PadBefore(nn.Module):
    """One cell before, none after, as TensorFlow pads even filters."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (1, 0, 1, 0))


class Averages(Chain):
    """Every layer averages a window, so that of a ramp each cell holds its window's middle: its own place.

    Windows, strides, paddings and dilations are as unlike as can be; a map at stride 2 is enlarged back to stride 1.
    """

    mean, std = 0.0, 1.0

    def __init__(self) -> None:
        super().__init__()
        kinds: list[tuple[str, nn.Module]] = [
            ("conv3", nn.Conv2d(1, 1, 3, padding=1)),
            ("conv2", nn.Conv2d(1, 1, 2)),
            ("pool2", nn.AvgPool2d(2)),
            ("deconv", nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1)),
            ("strided", nn.Conv2d(1, 1, 5, stride=3, padding=1)),
            ("slice", Subsample()),
            ("padded", nn.Sequential(PadBefore(), nn.Conv2d(1, 1, 2))),
            ("dilated", nn.Conv2d(1, 1, 3, padding=1, dilation=2)),
            ("pool3", nn.AvgPool2d(3, 2, 1)),
        ]
        for name, layer in kinds:
            self.add_module(name, layer)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.constant_(module.weight, 1 / module.weight[0].numel())
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.ConvTranspose2d):  # bilinear
                rise = torch.tensor([0.25, 0.75, 0.75, 0.25])
                module.weight.data.copy_(rise[:, None] * rise)
                nn.init.zeros_(module.bias)
        self.chain([(name, [self.get_submodule(name)]) for name, _ in kinds])


def ramp(height: int, width: int, axis: int) -> Tensor:
    """(1, 1, H, W): each pixel's row (axis 0) or column (axis 1)."""
    return torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")[axis][None, None].float()
