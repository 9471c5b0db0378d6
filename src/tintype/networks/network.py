"""A network is a trunk and a head."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from tintype.networks.alexnet import AlexNet
from tintype.networks.dense import Dense, Linear, Pyramid
from tintype.networks.hypercolumn import Hypercolumn
from tintype.networks.published import load_published
from tintype.networks.resnet import ResNet
from tintype.networks.surgery import Freezable
from tintype.networks.timm_trunk import TimmTrunk
from tintype.networks.trunk import Trunk
from tintype.networks.vgg16 import VGG16
from tintype.networks.zhang16 import Zhang16

Head = Dense | Linear | Pyramid | Hypercolumn

TRUNKS: dict[str, Callable[[int], Trunk]] = {
    "zhang16": Zhang16,
    "zhang16_quarter": partial(Zhang16, divide=4),
    "alexnet": AlexNet,
    "alexnet_bn": partial(AlexNet, batch_norm=True),
    "alexnet_lrn": partial(AlexNet, lrn=True),
    "alexnet_dilated": partial(AlexNet, dilated=True),
    "alexnet_dilated_bn": partial(AlexNet, dilated=True, batch_norm=True),
    "vgg16": VGG16,
    "vgg16_bn": partial(VGG16, batch_norm=True),
    "vgg16_quarter": partial(VGG16, divide=4),
    "vgg16_bn_quarter": partial(VGG16, batch_norm=True, divide=4),
    "resnet18": partial(ResNet, 18),
    "resnet18_half": partial(ResNet, 18, divide=2),
    "resnet50": partial(ResNet, 50),
    "resnet152": partial(ResNet, 152),
}
HEADS: dict[str, type[Head]] = {"dense": Dense, "linear": Linear, "pyramid": Pyramid, "hypercolumn": Hypercolumn}


class Network(Freezable):
    """Grey picture, (B, 1, H, W) in [0, 100], to one prediction for each place, (B, channels, H/stride, W/stride).

    Attributes:
        stride: pixels from one prediction to the next.
        multiple: height and width of the picture must be multiples of this.
        sparse: whether it also predicts at single points.
    """

    def __init__(self, trunk: Trunk, head: Head):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.stride = head.stride
        self.multiple = max(trunk.multiple, getattr(head, "multiple", 1))
        self.sparse = isinstance(head, Hypercolumn)

    def forward(self, lightness: Tensor, points: Tensor | None = None) -> Tensor:
        """Predict everywhere, or at some points, (B, N, 2), row and column in pixels: (B, channels, N)."""
        features = self.trunk(lightness)
        if points is not None:
            assert isinstance(self.head, Hypercolumn)
            return self.head.at(features, points)
        prediction: Tensor = self.head(features, lightness.shape[2:])
        return prediction


def build_trunk(trunk: str, in_chans: int = 1, pretrained: Path | None = None) -> Trunk:
    """Build a trunk from its name.

    Args:
        trunk: one of TRUNKS, or `timm:NAME` for a timm backbone.
        in_chans: input channels; 1 for lightness.
        pretrained: weights of the timm backbone's classifier, see `TimmTrunk`.

    Raises:
        ValueError: there is no such trunk, or the weights do not fit.
    """
    if trunk.startswith("timm:"):
        return TimmTrunk(trunk.removeprefix("timm:"), in_chans, pretrained)
    if trunk not in TRUNKS:
        raise ValueError(f"unknown trunk {trunk!r}; there are {', '.join(TRUNKS)}, timm:NAME")
    return TRUNKS[trunk](in_chans)


def build_network(
    trunk: str, head: str, channels: int, *, in_chans: int = 1, pretrained: Path | None = None, **options: Any
) -> Network:
    """Build a network from names.

    Args:
        trunk: see `build_trunk`.
        head: one of HEADS.
        channels: K, what the objective predicts for each place.
        in_chans: input channels; 1 for lightness.
        pretrained: weights of a published network, see `TimmTrunk` and `load_published`.
        options: the head's own, such as `width`.

    Raises:
        ValueError: an unknown name, or a trunk, head and options that do not go together; the message says which.
    """
    if head not in HEADS:
        raise ValueError(f"unknown head {head!r}; there are {', '.join(HEADS)}")
    body = build_trunk(trunk, in_chans, pretrained)
    try:
        top = HEADS[head](body, channels, **options)
    except TypeError as error:
        raise ValueError(f"head {head}: {error}") from error
    if pretrained is not None and not isinstance(body, TimmTrunk):
        load_published(body, top, pretrained)
    if isinstance(top, Hypercolumn):
        names = list(body.strides)
        body.end_at(max(top.layers, key=names.index))
    return Network(body, top)
