"""Colour error: AuC and class-rebalanced AuC (Zhang16, section 3.1; PAPERS A8).

Each figure is two pure functions: one counts a picture (or a strip of one) into a small array, and counts add up over
strips and pictures; the other turns the sum into the figure.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tintype.color import nearest_bin
from tintype.color.gamut import BINS
from tintype.color.lab import RGB_TO_XYZ, WHITE, cie_f, srgb_to_linear

THRESHOLDS = 150  # of Euclidean ab error, after Deshpande et al. 2015
STRIP = 1 << 15  # pixels in work at once: a large photograph's Lab never exists as a whole, and caches hold a strip

_LINEAR = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))  # of every 8-bit value
_TO_XYZ = (np.array(RGB_TO_XYZ) / np.array(WHITE)[:, None]).astype(np.float32)


def empty_counts() -> NDArray[np.float64]:
    """What `count_errors` gives for no pixels at all."""
    return np.zeros(THRESHOLDS + 2)


def strips(height: int, width: int, least: int = 1) -> Iterator[slice]:
    """Cut a picture into strips of whole rows, `least` or more but for the last, to work in bounded memory."""
    rows = max(least, STRIP // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def picture_ab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE ab of an 8-bit sRGB picture: (h, w, 3) to (2, h, w)."""
    linear = _LINEAR[rgb].reshape(-1, 3).T
    fx, fy, fz = cie_f(_TO_XYZ @ linear)
    ab: NDArray[np.float32] = np.stack([500 * (fx - fy), 200 * (fy - fz)])
    return ab.reshape(2, *rgb.shape[:2])


def picture_bins(ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin nearest to each colour: (2, h, w) CIE ab to (h, w)."""
    bins: NDArray[np.int64] = nearest_bin(ab.reshape(2, -1).T).reshape(ab.shape[1:])
    return bins


def count_bins(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels of an 8-bit sRGB picture (h, w, 3) have each of the 313 bins as their nearest: (313,)."""
    counts = np.zeros(BINS, dtype=np.int64)
    for rows in strips(*rgb.shape[:2]):
        counts += np.bincount(picture_bins(picture_ab(rgb[rows])).ravel(), minlength=BINS)
    return counts


def count_errors(
    true_ab: NDArray[np.float32], ab: NDArray[np.float32], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Count pixels by the smallest whole threshold that their Euclidean ab error is within.

    Args:
        true_ab: (2, h, w), CIE ab.
        ab: the predicted colours, likewise.
        weights: (h, w) weight of each pixel; for the rebalanced figure, 1 / prior of its true colour's bin.

    Returns:
        (152,) float64: element t sums the pixels with error in (t - 1, t], the last all errors above 150.
    """
    error = np.hypot(ab[0] - true_ab[0], ab[1] - true_ab[1]).ravel()
    within = np.minimum(np.ceil(error), THRESHOLDS + 1).astype(np.intp)
    flat = None if weights is None else weights.ravel()
    return np.bincount(within, flat, minlength=THRESHOLDS + 2).astype(np.float64)


def auc(counts: NDArray[np.float64]) -> float:
    """Area under the curve of the share of pixels within a threshold of 0, 1, ..., 150, by the trapezoid rule.

    Args:
        counts: (152,), from `count_errors`, summed over as many pictures as wanted.

    Returns:
        Percent of the area that a perfect picture has; NaN where nothing was counted.
    """
    total = counts.sum()
    if not total > 0:
        return float("nan")
    share = np.cumsum(counts[: THRESHOLDS + 1]) / total
    return float(100 * (share.sum() - (share[0] + share[-1]) / 2) / THRESHOLDS)
