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
        trunk: its name, as `tintype.networks.build_trunk` takes it; the last feature map counts.
        classes: how many.
        in_chans: C, 1 for grey and 3 for colour.
        pretrained: weights of a published network, see `TimmTrunk` and `load_published`.

    Raises:
        ValueError: there is no such trunk, or the weights do not fit.
    """

    def __init__(self, trunk: str, classes: int, in_chans: int = 1, pretrained: Path | None = None):
        super().__init__()
        self.trunk = build_trunk(trunk, in_chans, pretrained)
        self.last = list(self.trunk.strides)[-1]
        self.head = Pooled(self.trunk.channels[self.last], classes)
        if pretrained is not None and not isinstance(self.trunk, TimmTrunk):
            load_published(self.trunk, self.head, pretrained)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.head(self.trunk(picture)[self.last])
        return logits
