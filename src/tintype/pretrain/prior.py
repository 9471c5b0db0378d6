"""The prior over the 313 bins: counted on the photographs that a run trains on, or read from a file."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tintype.color import nearest_bin
from tintype.color.gamut import BINS
from tintype.recipes import RecipeError


def count_bins(ab: Tensor) -> Tensor:
    """How many places have each bin as their nearest: (B, 2, h, w), CIE ab, to (313,) int64."""
    return torch.bincount(nearest_bin(ab.permute(0, 2, 3, 1).reshape(-1, 2)), minlength=BINS)


def load_prior(path: Path) -> Tensor:
    """A prior from a .npy file: (313,) probabilities, returned as float64.

    Raises:
        RecipeError: the file cannot be read, or holds no distribution over the bins.
    """
    try:
        prior = np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise RecipeError(f"key 'objective.prior': {path} cannot be read as .npy ({error})") from error
    if prior.shape != (BINS,) or (prior < 0).any() or not np.isclose(prior.sum(), 1, atol=1e-4):
        raise RecipeError(f"key 'objective.prior': {path} holds no distribution over the {BINS} bins")
    return torch.from_numpy(prior)
