"""How far colour leaks over the edges of things: figures of a colorized picture, from sums that add up."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EDGE = 8.0  # steepness of lightness, in L per pixel, from which on an edge counts as strong
BAND = 3  # pixels across and down, within which a pixel is near an edge
FLAT = 2.0  # steepness of colour, in ab units per pixel, under which a true colour does not change

Plane = NDArray[np.float32]


class Leakage(NamedTuple):
    """What leaks, NaN where there is nothing to divide by.

    Attributes:
        near: mean ab error (Euclidean, ab units) of the pixels at most `BAND` rows and columns from one where the true
            lightness has a steepness of `EDGE` or more.
        ratio: that, over the mean ab error of all other pixels.
        astray: mean steepness of the picture's ab, in ab units per pixel, over those of these pixels where that of the
            true ab is under `FLAT`: what leaks over an edge of lightness changes beside it, where nothing should.
    """

    near: float
    ratio: float
    astray: float


def steepness(planes: Plane) -> Plane:
    """Length of the gradient of (n, h, w), by central differences, over all planes: (h, w), in units per pixel."""
    squares = (np.square(np.gradient(planes, axis=axis)) for axis in (1, 2) if planes.shape[axis] > 1)
    return np.sqrt(sum(square.sum(axis=0) for square in squares) + np.zeros(planes.shape[1:], np.float32))


def near(marked: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Pixels with a marked one at most `distance` rows and columns away: (h, w)."""
    for axis, length in enumerate(marked.shape):
        places = [np.clip(np.arange(length) + step, 0, length - 1) for step in range(-distance, distance + 1)]
        marked = np.logical_or.reduce([marked.take(place, axis=axis) for place in places])
    return marked


def leakage_sums(lightness: Plane, true_ab: Plane, ab: Plane) -> NDArray[np.float64]:
    """What `leakage` needs to know of a picture, to be added up over pictures.

    Args:
        lightness: CIE L, (h, w).
        true_ab: CIE ab, (2, h, w).
        ab: the picture's, likewise.

    Returns:
        (6,): ab error and number of the pixels near a strong edge; of the others; steepness of the picture's ab and
        number of the pixels near a strong edge where the true ab is flat.
    """
    error = np.hypot(*(ab - true_ab))
    band = near(steepness(lightness[None]) >= EDGE, BAND)
    flat = band & (steepness(true_ab) < FLAT)
    sums = error[band].sum(), band.sum(), error[~band].sum(), (~band).sum(), steepness(ab)[flat].sum(), flat.sum()
    return np.array(sums, np.float64)


def leakage(sums: NDArray[np.float64]) -> Leakage:
    """The figures, from the sums over as many pictures as wanted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        band, elsewhere, astray = sums[::2] / sums[1::2]
        return Leakage(float(band), float(band / elsewhere), float(astray))
