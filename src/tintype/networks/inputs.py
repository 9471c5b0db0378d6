"""Trunks for another input than they were trained on: colour for grey, grey for colour, Lab for lightness."""

import copy

import torch
from torch import Tensor, nn

from tintype.networks.surgery import grey_first_layer, rgb_first_layer
from tintype.networks.trunk import Trunk

AB_SCALE = 0.693  # RZ:segmentation/train_val.prototxt (PAPERS B3)


def take_rgb(trunk: Trunk) -> None:
    """Have a grey trunk take (B, 3, H, W) in [0, 100], in place; untrained, it sees (R + G + B) / 3 (Larsson17).

    Raises:
        ValueError: it takes other than grey pictures.
    """
    _change(trunk, rgb_first_layer(first_convolution(trunk)[1].weight))


def take_grey(trunk: Trunk) -> None:
    """Have a colour trunk take (B, 1, H, W) in [0, 100], as if all channels were alike, in place.

    Raises:
        ValueError: it takes other than colour pictures.
    """
    _change(trunk, grey_first_layer(first_convolution(trunk)[1].weight))


def take_lab(trunk: Trunk, trained: bool = True, scale: float = AB_SCALE) -> None:
    """Have a lightness trunk take CIE Lab, (B, 3, H, W), in place, as Zhang16 does for segmentation (PAPERS B3).

    Its filters are kept; others, which start at zero, see a and b.

    Args:
        trunk: takes lightness.
        trained: whether the filters for a and b are trained ("Ours (color)"); else they stay zero ("Ours (gray)").
        scale: what a and b are multiplied by.

    Raises:
        ValueError: it takes other than lightness.
    """
    name, conv = first_convolution(trunk)
    if trunk.in_chans != 1:
        raise ValueError(f"only a trunk for lightness can take Lab, this one takes {trunk.in_chans} channels")
    layer = LabConv(conv)
    layer.ab.requires_grad_(trained)
    parent, _, child = name.rpartition(".")
    setattr(trunk.get_submodule(parent), child, layer)
    trunk.in_chans, trunk.ab_scale = 3, scale


class LabConv(nn.Module):
    """A convolution of lightness with another of a and b, of the same shape and at first zero, added: (B, 3, H, W)."""

    def __init__(self, lightness: nn.Conv2d):
        super().__init__()
        self.lightness = lightness
        self.ab = copy.deepcopy(lightness)
        self.ab.in_channels, self.ab.bias = 2, None
        self.ab.weight = nn.Parameter(torch.zeros_like(lightness.weight).repeat(1, 2, 1, 1))

    def forward(self, lab: Tensor) -> Tensor:
        total: Tensor = self.lightness(lab[:, :1]) + self.ab(lab[:, 1:])
        return total


def first_convolution(trunk: Trunk) -> tuple[str, nn.Conv2d]:
    """The convolution that the picture goes into, and its name."""
    return next(
        (name, layer)
        for name, layer in trunk.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.weight.shape[1] == trunk.in_chans
    )


def _change(trunk: Trunk, weight: Tensor) -> None:
    _, conv = first_convolution(trunk)
    conv.weight = nn.Parameter(weight.detach(), requires_grad=conv.weight.requires_grad)
    conv.in_channels = trunk.in_chans = weight.shape[1]
