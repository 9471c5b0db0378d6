"""Heads that predict at every place at once, when training too."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.geometry import Grid
from tintype.networks.sampling import regrid
from tintype.networks.trunk import Trunk


class Dense(nn.Module):
    """The last layers of Zhang16: conv8 (4x4 deconvolution by 2, then two 3x3), 1x1 to the prediction (PAPERS A6).

    Reads the trunk's last feature map, which must have stride 8.

    Args:
        width: channels of conv8.
    """

    stride, origin = 4, None

    def __init__(self, trunk: Trunk, channels: int, width: int = 256):
        super().__init__()
        self.source = list(trunk.strides)[-1]
        if trunk.strides[self.source] != 8:
            raise ValueError(f"head dense needs a trunk that ends at stride 8, this one ends at {self.source}")
        self.multiple = 8
        self.conv8 = nn.Sequential(
            nn.ConvTranspose2d(trunk.channels[self.source], width, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
        )
        self.predict = nn.Conv2d(width, channels, 1)

    def forward(self, features: dict[str, Tensor], size: Sequence[int]) -> Tensor:
        prediction: Tensor = self.predict(self.conv8(features[self.source]))
        return prediction


class Linear(nn.Module):
    """A 1x1 convolution of the trunk's last feature map, enlarged bilinearly to pixels 0, 8, 16 … (PAPERS B1: fc8).

    Args:
        origin: the first of these places, in pixels from the first pixel's middle.
    """

    stride = 8

    def __init__(self, trunk: Trunk, channels: int, origin: float = 0.0):
        super().__init__()
        self.origin = origin
        self.source = list(trunk.strides)[-1]
        self.grid = Grid(trunk.strides[self.source], trunk.offsets[self.source])
        self.predict = nn.Conv2d(trunk.channels[self.source], channels, 1)

    def forward(self, features: dict[str, Tensor], size: Sequence[int]) -> Tensor:
        prediction: Tensor = self.predict(features[self.source])
        rows, columns = (torch.arange((side + 7) // 8, device=prediction.device) * 8 + self.origin for side in size)
        return regrid(prediction, self.grid, rows, columns)


class Pyramid(nn.Module):
    """A light multi-scale head: from the coarsest map down to stride 4, each map is enlarged by 2, joined and smoothed.

    The colour of the whole scene enters at the top: the coarsest map is joined with its own mean over the picture.

    Args:
        width: channels of every level.
    """

    stride, origin = 4, None

    def __init__(self, trunk: Trunk, channels: int, width: int = 128):
        super().__init__()
        deepest = {stride: name for name, stride in trunk.strides.items() if stride >= 4}  # the last map of each stride
        self.sources = [deepest[stride] for stride in sorted(deepest, reverse=True)]
        if 4 not in deepest:
            raise ValueError(f"head pyramid needs a trunk with a map at stride 4, this one has {list(trunk.strides)}")
        self.multiple = max(deepest)
        self.scene = nn.Conv2d(trunk.channels[self.sources[0]], width, 1)
        self.lateral = nn.ModuleList(_conv(trunk.channels[name], width, 1) for name in self.sources)
        self.smooth = nn.ModuleList(nn.Sequential(_conv(width, width, 3), nn.ReLU()) for _ in self.sources)
        self.predict = nn.Conv2d(width, channels, 1)

    def forward(self, features: dict[str, Tensor], size: Sequence[int]) -> Tensor:
        top = features[self.sources[0]]
        x = self.scene(top.mean(dim=(2, 3), keepdim=True))
        for name, lateral, smooth in zip(self.sources, self.lateral, self.smooth, strict=True):
            joined = lateral(features[name])
            x = joined + (x if x.shape[-1] == 1 else F.interpolate(x, scale_factor=2.0, mode="bilinear"))
            x = smooth(torch.relu(x))
        prediction: Tensor = self.predict(x)
        return prediction


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )
