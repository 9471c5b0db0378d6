"""Which colours count as rare: the prior behind the rebalanced figures."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.color import smoothed_prior
from tintype.color.gamut import BINS
from tintype.evaluate.colour_error import count_bins
from tintype.evaluate.photograph import read_photograph
from tintype.runtime.errors import PhotoError


def prior_of(paths: Iterable[Path], square: bool = False) -> tuple[NDArray[np.float64], dict[Path, str]]:
    """The smoothed prior of the photographs' own colours.

    Args:
        paths: the photographs; each is read once and forgotten.
        square: whether they are resized to 256×256 first, as they will be to be measured.

    Returns:
        (313,) probabilities, and the photographs that could not be read, with the reason. The prior is uniform where
        none could.
    """
    counts = np.zeros(BINS, dtype=np.int64)
    left_out: dict[Path, str] = {}
    for path in paths:
        try:
            counts += count_bins(read_photograph(path, square).true)
        except PhotoError as error:
            left_out[path] = str(error)
    if not counts.any():
        return np.full(BINS, 1 / BINS), left_out
    return smoothed_prior(counts), left_out


def read_prior(path: Path) -> NDArray[np.float64]:
    """Read a prior over the 313 bins from a .npy file, such as the prior_probs.npy of Zhang16's released code.

    Raises:
        ValueError: the file is no such array, or not a distribution.
    """
    try:
        prior = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: not a .npy file of numbers") from error
    if not isinstance(prior, np.ndarray) or prior.shape != (BINS,) or prior.dtype.kind not in "fiu":
        raise ValueError(f"{path}: expected {BINS} numbers, one for each colour bin")
    prior = prior.astype(np.float64)
    if not (np.isfinite(prior).all() and (prior >= 0).all() and np.isclose(prior.sum(), 1, atol=1e-4)):
        raise ValueError(f"{path}: expected probabilities: none negative, sum 1")
    return prior
