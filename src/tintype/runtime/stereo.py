"""Stereo cards: two views of one thing, side by side."""

import numpy as np
from PIL import Image

from tintype.runtime.border import Box, strip_width
from tintype.runtime.buffers import Plane

ALIKE = 0.5  # correlation of details of the halves of one thing; other photographs of this shape reach 0.4
DISTINCT = 0.2  # by which it must top that of moves farther aside: rows of windows are alike at many
FAINTEST = 1.0  # L: standard deviation of these details
WIDEST, NARROWEST = 2.6, 1.25  # width of both halves over their height
_SIDE = 96  # pixels: height at which halves are compared
_NEAR = 0.1  # of the width: moves that are not farther aside
_ASIDE, _UP = 0.2, 0.06  # of a half's sides: how far one view may be moved against the other


def find_halves(lightness: Plane, box: Box) -> tuple[Box, Box, tuple[int, int]] | None:
    """The two views of a stereo card; None where the picture is no such card.

    Args:
        lightness: CIE L of the scan.
        box: the picture in it, without the border.

    Returns:
        Two boxes of the same size, and the move (down, right) that brings what the second shows upon the first.
    """
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    if not NARROWEST * height <= width <= WIDEST * height or height < 48:
        return None
    half = width // 2
    boxes = (top, bottom, left, left + half), (top, bottom, right - half, right)
    scale = _SIDE / height
    across = max(24, round(half * scale))
    first, second = (_details(lightness[top:bottom, start:stop], across) for _, _, start, stop in boxes)
    if min(first.std(), second.std()) < FAINTEST:
        return None
    likeness, distinct, (down, aside) = _likeness(first, second)
    if likeness < ALIKE or distinct < DISTINCT:
        return None
    # What of the mount shows between the views belongs to neither.
    inner = (lightness[top:bottom, start:stop].T for _, _, start, stop in boxes)
    gap = max(strip_width(side[:: (-1, 1)[number]]) for number, side in enumerate(inner))
    gap = gap if gap < half // 4 else 0
    views = (top, bottom, left, left + half - gap), (top, bottom, right - half + gap, right)
    return *views, (round(down / scale), round(aside * half / across) + gap)


def shared(first: Plane, second: Plane, move: tuple[int, int]) -> tuple[Plane, Plane]:
    """Two planes, (..., h, w) each, with their mean where both views show the same.

    Args:
        first, second: of the views' cells; one may have a row or a column more.
        move: (down, right), in cells, that brings the second upon the first.
    """
    mean = np.asarray((first + _moved(second, first, move)) / 2, dtype=np.float32)
    return mean, _moved(mean, second, (-move[0], -move[1]))


def _moved(plane: Plane, other: Plane, move: tuple[int, int]) -> Plane:
    """A plane, moved down and right over another, which shows where it does not reach."""
    out = other.copy()
    rows, columns = map(_overlap, plane.shape[-2:], other.shape[-2:], move)
    out[..., rows[0], columns[0]] = plane[..., rows[1], columns[1]]
    return out


def _overlap(length: int, other: int, way: int) -> tuple[slice, slice]:
    """Where one axis, moved by a way, lies on another: there, and in itself."""
    start = max(0, way)
    stop = max(start, min(other, length + way))
    return slice(start, stop), slice(start - way, stop - way)


def _details(part: Plane, across: int) -> Plane:
    """A half, small, without its large shades, which are alike in the halves of any landscape."""
    small = Image.fromarray(np.ascontiguousarray(part)).resize((across, _SIDE), Image.Resampling.BOX)
    shades = small.resize((max(1, across // 10), _SIDE // 10), Image.Resampling.BOX).resize(
        small.size, Image.Resampling.BICUBIC
    )
    details = np.asarray(small) - np.asarray(shades)
    return np.asarray(details.clip(-12, 12), dtype=np.float32)


def _likeness(first: Plane, second: Plane) -> tuple[float, float, tuple[int, int]]:
    """The largest correlation of two planes, over moves of the second; by how much it tops moves far aside of it; and
    that move, (down, right).
    """
    height, width = first.shape
    shape = 2 * height, 2 * width
    a, b = (np.fft.rfft2(plane, shape) for plane in (first, second))
    products = np.fft.irfft2(a * b.conj(), shape)
    ones, squares = (
        np.fft.rfft2(np.ones_like(first), shape),
        [np.fft.rfft2(plane**2, shape) for plane in (first, second)],
    )
    energy = np.fft.irfft2(squares[0] * ones.conj(), shape) * np.fft.irfft2(ones * squares[1].conj(), shape)
    up, aside = round(_UP * height), round(_ASIDE * width)
    downs, rights = np.arange(-up, up + 1), np.arange(-aside, aside + 1)
    moved = products[np.ix_(downs, rights)] / np.sqrt(np.maximum(energy[np.ix_(downs, rights)], 1e-6))
    row, column = np.unravel_index(moved.argmax(), moved.shape)
    elsewhere = moved[:, np.abs(rights - rights[column]) > _NEAR * width]
    distinct = float(moved[row, column]) - float(elsewhere.max(initial=0))
    return float(moved[row, column]), distinct, (int(downs[row]), int(rights[column]))
