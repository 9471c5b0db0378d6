"""A picture of how far a run is: grey, predicted and true colours side by side."""

import os
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from tintype.color import lab_to_rgb


def save_preview(path: Path, lightness: Tensor, predicted: Tensor, ab: Tensor) -> None:
    """Write a PNG with a row for each photograph: grey | predicted | true.

    Args:
        path: where to; replaced if it exists.
        lightness: (B, 1, H, W), CIE L.
        predicted: (B, 2, H/s, W/s), CIE ab, enlarged bilinearly.
        ab: (B, 2, H, W), the true colours.
    """
    size = (int(ab.shape[-2]), int(ab.shape[-1]))
    enlarged = F.interpolate(predicted.float(), size=size, mode="bilinear")
    columns = [torch.cat([lightness, colours], dim=1) for colours in (torch.zeros_like(ab), enlarged, ab)]
    rgb = lab_to_rgb(torch.cat(columns, dim=3)).clamp(0, 1)
    rows = (rgb * 255).round().to(torch.uint8).permute(0, 2, 3, 1).flatten(0, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    Image.fromarray(rows.cpu().numpy()).save(temporary, format="PNG")
    os.replace(temporary, path)
