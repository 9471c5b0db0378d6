"""The suite: every figure of every method over colour photographs, in one stream.

What is kept of a picture is a fixed number of sums, so memory does not grow with the number of photographs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tintype.color import rebalancing_weights
from tintype.evaluate.colour_error import auc, count_errors, empty_counts, picture_ab, picture_bins, strips
from tintype.evaluate.colourfulness import colourfulness, opponent_sums
from tintype.evaluate.fidelity import psnr, squared_error, ssim
from tintype.evaluate.methods import Method
from tintype.evaluate.photograph import Photograph, read_photograph
from tintype.runtime.errors import PhotoError

_KEPT = 1 << 22  # pixels of a photograph whose true colours are kept for the next method, 16 bytes each

FIGURES = ("auc", "auc_rebalanced", "auc_rebalanced_per_image", "psnr", "ssim", "colourfulness")


class Sums(NamedTuple):
    """What is known of one method after some photographs. Sums of disjoint sets add up, field by field."""

    images: int
    errors: NDArray[np.float64]  # pixels by colour error, see `count_errors`
    rebalanced: NDArray[np.float64]  # the same, weighted by 1 / prior
    auc_rebalanced: float  # of each photograph alone, summed; so are the next three
    psnr: float
    ssim: float
    colourfulness: float


class TrueColours(NamedTuple):
    """The true colours of some rows, and what each pixel weighs in the rebalanced figures."""

    rows: slice
    ab: NDArray[np.float32]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """Figures by method, then by name (`FIGURES`; AuC in percent), and the photographs left out, with the reason."""

    images: int
    methods: dict[str, dict[str, float]]
    left_out: dict[Path, str]


def empty() -> Sums:
    """Nothing measured yet."""
    return Sums(0, empty_counts(), empty_counts(), 0.0, 0.0, 0.0, 0.0)


def add(one: Sums, other: Sums) -> Sums:
    """Sums of two disjoint sets of photographs, together."""
    pairs: Iterable[tuple[Any, Any]] = zip(one, other, strict=True)
    return Sums(*(a + b for a, b in pairs))


def true_colours(true: NDArray[np.uint8], weights: NDArray[np.float64]) -> Iterable[TrueColours]:
    """The true colours (h, w, 3) strip by strip, with the weight, of (313,), of each pixel's bin."""
    for rows in strips(*true.shape[:2]):
        ab = picture_ab(true[rows])
        yield TrueColours(rows, ab, weights[picture_bins(ab)])


def measure(true: NDArray[np.uint8], picture: NDArray[np.uint8], colours: Iterable[TrueColours]) -> Sums:
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
    errors, rebalanced = empty_counts(), empty_counts()
    for rows, true_ab, weights in colours:
        ab = picture_ab(picture[rows])
        errors += count_errors(true_ab, ab)
        rebalanced += count_errors(true_ab, ab, weights)
    return Sums(
        images=1,
        errors=errors,
        rebalanced=rebalanced,
        auc_rebalanced=auc(rebalanced),
        psnr=psnr(squared_error(true, picture)),
        ssim=ssim(true, picture),
        colourfulness=colourfulness(opponent_sums(picture)),
    )


def compute(sums: Sums) -> dict[str, float]:
    """The figures, named as in `FIGURES`; NaN where nothing was measured."""
    images = sums.images or float("nan")
    return {
        "auc": auc(sums.errors),
        "auc_rebalanced": auc(sums.rebalanced),
        "auc_rebalanced_per_image": sums.auc_rebalanced / images,
        "psnr": sums.psnr / images,
        "ssim": sums.ssim / images,
        "colourfulness": sums.colourfulness / images,
    }


def evaluate(paths: Iterable[Path], methods: Mapping[str, Method], prior: ArrayLike) -> Evaluation:
    """Measure methods over photographs.

    A photograph that cannot be read, or that some method cannot make a picture of, is left out of every method alike.

    Args:
        paths: the photographs.
        methods: each by its name; all are given the same grey pictures.
        prior: (313,) distribution over the bins. In the rebalanced figures a pixel weighs 1 / prior of the bin nearest
            to its true colour. A bin of zero prior weighs as the rarest of the others.
    """
    weights = rebalancing_weights(prior, uniform=0.0)
    totals = {name: empty() for name in methods}
    images, left_out = 0, dict[Path, str]()
    for path in paths:
        try:
            measured = _measure_all(read_photograph(path), methods, weights)
        except PhotoError as error:
            left_out[path] = _naming(path, error)
            continue
        images += 1
        totals = {name: add(totals[name], sums) for name, sums in measured.items()}
    return Evaluation(images, {name: compute(sums) for name, sums in totals.items()}, left_out)


def _measure_all(
    photograph: Photograph, methods: Mapping[str, Method], weights: NDArray[np.float64]
) -> dict[str, Sums]:
    height, width = photograph.grey.shape
    known = list(true_colours(photograph.true, weights)) if height * width <= _KEPT else None
    return {
        name: measure(photograph.true, method(photograph), known or true_colours(photograph.true, weights))
        for name, method in methods.items()
    }


def _naming(path: Path, error: PhotoError) -> str:
    # what went wrong with a picture in memory is told without its name
    return str(error) if str(path) in str(error) else f"{path}: {error}"
