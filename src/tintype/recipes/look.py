"""What a network sees of photographs."""

from typing import Literal

from torch import Tensor

from tintype.color import lightness

Input = Literal["lightness", "mean", "colour"]


def look(rgb: Tensor, how: str) -> Tensor:
    """What a network sees of photographs, (B, 3, H, W) RGB: (B, 1 or 3, H, W) in [0, 100].

    Args:
        rgb: uint8, or floats in [0, 1].
        how: `lightness`, CIE L (Zhang16); `mean`, of the channels (Larsson17); or `colour`, RGB.
    """
    if not rgb.is_floating_point():
        rgb = rgb.float() / 255
    if how == "lightness":
        seen: Tensor = lightness(rgb)
        return seen
    return 100 * (rgb if how == "colour" else rgb.mean(dim=1, keepdim=True))
