"""Bilinear reading of a feature map, one point at a time (AC:sparse_hypercolumn_extractor_layer.cpp, with offsets)."""

import math

from torch import Tensor


def read(x: Tensor, stride: float, offset: float, row: float, column: float) -> Tensor:
    """A map (C, h, w) at a place in pixels: (C,)."""
    _, height, width = x.shape
    y = min(max((row - offset) / stride, 0), height - 1)
    z = min(max((column - offset) / stride, 0), width - 1)
    top, left = math.floor(y), math.floor(z)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    fy, fz = y - top, z - left
    return (
        (1 - fy) * (1 - fz) * x[:, top, left]
        + (1 - fy) * fz * x[:, top, right]
        + fy * (1 - fz) * x[:, bottom, left]
        + fy * fz * x[:, bottom, right]
    )
