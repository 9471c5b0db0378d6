"""Colour error: AuC and class-rebalanced AuC (Zhang16, section 3.1; PAPERS A8).

Each figure is two pure functions: one counts a picture (or a strip of one) into a small array, and counts add up over
strips and pictures; the other turns the sum into the figure.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.color import nearest_bin
from tintype.color.gamut import BINS
from tintype.color.lab import RGB_TO_XYZ, WHITE, srgb_to_linear

THRESHOLDS = 150  # of Euclidean ab error, after Deshpande et al. 2015
NEUTRAL = 4.0  # chroma in ab units under which a colour passes for white, grey or black
STRIP = 1 << 15  # pixels in work at once: a large photograph's Lab never exists as a whole, and caches hold a strip

_LINEAR = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))  # of every 8-bit value
_TO_XYZ = (np.array(RGB_TO_XYZ) / np.array(WHITE)[:, None]).astype(np.float32)


def empty_counts() -> NDArray[np.float64]:
    """What `count_errors` gives for no pixels at all."""
    return np.zeros(THRESHOLDS + 2)


def strips(height: int, width: int, least: int = 1, pixels: int | None = None) -> Iterator[slice]:
    """Cut a picture into strips of whole rows, `least` or more but for the last, to work in bounded memory.

    A strip has about `pixels`, and never more than `STRIP` but for the least rows.
    """
    rows = max(least, min(STRIP, pixels or STRIP) // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def picture_ab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE ab of an 8-bit sRGB picture: (h, w, 3) to (2, h, w)."""
    linear = _LINEAR[rgb].reshape(-1, 3).T
    xyz = _TO_XYZ @ linear
    # f of `rgb_to_lab`, with a cube root that is several times as fast as a power.
    f = np.where(xyz > np.float32(0.008856), np.cbrt(xyz), np.float32(7.787) * xyz + np.float32(16 / 116))
    ab: NDArray[np.float32] = np.stack([500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
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


class Errors(NamedTuple):
    """Pixels by the smallest whole threshold that their colour error is within, and the sum of squared errors.

    Element t of the (152,) float64 counts sums the pixels with an error in (t - 1, t], the last all errors above 150.
    """

    plain: NDArray[np.float64]
    weighted: NDArray[np.float64]
    squared: float


def count_errors(true_ab: NDArray[np.float32], ab: NDArray[np.float32], weights: NDArray[np.float64]) -> Errors:
    """Count pixels by their Euclidean ab error.

    Args:
        true_ab: (2, h, w), CIE ab.
        ab: the predicted colours, likewise.
        weights: (h, w) weight of each pixel in the second count; for the rebalanced figure, 1 / prior of its true
            colour's bin.
    """
    difference = ab - true_ab
    squared = (difference[0] ** 2 + difference[1] ** 2).ravel()
    within = np.minimum(np.ceil(np.sqrt(squared)), THRESHOLDS + 1).astype(np.intp)
    plain = np.bincount(within, minlength=THRESHOLDS + 2).astype(np.float64)
    weighted = np.bincount(within, weights.ravel(), minlength=THRESHOLDS + 2).astype(np.float64)
    return Errors(plain, weighted, float(squared.sum(dtype=np.float64)))


def rmse_ab(squared: float, pixels: float) -> float:
    """Root mean squared error of ab, over pixels and both channels, from sums over as many pictures as wanted."""
    return float(np.sqrt(squared / (2 * pixels)))


def curve(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the pixels whose error is within 0, 1, ..., 150: (152,) counts to (151,); NaN where none was counted."""
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = np.cumsum(counts[: THRESHOLDS + 1]) / counts.sum()
    return share


def neutral_chroma(true_ab: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far from grey the truly neutral pixels are: sums that add up over strips and pictures.

    Args:
        true_ab: (2, h, w), CIE ab; a pixel is neutral where its chroma is under `NEUTRAL`.
        ab: the predicted colours, likewise.

    Returns:
        The sum of the predicted chroma over the neutral pixels, and their number.
    """
    neutral = np.hypot(*true_ab) < NEUTRAL
    chroma = np.hypot(*ab[:, neutral])
    return np.array([chroma.sum(dtype=np.float64), neutral.sum()], dtype=np.float64)


def auc(counts: NDArray[np.float64]) -> float:
    """Area under the curve of the share of pixels within a threshold of 0, 1, ..., 150, by the trapezoid rule.

    Args:
        counts: (152,), from `count_errors`, summed over as many pictures as wanted.

    Returns:
        Percent of the area that a perfect picture has; NaN where nothing was counted.
    """
    share = curve(counts)
    return float(100 * (share.sum() - (share[0] + share[-1]) / 2) / THRESHOLDS)
