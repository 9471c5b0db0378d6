"""The prior over the 313 bins: counted on the photographs that a run trains on, or read from a file."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from tintype.color import nearest_bin, smoothed_prior
from tintype.color.gamut import BINS
from tintype.recipes import RecipeError


def count_bins(ab: Tensor) -> Tensor:
    """How many places have each bin as their nearest: (B, 2, h, w), CIE ab, to (313,) int64."""
    return torch.bincount(nearest_bin(ab.permute(0, 2, 3, 1).reshape(-1, 2)), minlength=BINS)


def counted_prior(accelerator: Accelerator, kept: Path, ab: Callable[[], Iterable[Tensor]]) -> Tensor:
    """The prior of photographs, counted by all processes together, or once more what was counted before.

    The first process alone reads and writes the file; it tells the others.

    Args:
        kept: the .npy file where the first process keeps the prior, for when the run is resumed.
        ab: gives this process's share of the photographs' colours, (B, 2, h, w), CIE ab; not called where there is no
            need to count.

    Returns:
        (313,) float64, the same on every process.

    Raises:
        RecipeError: what is kept cannot be read, or is no distribution over the bins.
    """
    main = accelerator.is_main_process
    told = [load_prior(kept).numpy() if main and kept.exists() else None]
    broadcast_object_list(told)
    if told[0] is None:
        counts = torch.zeros(BINS, dtype=torch.int64, device=accelerator.device)
        for colours in ab():
            counts += count_bins(colours)
        counts = accelerator.reduce(counts, "sum")
        if main:
            prior = smoothed_prior(counts.cpu().numpy())
            temporary = kept.with_name(f".{kept.name}")
            np.save(temporary, prior)
            temporary.replace(kept)
            told = [prior]
        broadcast_object_list(told)
    assert told[0] is not None
    return torch.from_numpy(told[0])


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
