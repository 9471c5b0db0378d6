"""How much the colours of two places have to do with each other: a covariance over the network's cells.

Places belong together as far as they lie near each other, are as light as each other, and are thought to have the same
colour. How far the colour of a place may be from the network's mean is what the network itself thinks: its spread.
"""

from dataclasses import dataclass

import numpy as np

from tintype.runtime.buffers import Plane

LEAST = 2.0  # of the spread, in ab units: the network may be wrong where it is certain


@dataclass(frozen=True)
class Affinity:
    """Cells as points; those that lie near each other are alike.

    Attributes:
        points: (n, 5): place, lightness and colour, each in units of the distance at which cells grow strangers.
        spread: standard deviation of ab, (n,), CIE units.
    """

    points: Plane
    spread: Plane

    def kernel(self, one: Plane, other: Plane) -> Plane:
        """Correlation of two lists of points, (m, 5) and (k, 5): (m, k), e^(-d²/2)."""
        squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * one @ other.T
        kernel: Plane = np.exp(-0.5 * np.maximum(squares, 0))
        return kernel


def affinity(
    places: Plane, lightness: Plane, ab: Plane, spread: Plane, *, near: float, light: float, colour: float
) -> Affinity:
    """The affinity of a picture's cells.

    Args:
        places: of the cells, (n, 2), as shares of the picture's longer side.
        lightness: CIE L, (n,).
        ab: that the network expects there, (n, 2).
        spread: standard deviation of ab that it expects, (n,).
        near: distance at which cells grow strangers, in shares of the longer side.
        light: in L, likewise.
        colour: in ab, likewise.
    """
    points = np.concatenate([places / near, lightness[:, None] / light, ab / colour], axis=1)
    return Affinity(points.astype(np.float32), np.maximum(spread, LEAST).astype(np.float32))
