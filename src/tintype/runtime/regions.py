"""What the network is shown of a photograph, part by part, and where in the photograph its answers belong.

A scan's border is left out, and keeps its grey. The two views of a stereo card are shown one by one, and share their
colours. What is shown of each part is restored; the photograph's own lightness is what colours are laid on.
"""

from dataclasses import dataclass

import numpy as np

from tintype.runtime.border import Box, find_picture
from tintype.runtime.buffers import Plane
from tintype.runtime.model import Model
from tintype.runtime.predict import Prediction, cells_of, network_size, predict
from tintype.runtime.restore import restore
from tintype.runtime.stereo import find_halves
from tintype.runtime.upsample import upsample


@dataclass(frozen=True)
class Region:
    """A part of a photograph with what the network says of it.

    Attributes:
        box: top, bottom, left, right, in pixels of the guide.
        extent: height and width in the same pixels, the last of which the picture may fill only partly.
        seen: height and width at which the network saw it.
        prediction: its answer.
    """

    box: Box
    extent: tuple[float, float]
    seen: tuple[int, int]
    prediction: Prediction


def predict_regions(
    model: Model, guide: Plane, extent: tuple[float, float], size: int, temperature: float | None, as_is: bool
) -> list[Region]:
    """Runs the network on each part.

    Args:
        model: the network.
        guide: CIE L, (h, w), of the photograph.
        extent: its height and width in pixels of the guide.
        size: side in pixels of the square as large as what the network sees.
        temperature: of the annealed mean; None for the model's own.
        as_is: whether the photograph is one part, and shown as it is.
    """
    whole = (0, guide.shape[0], 0, guide.shape[1])
    if as_is:
        return [_predict(model, guide, whole, extent, size, temperature)]
    box = find_picture(guide)
    halves = find_halves(guide, box)
    boxes = halves[:2] if halves else (box,)
    regions = [
        _predict(model, restore(guide[top:bottom, left:right]), (top, bottom, left, right), extent, size, temperature)
        for top, bottom, left, right in boxes
    ]
    return _shared(regions[0], regions[1], halves[2], model.stride) if halves else regions


def _predict(
    model: Model, shown: Plane, box: Box, whole: tuple[float, float], size: int, temperature: float | None
) -> Region:
    top, bottom, left, right = box
    extent = min(bottom, whole[0]) - top, min(right, whole[1]) - left
    seen = network_size(*extent, size, model.multiple)
    return Region(box, extent, seen, predict(model, shown, extent, seen, temperature))


def _shared(first: Region, second: Region, move: tuple[int, int], stride: int) -> list[Region]:
    """Two views with the mean of their colours. `move` brings the second upon the first, in pixels of the guide."""
    cells = [
        round(way * seen / extent / stride) for way, seen, extent in zip(move, first.seen, first.extent, strict=True)
    ]
    a, b = first.prediction, second.prediction
    ab, entropy = _mean(a.ab, b.ab, cells), _mean(a.entropy, b.entropy, cells)
    back = [-way for way in cells]
    first_shared = Prediction(ab, entropy)
    second_shared = Prediction(_moved(ab, b.ab, back), _moved(entropy, b.entropy, back))
    return [
        Region(first.box, first.extent, first.seen, first_shared),
        Region(second.box, second.extent, second.seen, second_shared),
    ]


def _mean(a: Plane, b: Plane, move: list[int]) -> Plane:
    return np.asarray((a + _moved(b, a, move)) / 2, dtype=np.float32)


def _moved(plane: Plane, other: Plane, move: list[int]) -> Plane:
    """A plane, moved down and right over another, which shows where it does not reach."""
    out = other.copy()
    height, width = plane.shape[-2:]
    down, right = move
    rows, columns = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    from_rows = slice(max(0, -down), height - max(0, down))
    from_columns = slice(max(0, -right), width - max(0, right))
    out[..., rows, columns] = plane[..., from_rows, from_columns]
    return out


def colours(regions: list[Region], model: Model, guide: Plane, threads: int) -> tuple[Plane, Plane]:
    """Coefficients of ab = A L + B at every pixel of the guide, (2, h, w) each; 0 outside of the regions."""
    if _covers(regions[0].box, guide):
        return _coefficients(regions[0], model, guide, threads)
    slope, offset = (np.zeros((2, *guide.shape), np.float32) for _ in range(2))
    for region in regions:
        top, bottom, left, right = region.box
        part = np.ascontiguousarray(guide[top:bottom, left:right])
        a, b = _coefficients(region, model, part, threads)
        slope[:, top:bottom, left:right], offset[:, top:bottom, left:right] = a, b
    return slope, offset


def _coefficients(region: Region, model: Model, guide: Plane, threads: int) -> tuple[Plane, Plane]:
    cells = cells_of(model, region.extent, region.seen)
    return upsample(region.prediction.ab, guide, region.extent, *cells, threads)


def whole_prediction(regions: list[Region], model: Model, guide: Plane) -> Prediction:
    """One prediction for all of the photograph, with cells as those of the first part; grey and certain elsewhere."""
    first = regions[0]
    if _covers(first.box, guide):
        return first.prediction
    cell = [model.stride * extent / seen for extent, seen in zip(first.extent, first.seen, strict=True)]
    shape = [max(1, round(length / side)) for length, side in zip(guide.shape, cell, strict=True)]
    ab, entropy = np.zeros((2, *shape), np.float32), np.zeros(shape, np.float32)
    for region in regions:
        rows = _cells(region.box[0], region.extent[0], cell[0], shape[0])
        columns = _cells(region.box[2], region.extent[1], cell[1], shape[1])
        there = [
            np.minimum((np.arange(len(at)) * have / len(at)).astype(int), have - 1)
            for at, have in zip((rows, columns), region.prediction.entropy.shape, strict=True)
        ]
        ab[:, rows[:, None], columns] = region.prediction.ab[:, there[0][:, None], there[1]]
        entropy[rows[:, None], columns] = region.prediction.entropy[there[0][:, None], there[1]]
    return Prediction(ab, entropy)


def _cells(start: int, length: float, cell: float, count: int) -> np.ndarray:
    """The numbers of the cells that a part covers along one axis."""
    return np.arange(min(round(start / cell), count - 1), min(max(round((start + length) / cell), 1), count))


def _covers(box: Box, guide: Plane) -> bool:
    return box == (0, guide.shape[0], 0, guide.shape[1])
