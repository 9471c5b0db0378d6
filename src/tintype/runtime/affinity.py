"""How much the colours of two places have to do with each other: a covariance over the network's cells.

Places belong together as far as they lie near each other, are as light as each other, and are thought to have the same
colour. How far the colour of a place may be from the network's mean is what the network itself thinks: its spread.
"""

from dataclasses import dataclass

import numpy as np

from tintype.runtime.buffers import Plane


@dataclass(frozen=True)
class Affinity:
    """Cells as points; those that lie near each other are alike.

    Attributes:
        points: (h, w, n): place, lightness and colour, each in units of the distance at which cells grow strangers.
        spread: standard deviation of ab, (h, w), CIE units.
    """

    points: Plane
    spread: Plane

    def kernel(self, one: Plane, other: Plane) -> Plane:
        """Correlation of two lists of points, (m, n) and (k, n): (m, k), e^(-d²/2)."""
        squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * one @ other.T
        kernel: Plane = np.exp(-0.5 * np.maximum(squares, 0))
        return kernel

    def flat(self) -> Plane:
        """All points, (h w, n)."""
        return self.points.reshape(-1, self.points.shape[2])


def affinity(
    lightness: Plane, ab: Plane, spread: Plane, *, near: float, light: float, colour: float, least: float = 2.0
) -> Affinity:
    """The affinity of a picture's cells.

    Args:
        lightness: CIE L of the cells, (h, w).
        ab: that the network expects there, (2, h, w).
        spread: standard deviation of ab that it expects, (h, w).
        near: distance at which cells grow strangers, as a share of the picture's longer side.
        light: in L, likewise.
        colour: in ab, likewise.
        least: of the spread, in ab units: the network may be wrong where it is certain.
    """
    height, width = lightness.shape
    rows, columns = np.mgrid[:height, :width] / (near * max(height, width))
    points = np.stack([rows, columns, lightness / light, *(ab / colour)], axis=2)
    return Affinity(points.astype(np.float32), np.maximum(spread, least).astype(np.float32))
