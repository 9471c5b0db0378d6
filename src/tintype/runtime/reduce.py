"""The photograph's lightness at reduced resolution: what the network and the upsampling look at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tintype.runtime.buffers import Buffers, Lookup, Plane
from tintype.runtime.photo import Photo
from tintype.runtime.strips import share, spans

_TILE = 1 << 18  # pixels
_LARGEST = 4  # times the usual area
_FINER = 2  # pixels of the guide, along a side, for one pixel of what the network sees


@dataclass(frozen=True)
class Guide:
    """A photograph's lightness at reduced resolution.

    Attributes:
        lightness: CIE L, (h, w): means over blocks of factor x factor pixels.
        factor: side of the blocks.
        extent: height and width of the photograph in blocks, the last of which it may fill only partly.
    """

    lightness: Plane
    factor: int
    extent: tuple[float, float]


def guide_of(photo: Photo, size: int, threads: int = 1) -> Guide:
    """The guide of a photograph, for a network that sees a square of side `size`, or as large an area."""
    height, width = photo.codes.shape
    factor = reduction(height, width, _FINER * size)
    return Guide(reduce_lightness(photo, factor, threads), factor, (height / factor, width / factor))


def reduction(height: int, width: int, side: int) -> int:
    """The factor that brings a picture to about the area of a square of this side.

    It is larger for pictures so narrow that they cannot be reduced across, so that they do not stay long.
    """
    factor = max(1, round(math.sqrt(height * width) / side))
    while -(-height // factor) * -(-width // factor) > _LARGEST * side * side:
        factor *= 2
    return factor


def reduce_lightness(photo: Photo, factor: int, threads: int = 1) -> Plane:
    """Mean CIE L over blocks of factor x factor pixels; those at the right and bottom edges may be smaller.

    Returns:
        (ceil(H / factor), ceil(W / factor)).
    """
    height, width = photo.codes.shape
    across = -(-min(width, _TILE) // factor) * factor
    down = max(1, _TILE // (factor * min(width, across))) * factor
    whole = height // factor * factor
    rows = [*spans(whole, down), *([(whole, height)] if whole < height else [])]
    tiles = [(y0, y1, x0, x1) for y0, y1 in rows for x0, x1 in spans(width, across)]
    out = np.empty((-(-height // factor), -(-width // factor)), np.float32)

    def work(rest: Iterator[tuple[int, int, int, int]]) -> None:
        lookup, buffers = Lookup(photo.lightness), Buffers()
        for y0, y1, x0, x1 in rest:
            values = lookup(photo.codes[y0:y1, x0:x1], buffers("values", (y1 - y0, x1 - x0)))
            tall = min(factor, y1 - y0)
            sums = values.reshape(-1, tall, x1 - x0).sum(axis=1)
            sums = np.add.reduceat(sums, np.arange(0, x1 - x0, factor), axis=1)
            sums /= np.float32(factor * tall)
            if (x1 - x0) % factor:
                sums[:, -1] *= np.float32(factor / ((x1 - x0) % factor))
            out[y0 // factor :, x0 // factor :][: len(sums), : sums.shape[1]] = sums

    share(tiles, work, threads)
    return out
