"""Full resolution: the photograph's own lightness joined with colour that follows its edges, tile by tile."""

from collections.abc import Iterator

import numpy as np

from tintype.runtime.buffers import Buffers, Plane, multiply
from tintype.runtime.paint import Painter, Pixels
from tintype.runtime.photo import Photo
from tintype.runtime.strips import share, spans

# Pixels per tile: a few dozen buffers of them stay in a second-level cache, and OpenBLAS does products of this size
# without threads of its own.
_TILE = 64_000
_WIDEST = 1 << 16  # pixels across which coefficients are interpolated at once


def merge(photo: Photo, slope: Plane, offset: Plane, factor: int, saturation: float, threads: int = 1) -> Pixels:
    """Colours a photograph.

    Args:
        photo: lightness, (H, W), and alpha.
        slope, offset: A and B of ab = A L + B, (2, h, w), for blocks of factor x factor pixels, as `reduce_lightness`
            makes them; between the centres of blocks they are interpolated bilinearly.
        factor: side of the blocks.
        saturation: what ab is multiplied with.
        threads: how many to use.

    Returns:
        (H, W) uint32: in memory, the bytes R, G, B and alpha.
    """
    height, width = photo.codes.shape
    out = np.empty((height, width), np.uint32)
    coefficients = Painter.coefficients(saturation * slope, saturation * offset)
    # A row and a column more on every side: pixels outside of the outermost centres take what stands there.
    coefficients = np.pad(coefficients, ((1, 1), (0, 0), (1, 1)), mode="edge")
    ways = _ways(factor)
    for left, right in spans(width, _WIDEST // factor * factor or factor):
        wide = _widen(coefficients[:, :, left // factor : -(-right // factor) + 2], ways, right - left)
        across = spans(right - left, max(1, _TILE // factor))
        down = spans(len(wide) - 1, max(1, _TILE // (factor * min(right - left, _TILE // factor or 1))))

        def work(rest: Iterator[tuple[tuple[int, int], tuple[int, int]]], wide: Plane = wide, left: int = left) -> None:
            paint, buffers = Painter(photo.lightness), Buffers()
            for (first, last), (x0, x1) in rest:
                start = first * factor - (factor + 1) // 2  # where the run from coefficient `first` begins
                top, bottom = max(0, start), min(height, start + (last - first) * factor)
                if top < bottom:
                    part = _interpolate(wide[first : last + 1, :, x0:x1], ways, buffers)[top - start : bottom - start]
                    tile = slice(top, bottom), slice(left + x0, left + x1)
                    paint(photo.codes[tile], part, None if photo.alpha is None else photo.alpha[tile], out[tile])

        share([(y, x) for y in down for x in across], work, threads)
    return out


def _ways(factor: int) -> Plane:
    """(factor, 2): weights of coefficients i and i + 1 for the pixels between them, from the first one at or after i.

    Coefficient i + 1 stands at the centre of block i, and pixel j after coefficient i is pixel
    i factor - (factor + 1) // 2 + j of the picture.
    """
    way = (np.arange(factor) + 0.5 - (factor + 1) // 2) / factor + 0.5
    return np.stack([1 - way, way], axis=1).astype(np.float32)


def _widen(coefficients: Plane, ways: Plane, width: int) -> Plane:
    """Interpolates along rows: (rows, 4, columns) coefficients to (rows, 4, width) pixels."""
    block, place = np.divmod(np.arange(width) + (len(ways) + 1) // 2, len(ways))
    wide: Plane = coefficients.take(block, axis=-1)
    wide *= ways[place, 0]
    following = coefficients.take(block + 1, axis=-1)
    following *= ways[place, 1]
    wide += following
    return wide


def _interpolate(wide: Plane, ways: Plane, buffers: Buffers) -> Plane:
    """Interpolates along columns: (rows + 1, 4, w) to (rows factor, 4, w)."""
    rows, count, width = len(wide) - 1, *wide.shape[1:]
    lines = buffers("lines", (rows + 1, count * width))
    np.copyto(lines.reshape(wide.shape), wide)
    out = buffers("out", (rows, len(ways), count * width))
    for row in range(rows):
        multiply(ways, lines[row : row + 2], out[row])
    return out.reshape(rows * len(ways), count, width)
