"""A network is a trunk and a head."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tintype.networks.dense import Dense, Pyramid
from tintype.networks.timm_trunk import TimmTrunk
from tintype.networks.zhang16 import Zhang16

TRUNKS = ("zhang16", "timm:NAME")
HEADS: dict[str, type[Dense] | type[Pyramid]] = {"dense": Dense, "pyramid": Pyramid}


class Network(nn.Module):
    """Lightness, (B, 1, H, W) in [0, 100], to one prediction for each place, (B, channels, H/4, W/4)."""

    stride = 4

    def __init__(self, trunk: Zhang16 | TimmTrunk, head: Dense | Pyramid):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self._fixed = False

    def fix_statistics(self) -> None:
        """Have batch-norms keep their mean and variance from now on, in training too; scale and shift are trained.

        For training further on batches of other photographs, or too small ones, than the statistics are of.
        """
        self._fixed = True
        self.train(self.training)

    def train(self, mode: bool = True) -> "Network":
        super().train(mode)
        if self._fixed:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, lightness: Tensor) -> Tensor:
        prediction: Tensor = self.head(self.trunk(lightness))
        return prediction


def build_trunk(trunk: str, in_chans: int = 1, pretrained: Path | None = None) -> Zhang16 | TimmTrunk:
    """Build a trunk from its name.

    Args:
        trunk: `zhang16`, or `timm:NAME` for a timm backbone.
        in_chans: input channels; 1 for lightness.
        pretrained: weights of the timm backbone's classifier, see `TimmTrunk`.

    Raises:
        ValueError: there is no such trunk, or the weights do not fit.
    """
    if trunk.startswith("timm:"):
        return TimmTrunk(trunk.removeprefix("timm:"), in_chans, pretrained)
    if trunk != "zhang16":
        raise ValueError(f"unknown trunk {trunk!r}; there are {', '.join(TRUNKS)}")
    if pretrained is not None:
        raise ValueError("trunk zhang16 has no published classifier to start from; leave out `pretrained`")
    return Zhang16(in_chans)


def build_network(
    trunk: str, head: str, channels: int, *, in_chans: int = 1, pretrained: Path | None = None, **options: Any
) -> Network:
    """Build a network from names.

    Args:
        trunk: `zhang16`, or `timm:NAME` for a timm backbone.
        head: `dense` or `pyramid`.
        channels: K, what the objective predicts for each place.
        in_chans: input channels; 1 for lightness.
        pretrained: weights of the timm backbone's classifier, see `TimmTrunk`.
        options: the head's own, such as `width`.

    Raises:
        ValueError: an unknown name, or a trunk, head and options that do not go together; the message says which.
    """
    if head not in HEADS:
        raise ValueError(f"unknown head {head!r}; there are {', '.join(HEADS)}")
    body = build_trunk(trunk, in_chans, pretrained)
    try:
        return Network(body, HEADS[head](body.channels, body.strides, channels, **options))
    except TypeError as error:
        raise ValueError(f"head {head}: {error}") from error
