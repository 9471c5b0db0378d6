"""A part of a photograph as the network sees it: at what size, and where its cells lie."""

import math
from dataclasses import dataclass

from tintype.runtime.border import Box
from tintype.runtime.buffers import Plane
from tintype.runtime.model import Model

_LARGEST = 4  # times the usual area, after padding: bounds memory for pictures like 1 x 10,000 pixels


@dataclass(frozen=True)
class Region:
    """A part of a photograph, and how the network sees it.

    Attributes:
        box: top, bottom, left, right, in pixels of the guide.
        shown: CIE L, (h, w), of what the network is shown, in the same pixels.
        extent: height and width in the same pixels, the last of which the picture may fill only partly.
        seen: height and width at which the network sees it.
        cells: of the network's answer, down and across.
        origin: where the centre of cell (0, 0) lies, (y, x), in pixels of the guide from the top left of the box.
        stride: from one cell to the next, (y, x), in the same pixels.
    """

    box: Box
    shown: Plane
    extent: tuple[float, float]
    seen: tuple[int, int]
    cells: tuple[int, int]
    origin: tuple[float, float]
    stride: tuple[float, float]

    def cell(self, y: float, x: float) -> tuple[int, int] | None:
        """Row and column of the cell nearest to a place, in pixels of the guide; None where that is outside."""
        places = y - self.box[0], x - self.box[2]
        if not all(0 <= place <= length for place, length in zip(places, self.extent, strict=True)):
            return None
        row, column = (
            min(max(round((place - origin) / stride), 0), count - 1)
            for place, origin, stride, count in zip(places, self.origin, self.stride, self.cells, strict=True)
        )
        return row, column


def region_of(model: Model, shown: Plane, box: Box, extent: tuple[float, float], seen: tuple[int, int]) -> Region:
    """The region that a model sees at a size. Arguments as of `Region`."""
    down, across = (length / side for length, side in zip(extent, seen, strict=True))
    rows, columns = (-(-side // model.stride) for side in seen)
    origin = model.ab_origin * down, model.ab_origin * across
    return Region(box, shown, extent, seen, (rows, columns), origin, (model.stride * down, model.stride * across))


def network_size(height: float, width: float, size: int, multiple: int) -> tuple[int, int]:
    """Height and width at which the network sees a picture: its shape, and the area of a square of side `size`.

    Long and narrow pictures get less, so that padding to `multiple` does not make them many times as large.
    """
    scale = size / math.sqrt(height * width)
    largest = max(_LARGEST * size * size, multiple * multiple)
    while True:
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        area = padded(h, multiple) * padded(w, multiple)
        if area <= largest:
            return h, w
        scale *= max(0.5, min(0.95, largest / area))


def padded(length: int, multiple: int) -> int:
    """The length, made a multiple."""
    return -(-length // multiple) * multiple
