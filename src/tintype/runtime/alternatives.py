"""Other colours that a picture may have had, which differ in whole objects.

The network gives each cell a distribution. An alternative prefers colours in one direction of ab, the same over all
cells that belong together (`affinity`): where the network is in doubt, colours move; where it is certain, they stay.
"""

from collections.abc import Callable

import numpy as np

from tintype.runtime.affinity import Affinity
from tintype.runtime.buffers import Plane

# Chosen on photographs held out from training (bench/alternatives.py --choose).
STRENGTH = 0.015  # standard deviation of what colours are preferred by, in 1 / ab, at the model's own temperature
WIDER = 2.0  # times the distances at which cells grow strangers: the network errs about whole scenes more than details
DRAWN = 32  # of which the alternatives are chosen
ANCHORS = 64  # cells for which preferences are drawn; all others follow from them


def preferences(
    colorize: Callable[[Plane], list[Plane]], affinity: Affinity, count: int = 5, seed: int = 0
) -> list[Plane]:
    """What makes some colorizations that are unlike each other.

    Args:
        colorize: gives a colorization, ab of the regions' cells, (2, h, w) each, from preferred directions of colour,
            (n, 2) for all cells of all regions.
        affinity: of the cells.
        count: how many.
        seed: of what is drawn.

    Returns:
        Preferred directions, (n, 2) each: of all that were drawn, those whose colorizations the others lie nearest to.
    """
    drawn = tilts(affinity, max(DRAWN, count), seed)
    flat = np.stack([np.concatenate([ab[:, ::2, ::2].ravel() for ab in colorize(tilt)]) for tilt in drawn])
    squares = np.square(flat).sum(1)
    apart = np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0)
    chosen: list[int] = []
    nearest = np.full(len(drawn), np.inf, np.float32)
    while len(chosen) < count:
        left = [i for i in range(len(drawn)) if i not in chosen]
        best = min(left, key=lambda i: float(np.minimum(nearest, apart[i]).sum()))
        chosen.append(best)
        nearest = np.minimum(nearest, apart[best])
    return [drawn[i] for i in chosen]


def tilts(affinity: Affinity, count: int, seed: int) -> Plane:
    """Preferred directions of colour, alike where cells are alike: (count, n, 2), in 1 / ab, standard deviation
    `STRENGTH`."""
    random = np.random.default_rng(seed)
    points = affinity.points / np.float32(WIDER)
    anchors = points[random.permutation(len(points))[:ANCHORS]]
    covariance = affinity.kernel(anchors, anchors).astype(np.float64) + 1e-3 * np.eye(len(anchors))
    values = np.linalg.cholesky(covariance) @ random.standard_normal((count, len(anchors), 2))
    spread = affinity.kernel(points, anchors) @ np.linalg.solve(covariance, values)
    deviation = np.sqrt(np.square(spread).mean())
    return np.asarray(STRENGTH * spread / deviation, dtype=np.float32)
