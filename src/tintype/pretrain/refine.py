"""Losses on the picture that comes out, for the last part of training."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import lab_to_rgb
from tintype.networks.timm_trunk import TimmTrunk
from tintype.pretrain.recipe import Refine

NEUTRAL = 4.0  # chroma in ab units under which a colour passes for white, grey or black
UNIT = 10.0  # errors in ab are counted in steps of the colour bins


class Refinement(nn.Module):
    """The losses of a recipe's `refine` block, by the decoded colours.

    Args:
        recipe: the block.
        classifier: file of the classifier's weights, if `features` is used.

    Raises:
        ValueError: the classifier is unknown, or its weights do not fit.
    """

    def __init__(self, recipe: Refine, classifier: Path | None):
        super().__init__()
        self._recipe = recipe
        self._features = None
        if recipe.features:
            self._features = (
                TimmTrunk(recipe.classifier, in_chans=3, pretrained=classifier).eval().requires_grad_(False)
            )

    def forward(self, decoded: Tensor, target: Tensor, lightness: Tensor, ab: Tensor) -> Tensor:
        """Sum of the weighted losses, a scalar.

        Args:
            decoded, target: CIE ab at the head's resolution, (B, 2, H/4, W/4), predicted and true.
            lightness: CIE L, (B, 1, H, W).
            ab: true CIE ab, (B, 2, H, W).
        """
        recipe, total = self._recipe, torch.zeros((), device=decoded.device)
        if recipe.colour:
            total = total + recipe.colour * colour_loss(decoded, target)
        if recipe.neutral:
            total = total + recipe.neutral * neutral_loss(decoded, target)
        if self._features is not None:
            picture = torch.cat([lightness, F.interpolate(decoded, lightness.shape[2:], mode="bilinear")], 1)
            total = total + recipe.features * self._distance(picture, torch.cat([lightness, ab], 1))
        return total

    def _distance(self, lab: Tensor, true: Tensor) -> Tensor:
        assert self._features is not None
        with torch.no_grad():
            expected = self._features(100 * lab_to_rgb(true))
        given: dict[str, Tensor] = self._features(100 * lab_to_rgb(lab))
        return feature_distance(list(given.values()), list(expected.values()))


def colour_loss(decoded: Tensor, target: Tensor) -> Tensor:
    """Mean Euclidean error in ab, in units of 10: what AuC is a linear function of, while errors stay below 150.

    Args:
        decoded, target: CIE ab, (B, 2, h, w).
    """
    return _length(decoded - target).mean() / UNIT


def neutral_loss(decoded: Tensor, target: Tensor) -> Tensor:
    """Mean over all places of the chroma above 4 that truly neutral ones are given, in units of 10.

    Args:
        decoded, target: CIE ab, (B, 2, h, w).
    """
    neutral = torch.linalg.vector_norm(target, dim=1) < NEUTRAL
    excess: Tensor = (_length(decoded) - NEUTRAL).clamp(min=0) * neutral
    return excess.mean() / UNIT


def feature_distance(given: list[Tensor], expected: list[Tensor]) -> Tensor:
    """Mean squared difference of feature maps relative to the mean square of the expected ones, averaged over maps.

    Args:
        given, expected: maps of the same network, from the same layers in the same order.
    """
    parts = [(a - b).square().mean() / b.square().mean().clamp(min=1e-6) for a, b in zip(given, expected, strict=True)]
    return torch.stack(parts).mean()


def _length(ab: Tensor) -> Tensor:
    """Euclidean length of (B, 2, h, w), rounded off near 0 so that its gradient is bounded there: (B, h, w)."""
    return (ab.square().sum(dim=1) + 1).sqrt()
