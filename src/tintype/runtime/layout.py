"""What the network is shown of a photograph, part by part, and where in the photograph its answers belong.

A scan's border is left out, and keeps its grey. The two views of a stereo card are shown one by one, and share their
colours. What is shown of each part is restored; the photograph's own lightness is what colours are laid on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tintype.runtime.border import Box, find_picture
from tintype.runtime.buffers import Plane
from tintype.runtime.model import Model
from tintype.runtime.reduce import Guide
from tintype.runtime.region import Region, network_size, region_of
from tintype.runtime.restore import restore
from tintype.runtime.stereo import find_halves, shared
from tintype.runtime.upsample import Upsampler


@dataclass(frozen=True)
class Layout:
    """The parts of a photograph that are coloured.

    Attributes:
        guide: of the photograph.
        regions: one, or the two views of a stereo card.
        move: (down, right), in cells, that brings the second view upon the first.
    """

    guide: Guide
    regions: tuple[Region, ...]
    move: tuple[int, int] = (0, 0)

    def shared(self, planes: Sequence[Plane]) -> list[Plane]:
        """Planes of the regions' cells, (..., h, w) each, with the mean of those of two views in both."""
        return list(planes) if len(planes) == 1 else [*shared(planes[0], planes[1], self.move)]

    def places(self) -> list[Plane]:
        """Row and column of the regions' cells, (2, h, w) each; what two views share has the same place in both."""
        corners = ((0, 0), self.move)
        return [
            np.indices(region.cells, np.float32) + np.array(corner, np.float32)[:, None, None]
            for region, corner in zip(self.regions, corners, strict=False)
        ]

    def cell(self, y: float, x: float) -> tuple[int, int, int] | None:
        """Number of the region, row and column of a cell, by shares of the photograph's height and width, in [0, 1];
        None in a border."""
        height, width = self.guide.extent
        for number, region in enumerate(self.regions):
            if (found := region.cell(y * height, x * width)) is not None:
                return number, *found
        return None

    def upsampler(self, threads: int = 1) -> Callable[[Sequence[Plane]], tuple[Plane, Plane]]:
        """What brings colours of the regions' cells, (2, h, w) each, to the photograph's edges.

        It gives coefficients of ab = A L + B at every pixel of the guide, (2, H, W) each; 0 outside of the regions.
        """
        places = [_slices(region.box) for region in self.regions]
        each = [
            Upsampler(self.guide.lightness[place], region.cells, region.extent, region.origin, region.stride, threads)
            for place, region in zip(places, self.regions, strict=True)
        ]

        def coefficients(colours: Sequence[Plane]) -> tuple[Plane, Plane]:
            slope, offset = (np.zeros((2, *self.guide.lightness.shape), np.float32) for _ in range(2))
            for ab, (rows, columns), upsample in zip(colours, places, each, strict=True):
                slope[:, rows, columns], offset[:, rows, columns] = upsample(ab)
            return slope, offset

        return coefficients

    def whole(self, planes: Sequence[Plane], outside: Plane | float = 0) -> Plane:
        """One plane for all of the photograph, with cells as those of the first region.

        Args:
            planes: of the regions' cells, (..., h, w).
            outside: what stands outside of the regions, (..., 1, 1).
        """
        first, shape = self.regions[0], self.guide.lightness.shape
        if first.box == (0, shape[0], 0, shape[1]):
            return planes[0]
        counts = [max(1, round(length / side)) for length, side in zip(shape, first.stride, strict=True)]
        out = np.empty((*planes[0].shape[:-2], *counts), np.float32)
        out[...] = outside
        for plane, region in zip(planes, self.regions, strict=True):
            start = region.box[0], region.box[2]
            rows, columns = map(_covered, start, region.extent, first.stride, counts)
            from_rows, from_columns = (
                np.minimum((np.arange(len(at)) * have / len(at)).astype(int), have - 1)
                for at, have in zip((rows, columns), region.cells, strict=True)
            )
            out[..., rows[:, None], columns] = plane[..., from_rows[:, None], from_columns]
        return out


def lay_out(model: Model, guide: Guide, size: int, as_is: bool = False) -> Layout:
    """Finds the parts of a photograph.

    Args:
        model: the network that is to see them.
        guide: of the photograph.
        size: side in pixels of the square as large as what the network sees.
        as_is: whether the photograph is one part, and shown as it is.
    """

    def region(box: Box, shown: Plane) -> Region:
        top, bottom, left, right = box
        extent = min(bottom, guide.extent[0]) - top, min(right, guide.extent[1]) - left
        return region_of(model, shown, box, extent, network_size(*extent, size, model.multiple))

    height, width = guide.lightness.shape
    if as_is:
        return Layout(guide, (region((0, height, 0, width), guide.lightness),))
    box = find_picture(guide.lightness)
    halves = find_halves(guide.lightness, box)
    regions = [region(part, restore(guide.lightness[_slices(part)])) for part in (halves[:2] if halves else (box,))]
    if halves is None:
        return Layout(guide, tuple(regions))
    down, right = (
        round(way * seen / extent / model.stride)
        for way, seen, extent in zip(halves[2], regions[0].seen, regions[0].extent, strict=True)
    )
    return Layout(guide, tuple(regions), (down, right))


def _slices(box: Box) -> tuple[slice, slice]:
    top, bottom, left, right = box
    return slice(top, bottom), slice(left, right)


def _covered(start: int, length: float, cell: float, count: int) -> np.ndarray:
    """The numbers of the cells that a part covers along one axis."""
    return np.arange(min(round(start / cell), count - 1), min(max(round((start + length) / cell), 1), count))
