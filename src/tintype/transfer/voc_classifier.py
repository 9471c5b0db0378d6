"""A trunk that tells which of several classes a picture shows, as in Krähenbühl's train_cls.py (PAPERS B3)."""

import re

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.data.voc import IGNORED
from tintype.networks.alexnet import AlexNet
from tintype.networks.trunk import Trunk
from tintype.recipes import RecipeError

_CLASSIFIER = ("fc6", "fc7")


class VocClassifier(nn.Module):
    """Pictures, (B, C, H, W) in [0, 100], to one score for each class, (B, classes): logits of sigmoids.

    A linear layer, fc8, on the mean over the picture of the trunk's last feature map. Behind fc6 and fc7, where the
    trunk has them, is dropout of one half, frozen or not.

    Args:
        trunk: becomes part of this.
        classes: how many.
    """

    def __init__(self, trunk: Trunk, classes: int):
        super().__init__()
        self.trunk = trunk
        self.last = list(trunk.strides)[-1]
        self._dropouts: list[nn.Module] = []
        for name in _CLASSIFIER:
            if name in trunk.strides:
                self._dropouts.append(nn.Dropout(0.5))
                block = trunk.get_submodule(name)
                assert isinstance(block, nn.Sequential)
                block.add_module("dropout", self._dropouts[-1])  # in the place of the trunk's own, if it has one
        self.fc8 = nn.Linear(trunk.channels[self.last], classes)
        nn.init.normal_(self.fc8.weight, std=0.01)
        nn.init.constant_(self.fc8.bias, 0.1)

    def train(self, mode: bool = True) -> "VocClassifier":
        super().train(mode)
        for dropout in self._dropouts:  # Caffe's dropout knows nothing of learning rates
            dropout.train(mode)
        return self

    def forward(self, picture: Tensor) -> Tensor:
        scores: Tensor = self.fc8(self.trunk(picture)[self.last].mean(dim=(2, 3)))
        return scores


def sigmoid_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Sigmoid cross-entropy, summed over the classes and averaged over the pictures.

    Args:
        scores: logits, (B, classes).
        labels: 1, 0, or `tintype.data.voc.IGNORED`, for which there is no loss and no gradient, (B, classes).
    """
    each = F.binary_cross_entropy_with_logits(scores, (labels == 1).to(scores.dtype), reduction="none")
    return torch.where(labels == IGNORED, 0, each).sum() / len(scores)


def freeze_before(trunk: Trunk, first: str) -> None:
    """Freeze what comes before the first layer that is trained, in place.

    Args:
        first: `fc8`: all of the trunk; `fc6`: all before fc6, or, in trunks without it, before the last stage (the
            feature maps named as the last one but for its letter: res5a, res5b, res5c); `all`: nothing.

    Raises:
        RecipeError: the trunk has one stage only.
    """
    if first == "fc8":
        trunk.freeze_parts(trunk.children())
    elif first == "fc6":
        names = list(trunk.strides)
        own = names[names.index("fc6") :] if "fc6" in names else [n for n in names if _stage(n) == _stage(names[-1])]
        if names[: names.index(own[0])] in ([], ["data"]):
            raise RecipeError(f"key 'train_from' is fc6, but this trunk has nothing before {own[0]}")
        trunk.train_from(own[0])


def crop_side(trunk: Trunk, side: int) -> int:
    """Side of the pictures that a trunk is shown: as given, or, for 0, 227 for AlexNet and 224 for others.

    Raises:
        RecipeError: the trunk takes no picture of that size.
    """
    side = side or (227 if isinstance(trunk, AlexNet) else 224)
    if side % trunk.multiple:
        raise RecipeError(f"key 'crop' is {side}; this trunk takes multiples of {trunk.multiple}")
    return side


def _stage(name: str) -> str:
    found = re.match(r"[a-z]+\d+", name)
    return found.group() if found else name
