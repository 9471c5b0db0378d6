"""The 313 quantized colours: ab in a grid of step 10, kept where sRGB can reach (Zhang16, section 2.1; PAPERS A2)."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.color.arrays import array_namespace

STEP = 10
BINS = 313

# a: first and last b, both included. The authors' generator was never released, and no simple gamut rule gives these
# 313 exactly (nearest centres of all sRGB colours give 261), so the published set is written down.
_B_RANGES = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100),
    -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90),
    50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip


def bin_centres() -> NDArray[np.float32]:
    """The bin centres: (313, 2) float32, CIE ab, a ascending, then b ascending (the order of pts_in_hull.npy)."""
    return np.array(
        [(a, b) for a, (low, high) in _B_RANGES.items() for b in range(low, high + 1, STEP)],
        dtype=np.float32,
    )


@lru_cache(maxsize=1)
def _grid() -> NDArray[np.int64]:
    """Bin number at each grid point, -1 where there is none; rows a = -90..100, columns b = -110..100."""
    grid = np.full((20, 22), -1, dtype=np.int64)
    for number, (a, b) in enumerate(bin_centres().astype(int)):
        grid[(a + 90) // STEP, (b + 110) // STEP] = number
    return grid


def nearest_bin(ab: Any) -> Any:
    """The bin nearest to each colour.

    A colour whose nearest grid point is a bin belongs to it, by rounding; only the few colours outside the set of bins
    are compared with all 313.

    Args:
        ab: (N, 2) floats, CIE ab, numpy or torch.

    Returns:
        (N,) int64 bin numbers.
    """
    xp = array_namespace(ab)
    on = {"device": ab.device} if hasattr(ab, "device") else {}
    grid = xp.asarray(_grid(), **on)
    row = xp.astype(xp.round(ab[:, 0] / STEP), xp.int64) + 9
    column = xp.astype(xp.round(ab[:, 1] / STEP), xp.int64) + 11
    inside = (row >= 0) & (row < 20) & (column >= 0) & (column < 22)
    number = grid[xp.clip(row, 0, 19), xp.clip(column, 0, 21)]
    number = xp.where(inside, number, xp.asarray(-1, dtype=xp.int64, **on))
    outside = number < 0
    if xp.any(outside):
        stray = ab[outside]
        centres = xp.asarray(bin_centres(), dtype=ab.dtype, **on)
        distance = (stray[:, :1] - centres[:, 0]) ** 2 + (stray[:, 1:] - centres[:, 1]) ** 2
        number[outside] = xp.argmin(distance, axis=1)
    return number
