"""Trunks for another input than they were trained on: colour for grey, grey for colour, ab beside grey."""

from torch import Tensor, nn

from tintype.networks.surgery import grey_first_layer, lab_first_layer, rgb_first_layer
from tintype.networks.trunk import Trunk


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


def add_ab(trunk: Trunk) -> None:
    """Have a grey trunk take ab as well, (B, 3, H, W), in place: its filters are kept, those of ab start at zero, as
    Zhang16 does for segmentation (PAPERS B3).

    Raises:
        ValueError: it takes other than grey pictures.
    """
    _change(trunk, lab_first_layer(first_convolution(trunk)[1].weight))


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
    if "data" in trunk.channels:  # the input is one of the feature maps
        trunk.channels["data"] = trunk.in_chans
