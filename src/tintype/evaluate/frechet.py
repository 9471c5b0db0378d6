"""Fréchet distance between two sets of features (Heusel et al. 2017, eq. 6), with an interval.

Each set is fitted by its mean and by a root R of its scatter, Σ (x - μ)(x - μ)ᵀ = RᵀR. R has at most as many rows as
features have dimensions, and comes from QR decompositions of blocks of rows, so neither memory nor precision suffers
from many rows. The trace of √(C₁C₂) is the sum of the singular values of R₁R₂ᵀ: no matrix root, whatever the rank.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_BLOCK = 1024  # rows at once, or as many as the features have dimensions


class Distance(NamedTuple):
    """A Fréchet distance, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class _Fit(NamedTuple):
    """A Gaussian: `rows` it was fitted to, their mean (D,), and a root (r, D) of their scatter, r ≤ D."""

    rows: int
    mean: _Floats
    root: _Floats


def frechet(true: NDArray[np.float32], others: NDArray[np.float32], groups: int = 10) -> Distance:
    """The Fréchet distance between Gaussians fitted to two sets of features, with a 95 % interval.

    The interval is from a jackknife that leaves out a group of photographs at a time, of both sets. A bootstrap would
    fit to repeated rows, which have less spread than as many new ones would have, and overstate the distance.

    Args:
        true: (n, D) features, typically a memory map; it is read in blocks of rows.
        others: likewise; row i of both belongs to photograph i.
        groups: photograph i is in group i mod `groups`.

    Returns:
        The distance, NaN for fewer than 2 rows; low and high, NaN for fewer than 2 rows a group.

    Raises:
        ValueError: the shapes differ, or some value is not finite.
    """
    if true.ndim != 2 or true.shape != others.shape:
        raise ValueError(f"expected features of the same photographs, got {true.shape} and {others.shape}")
    rows = len(true)
    if rows < 2:
        return Distance(np.nan, np.nan, np.nan)
    if rows < 2 * groups:
        return Distance(_distance(_fit(true), _fit(others)), np.nan, np.nan)
    parts = [[_fit(features[group::groups]) for group in range(groups)] for features in (true, others)]
    value = _distance(*map(_merge, parts))
    without = np.array([_distance(*(_merge([*fits[:g], *fits[g + 1 :]]) for fits in parts)) for g in range(groups)])
    half = 1.96 * np.sqrt((groups - 1) / groups * np.square(without - without.mean()).sum())
    return Distance(value, max(0.0, float(value - half)), float(value + half))


def _fit(features: NDArray[np.float32]) -> _Fit:
    block = max(_BLOCK, features.shape[1])
    blocks = (features[start : start + block] for start in range(0, len(features), block))
    return reduce(lambda fit, more: _merge([fit, more]), map(_fit_block, blocks))


def _fit_block(features: NDArray[np.float32]) -> _Fit:
    exact = features.astype(np.float64)
    if not np.isfinite(exact).all():
        raise ValueError("features hold values that are not finite numbers")
    mean = exact.mean(axis=0)
    return _Fit(len(exact), mean, _root(exact - mean))


def _merge(fits: Sequence[_Fit]) -> _Fit:
    """The fit to all rows that `fits` were fitted to: their scatters, and the scatter of their means, add up."""
    rows = sum(fit.rows for fit in fits)
    mean = sum((fit.rows * fit.mean for fit in fits), start=np.zeros_like(fits[0].mean)) / rows
    between = [np.sqrt(fit.rows) * (fit.mean - mean) for fit in fits]
    return _Fit(rows, mean, _root(np.vstack([*(fit.root for fit in fits), *between])))


def _root(rows: _Floats) -> _Floats:
    """A root with the same RᵀR as `rows`, with no more rows than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))  # asarray for the types alone: this mode returns R


def _distance(one: _Fit, other: _Fit) -> float:
    a, b = (fit.root / np.sqrt(fit.rows - 1) for fit in (one, other))
    shift = np.square(one.mean - other.mean).sum()
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(shift + np.square(a).sum() + np.square(b).sum() - 2 * overlap))
