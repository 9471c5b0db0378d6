"""How far colour leaks over the edges of things: figures of a colorized picture, from sums that add up."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# An edge: two pixels of a row or a column, REACH from one to the other, whose lightness differs by CONTRAST or more.
REACH, CONTRAST = 4, 30.0
STEP = 10.0  # difference of their true ab from which on it is an edge of colour as well
EVEN = 4.0  # and under which it is none

Plane = NDArray[np.float32]


class Leakage(NamedTuple):
    """What leaks, NaN where there is nothing to divide by.

    Attributes:
        near: mean ab error (Euclidean, ab units) of the pixels on edges: from one of the two to the other.
        ratio: that, over the mean ab error of all other pixels.
        kept: share, in percent, of the true step of colour over edges of lightness that are edges of colour that the
            picture has: its steps projected on the true ones, summed, over the same of the true ones. What leaked over
            an edge is missing.
        false: mean step of the picture's ab over edges of lightness that are none of colour.
    """

    near: float
    ratio: float
    kept: float
    false: float


def leakage_sums(lightness: Plane, true_ab: Plane, ab: Plane) -> NDArray[np.float64]:
    """What `leakage` needs to know of a picture, to be added up over pictures.

    Args:
        lightness: CIE L, (h, w).
        true_ab: CIE ab, (2, h, w).
        ab: the picture's, likewise.

    Returns:
        (4, 2), numerators and denominators: ab error and number of the pixels on edges; of the others; squared steps
        of colour, found and true; steps over even edges, and their number.
    """
    band = np.zeros(lightness.shape, bool)
    sums = np.zeros((4, 2))
    for turned in (False, True):
        light, true, found, on = (
            plane.swapaxes(-1, -2) if turned else plane for plane in (lightness, true_ab, ab, band)
        )
        strong = np.abs(light[:, REACH:] - light[:, :-REACH]) >= CONTRAST
        for k in range(REACH + 1):
            on[:, k : k + strong.shape[1]] |= strong
        true, found = ((plane[..., REACH:] - plane[..., :-REACH])[:, strong] for plane in (true, found))
        size = np.hypot(*true)
        true_steps, steps = true[:, size >= STEP], found[:, size >= STEP]
        sums[2] += (steps * true_steps).sum(), (true_steps * true_steps).sum()
        even = found[:, size < EVEN]
        sums[3] += np.hypot(*even).sum(), even.shape[1]
    error = np.hypot(*(ab - true_ab))
    sums[:2] = (error[band].sum(), band.sum()), (error[~band].sum(), (~band).sum())
    return sums


def leakage(sums: NDArray[np.float64]) -> Leakage:
    """The figures, from the sums over as many pictures as wanted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        near, elsewhere, kept, false = sums[:, 0] / sums[:, 1]
        return Leakage(float(near), float(near / elsewhere), float(100 * kept), float(false))
