"""A trunk that tells classes of whole pictures."""

from pathlib import Path

from torch import Tensor, nn

from tintype.networks.network import build_trunk
from tintype.networks.published import load_published
from tintype.networks.timm_trunk import TimmTrunk


class Pooled(nn.Module):
    """The mean of a feature map over the picture, and a linear layer."""

    def __init__(self, inputs: int, classes: int):
        super().__init__()
        self.predict = nn.Linear(inputs, classes)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.predict(features.mean(dim=(2, 3)))
        return logits


class Classifier(nn.Module):
    """Pictures, (B, C, H, W) in [0, 100], to unnormalised log-probabilities of classes, (B, classes).

    Args:
        trunk: its name, as `tintype.networks.build_trunk` takes it.
        classes: how many.
        in_chans: C, 1 for grey and 3 for colour.
        pretrained: weights of a published network, see `TimmTrunk` and `load_published`.
        layer: the feature map that classes are told by, at which the trunk ends; `last`.

    Raises:
        ValueError: there is no such trunk or feature map, or the weights do not fit.
    """

    def __init__(
        self, trunk: str, classes: int, in_chans: int = 1, pretrained: Path | None = None, layer: str = "last"
    ):
        super().__init__()
        self.trunk = build_trunk(trunk, in_chans, pretrained)
        names = list(self.trunk.strides)
        if layer not in ("last", *names):
            raise ValueError(f"trunk {trunk} has no feature map {layer!r}; it has {', '.join(names)}")
        self.last = names[-1] if layer == "last" else layer
        self.head = Pooled(self.trunk.channels[self.last], classes)
        if pretrained is not None and not isinstance(self.trunk, TimmTrunk):
            load_published(self.trunk, self.head, pretrained)
        if layer != "last":
            self.trunk.end_at(layer)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.head(self.trunk(picture)[self.last])
        return logits
