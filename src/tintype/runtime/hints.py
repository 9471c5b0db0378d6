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
        y, x: where, as shares of the picture's height and width, in [0, 1].
        a, b: CIE units.
    """

    y: float
    x: float
    a: float
    b: float


def with_hints(ab: Plane, affinity: Affinity, hints: Sequence[Hint]) -> Plane:
    """The colours of all cells, knowing some.

    Args:
        ab: of all cells without hints, (2, h, w), CIE units.
        affinity: of the cells.
        hints: any number, in any order.

    Returns:
        (2, h, w). At a hint's own cell it is the hint, but for `NOISE`.
    """
    if not hints:
        return ab
    height, width = affinity.spread.shape
    rows = np.clip([int(hint.y * height) for hint in hints], 0, height - 1)
    columns = np.clip([int(hint.x * width) for hint in hints], 0, width - 1)
    known = affinity.points[rows, columns]
    spread = affinity.spread[rows, columns]
    missing = np.array([[hint.a, hint.b] for hint in hints], np.float32) - ab[:, rows, columns].T
    covariance = spread[:, None] * spread * affinity.kernel(known, known)
    weights = np.linalg.solve(covariance + NOISE**2 * np.eye(len(hints), dtype=np.float32), missing)
    reached = affinity.kernel(affinity.flat(), known) * spread * affinity.spread.reshape(-1, 1)
    return np.asarray(ab + (reached @ weights).T.reshape(ab.shape), dtype=np.float32)
