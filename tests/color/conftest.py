"""The published bins and prior, where they are to be had."""

import os
from pathlib import Path

import numpy as np
import pytest


def published(name: str) -> np.ndarray:
    folder = os.environ.get("TINTYPE_REFERENCE")
    if not folder:
        pytest.skip("TINTYPE_REFERENCE is not set: it names the folder of pts_in_hull.npy and prior_probs.npy")
    return np.load(Path(folder) / name)


@pytest.fixture
def published_bins() -> np.ndarray:
    """(313, 2) ab, as released with Zhang16."""
    return published("pts_in_hull.npy")


@pytest.fixture
def published_prior() -> np.ndarray:
    """(313,) smoothed prior of ImageNet, as released with Zhang16."""
    return published("prior_probs.npy")
