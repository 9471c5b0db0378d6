"""Fréchet distance between features of true and of colorized pictures (Heusel et al. 2017, the formula of FID).

Two Gaussians with means μ and covariances C are |μ₁ - μ₂|² + tr C₁ + tr C₂ - 2 tr (C₁ C₂)^½ apart. With
C = RᵀR / (n - 1), where R is the centred features or a smaller matrix with the same RᵀR, the last trace is the sum of the
singular values of R₁ R₂ᵀ over n - 1: no square root of a matrix, and quick for few photographs of many features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.summary import GROUPS

_ROWS = 1024  # read from disk at once
_RIDGE = 1e-13  # of the trace, added to the diagonal: features that never vary make RᵀR singular


class Distance(NamedTuple):
    """A distance with the bounds of its 95 % interval (NaN where there are too few photographs for one)."""

    value: float
    low: float
    high: float


class _Part(NamedTuple):
    """Some rows: how many, their mean (D,), and R, of at most D rows, of what is left when it is subtracted."""

    rows: int
    mean: NDArray[np.float64]
    r: NDArray[np.float64]


def frechet(true: NDArray[np.float32], others: NDArray[np.float32], groups: int = GROUPS) -> Distance:
    """Fréchet distance, with an interval by the jackknife over groups of photographs.

    Resampling with repetition would not do: a sample that repeats photographs has a greater distance than one that does
    not. Features are read in blocks, so memory does not grow with their number.

    Args:
        true: (n, D) features of the true pictures, an array or a memory-mapped file.
        others: (n, D) features of a method's, row by row of the same photographs.
        groups: row i belongs to group i mod `groups`.
    """
    count = len(true)
    if count < 2:
        return Distance(float("nan"), float("nan"), float("nan"))
    parts = [[_part(rows[start::groups]) for start in range(min(groups, count))] for rows in (true, others)]
    value = _distance(_joined(parts[0]), _joined(parts[1]))
    if count < 2 * groups:
        return Distance(value, float("nan"), float("nan"))
    without = np.array(
        [_distance(*(_joined([*side[:group], *side[group + 1 :]]) for side in parts)) for group in range(groups)]
    )
    error = float(np.sqrt((groups - 1) / groups * ((without - without.mean()) ** 2).sum()))
    return Distance(value, max(0.0, value - 1.96 * error), value + 1.96 * error)


def _part(rows: NDArray[np.float32]) -> _Part:
    part = _Part(0, np.zeros(rows.shape[1]), np.zeros((0, rows.shape[1])))
    for start in range(0, len(rows), _ROWS):
        block = np.asarray(rows[start : start + _ROWS], dtype=np.float64)
        mean = block.mean(axis=0)
        part = _joined([part, _Part(len(block), mean, block - mean)])
    return part


def _joined(parts: list[_Part]) -> _Part:
    """All their rows together: to the scatter within parts comes that of the parts' means."""
    count = sum(part.rows for part in parts)
    mean = sum((part.rows / count * part.mean for part in parts), np.zeros_like(parts[0].mean))
    between = [np.sqrt(part.rows) * (part.mean - mean)[None] for part in parts if part.rows]
    stacked = np.concatenate([*(part.r for part in parts), *between])
    if len(stacked) > stacked.shape[1]:
        scatter = stacked.T @ stacked
        scatter.flat[:: len(scatter) + 1] += _RIDGE * np.trace(scatter) + np.finfo(float).tiny
        stacked = np.linalg.cholesky(scatter).T
    return _Part(count, mean, stacked)


def _distance(one: _Part, other: _Part) -> float:
    (n, mean, r), (m, other_mean, other_r) = one, other
    product = r @ other_r.T
    squares = np.linalg.eigvalsh(product @ product.T if len(r) <= len(other_r) else product.T @ product)
    shared = np.sqrt(np.maximum(squares, 0)).sum() / np.sqrt((n - 1) * (m - 1))
    spread = (r**2).sum() / (n - 1) + (other_r**2).sum() / (m - 1)
    return float(max(0.0, ((mean - other_mean) ** 2).sum() + spread - 2 * shared))
