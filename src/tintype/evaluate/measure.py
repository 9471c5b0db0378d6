"""One picture held against the true one, as a handful of numbers from which every figure of colour error follows."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.colour_error import (
    auc,
    count_errors,
    empty_counts,
    neutral_chroma,
    picture_ab,
    picture_bins,
    strips,
)
from tintype.evaluate.colourfulness import colourfulness, opponent_sums
from tintype.evaluate.fidelity import psnr, squared_error, ssim


class Measured(NamedTuple):
    """What is kept of one picture of one method."""

    pixels: int
    errors: NDArray[np.float64]  # (152,) pixels by ab error, see `count_errors`
    rebalanced: NDArray[np.float64]  # the same, weighted by 1 / prior of the true colour
    squared: float  # sum of squared Euclidean ab errors
    neutral: NDArray[np.float64]  # chroma over truly neutral pixels, and their number, see `neutral_chroma`
    auc_rebalanced: float  # of this picture alone, percent
    psnr: float  # dB; infinite for a perfect picture
    ssim: float
    colourfulness: float


class TrueColours(NamedTuple):
    """The true colours of some rows, and what each pixel weighs in the rebalanced figures."""

    rows: slice
    ab: NDArray[np.float32]
    weights: NDArray[np.float64]


def true_colours(true: NDArray[np.uint8], weights: NDArray[np.float64]) -> Iterable[TrueColours]:
    """The true colours (h, w, 3) strip by strip, with the weight, of (313,), of each pixel's bin."""
    for rows in strips(*true.shape[:2]):
        ab = picture_ab(true[rows])
        yield TrueColours(rows, ab, weights[picture_bins(ab)])


def measure(true: NDArray[np.uint8], picture: NDArray[np.uint8], colours: Iterable[TrueColours]) -> Measured:
    """Measure one picture against the true one.

    Args:
        true: (h, w, 3) 8-bit sRGB, both sides at least 7.
        picture: the same of the method.
        colours: `true_colours` of `true`.

    Raises:
        ValueError: the shapes differ.
    """
    if picture.shape != true.shape or picture.dtype != np.uint8:
        raise ValueError(f"expected a {true.shape} uint8 picture, got {picture.shape} {picture.dtype}")
    same = np.array_equal(true, picture)
    errors, rebalanced, squared, neutral = empty_counts(), empty_counts(), 0.0, np.zeros(2)
    for rows, true_ab, weights in colours:
        ab = true_ab if same else picture_ab(picture[rows])
        plain, weighted, strip_squared = count_errors(true_ab, ab, weights)
        errors += plain
        rebalanced += weighted
        squared += strip_squared
        neutral += neutral_chroma(true_ab, ab)
    return Measured(
        pixels=true.shape[0] * true.shape[1],
        errors=errors,
        rebalanced=rebalanced,
        squared=squared,
        neutral=neutral,
        auc_rebalanced=auc(rebalanced),
        psnr=psnr(0.0 if same else squared_error(true, picture)),
        ssim=1.0 if same else ssim(true, picture),
        colourfulness=colourfulness(opponent_sums(picture)),
    )
