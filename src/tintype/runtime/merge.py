"""Full resolution: the photograph's own lightness joined with colour that follows its edges, tile by tile."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.buffers import Buffers, Plane, multiply
from tintype.runtime.paint import Painter, Pixels
from tintype.runtime.photo import Photo
from tintype.runtime.strips import share, spans
from tintype.runtime.wide import WidePainter

# Pixels per tile: fewer, and a thread often waits for the interpreter lock; more, and the buffers leave the caches.
_TILE = 225_000
_STRIP = 1 << 19  # pixels per strip, of which every thread paints one after the other


class Merge:
    """A photograph with colours, whose pixels are made as they are asked for.

    Args:
        photo: lightness, (H, W), and alpha.
        slope, offset: A and B of ab = A L + B, (2, h, w), for blocks of factor x factor pixels, as `reduce_lightness`
            makes them; between the centres of blocks they are interpolated bilinearly.
        factor: side of the blocks.
        saturation: what ab is multiplied with.
    """

    def __init__(self, photo: Photo, slope: Plane, offset: Plane, factor: int, saturation: float):
        self.shape: tuple[int, int] = photo.codes.shape
        self._photo, self._factor = photo, factor
        coefficients = Painter.coefficients(saturation * slope, saturation * offset)
        # A row and a column more on every side: pixels outside of the outermost centres take what stands there.
        self._coefficients = np.pad(coefficients, ((1, 1), (0, 0), (1, 1)), mode="edge")
        # Weights of coefficients i and i + 1 for the pixels between them, from the first one at or after i. Coefficient
        # i + 1 stands at the centre of block i, and pixel j after coefficient i is pixel i factor - half + j.
        self._half = (factor + 1) // 2
        way = (np.arange(factor) + 0.5 - self._half) / factor + 0.5
        self._ways = np.stack([1 - way, way], axis=1).astype(np.float32)

    def painter(self, wide: bool = False) -> Callable[[int, int, NDArray[Any]], None]:
        """What paints rows of the picture, for one thread.

        It takes the first row, the one after the last, and where to put them: (rows, W) uint32, in memory the bytes
        R, G, B and alpha; or, if `wide`, (rows, W, 4) uint16.
        """
        paint: Painter | WidePainter = (WidePainter if wide else Painter)(self._photo.lightness)
        buffers, factor = Buffers(), self._factor
        codes, alpha, width = self._photo.codes, self._photo.alpha, self.shape[1]

        def rows(y0: int, y1: int, out: NDArray[Any]) -> None:
            runs = (y0 + self._half) // factor, (y1 - 1 + self._half) // factor + 1
            for x0, x1 in spans(width, max(1, _TILE // factor)):
                for first, last in spans(runs[1] - runs[0], max(1, _TILE // (factor * (x1 - x0)))):
                    start, stop = ((runs[0] + run) * factor - self._half for run in (first, last))
                    top, bottom = max(y0, start), min(y1, stop)
                    part = self._interpolate(runs[0] + first, runs[0] + last, x0, x1, buffers)
                    tile = slice(top, bottom), slice(x0, x1)
                    part = part[top - start : bottom - start]
                    paint(codes[tile], part, None if alpha is None else alpha[tile], out[top - y0 : bottom - y0, x0:x1])

        return rows

    def pixels(self, threads: int = 1) -> Pixels:
        """The whole picture, (H, W)."""
        height, width = self.shape
        out = np.empty((height, width), np.uint32)

        def work(rest: Iterator[tuple[int, int]]) -> None:
            paint = self.painter()
            for y0, y1 in rest:
                paint(y0, y1, out[y0:y1])

        share(spans(height, max(1, _STRIP // width)), work, threads)
        return out

    def _interpolate(self, first: int, last: int, x0: int, x1: int, buffers: Buffers) -> Plane:
        """Coefficients of the pixels between rows `first` and `last` of them: ((last - first) factor, 4, x1 - x0)."""
        block, place = np.divmod(np.arange(x0 + self._half, x1 + self._half), self._factor)
        sources = self._coefficients[first : last + 1]
        lines, other = (buffers(name, (*sources.shape[:2], x1 - x0)) for name in ("lines", "other"))
        for column, weight, line in ((block, self._ways[place, 0], lines), (block + 1, self._ways[place, 1], other)):
            sources.take(column, axis=-1, out=line, mode="clip")
            line *= weight
        lines += other
        lines = lines.reshape(len(lines), -1)
        out = buffers("out", (last - first, self._factor, lines.shape[1]))
        for row in range(last - first):
            multiply(self._ways, lines[row : row + 2], out[row])
        shape: tuple[int, ...] = (-1, 4, x1 - x0)
        return out.reshape(shape)
