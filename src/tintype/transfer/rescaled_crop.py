"""Random crops at random scale, as the papers classify VOC with (PAPERS B3, C5), and squashed pictures.

Every crop is a pure function of a photograph's pixels and a random generator. Resizing is bilinear and, unlike that of
the papers' programs, antialiased, as all of tintype's.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

Pixels = NDArray[np.uint8]
Rescale = Literal["window", "picture"]


def random_crop(pixels: Pixels, crop: int, low: float, high: float, how: str, rng: np.random.Generator) -> Pixels:
    """A random square at a random scale, mirrored half of the time.

    Args:
        pixels: RGB, (h, w, 3).
        crop: side of the result in pixels.
        low, high: scales, drawn from evenly.
        how: `window`: the square's side is the scale times `crop`, or less where that does not fit in the photograph,
            as in Krähenbühl's programs; `picture`: the photograph's sides are multiplied by the scale and, where they
            are less than `crop` then, padded with black, as in Larsson17's.
        rng: what is drawn follows from it alone.

    Returns:
        RGB, (crop, crop, 3).
    """
    if how == "window":
        high = min(high, min(pixels.shape[:2]) / crop)
    scale = rng.uniform(min(low, high), high)
    left, top = rng.uniform(size=2)
    square = _cut(pixels, crop, scale, left, top, how)
    return square[:, ::-1] if rng.uniform() < 0.5 else square


def centre_crop(pixels: Pixels, crop: int, low: float, high: float, how: str) -> Pixels:
    """The centred square at the range's geometric mean, 1 in the papers, or as much as fits; see `random_crop`."""
    scale = (low * high) ** 0.5
    if how == "window":
        scale = min(scale, min(pixels.shape[:2]) / crop)
    return _cut(pixels, crop, scale, 0.5, 0.5, how)


def squash(pixels: Pixels, side: int) -> Pixels:
    """All of a photograph as a square, whatever its aspect: RGB, (h, w, 3) to (side, side, 3)."""
    return _resize(pixels, side, side)


def _cut(pixels: Pixels, crop: int, scale: float, left: float, top: float, how: str) -> Pixels:
    """left and top: where between the first (0) and the last (1) place the square lies."""
    height, width = pixels.shape[:2]
    if how == "window":
        side = max(1, min(round(scale * crop), height, width))
        x, y = round(left * (width - side)), round(top * (height - side))
        return _resize(pixels[y : y + side, x : x + side], crop, crop)
    resized = _pad(_resize(pixels, max(1, int(height * scale)), max(1, int(width * scale))), crop)
    height, width = resized.shape[:2]
    x, y = round(left * (width - crop)), round(top * (height - crop))
    return resized[y : y + crop, x : x + crop]


def _pad(pixels: Pixels, side: int) -> Pixels:
    """Black around the picture, so that no side is less than `side`."""
    missing = [max(0, side - length) for length in pixels.shape[:2]]
    return np.pad(pixels, [*((each // 2, each - each // 2) for each in missing), (0, 0)])


def _resize(pixels: Pixels, height: int, width: int) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    planes = torch.from_numpy(np.ascontiguousarray(pixels))[None].permute(0, 3, 1, 2)
    return interpolate(planes, (height, width), mode="bilinear", antialias=True)[0].permute(1, 2, 0).numpy()
