"""Colours that somebody knows: each spreads over the region that it belongs to, and leaves the rest alone.

What a hint says beyond the network's own mean is carried to other places by kriging (Gaussian process regression): the
best linear estimate there, given how much the colours of two places have to do with each other (`affinity`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tintype.runtime.affinity import Affinity
from tintype.runtime.buffers import Plane

NOISE = 1.0  # standard deviation of a hint, in ab units: two hints at one place need not agree


@dataclass(frozen=True)
class Hint:
    """A known colour.

    Attributes:
        y, x: where, as shares of the photograph's height and width, in [0, 1].
        a, b: CIE units.
    """

    y: float
    x: float
    a: float
    b: float


def with_hints(ab: Plane, affinity: Affinity, cells: Sequence[int], known: Plane) -> Plane:
    """The colours of all cells, knowing some.

    Args:
        ab: of all cells without hints, (n, 2), CIE units.
        affinity: of the cells.
        cells: numbers of those that are known, k of them in any order, a number as often as it is hinted at.
        known: their colours, (k, 2).

    Returns:
        (n, 2). At a hint's own cell it is the hint, but for `NOISE`.
    """
    at = np.asarray(cells)
    points, spread = affinity.points[at], affinity.spread[at]
    covariance = spread[:, None] * spread * affinity.kernel(points, points)
    weights = np.linalg.solve(covariance + NOISE**2 * np.eye(len(at), dtype=np.float32), known - ab[at])
    reached = affinity.kernel(affinity.points, points) * spread * affinity.spread[:, None]
    return np.asarray(ab + reached @ weights, dtype=np.float32)
