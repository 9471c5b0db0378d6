import numpy as np
import pytest
from PIL import Image


def _picture(seed, height=12, width=12):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def random_picture():
    """(seed, height, width) to an 8-bit RGB picture of noise, which reaches most of the gamut."""
    return _picture


@pytest.fixture
def photographs(tmp_path):
    """A folder of four small colour photographs."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(_picture(seed, 10 + seed, 9)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def many(tmp_path):
    """A folder of thirty, for what is said of many: resamples, groups, galleries."""
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(30):
        Image.fromarray(_picture(100 + seed, 8, 8)).save(folder / f"{seed:02}.png")
    return folder
