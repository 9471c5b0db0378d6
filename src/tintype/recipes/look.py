"""What a network sees of photographs."""

from typing import Literal

from torch import Tensor

from tintype.color import rgb_to_lab

Input = Literal["lightness", "mean", "colour"]


def look(batch: Tensor, how: str) -> Tensor:
    """What a network sees of photographs, (B, 3, H, W) uint8 RGB: (B, 1 or 3, H, W) in [0, 100].

    Args:
        how: `lightness`, CIE L; `mean`, of the channels; or `colour`, RGB.
    """
    rgb = batch.float() / 255
    if how == "lightness":
        lightness: Tensor = rgb_to_lab(rgb)[:, :1]
        return lightness
    return 100 * (rgb if how == "colour" else rgb.mean(dim=1, keepdim=True))
