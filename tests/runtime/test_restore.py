import numpy as np
import pytest
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

from tintype.runtime.photo import photo_from_array
from tintype.runtime.restore import descreen, restore, screen, stretch


def _lightness(levels):
    photo = photo_from_array(levels)
    return photo.lightness[photo.codes]


def _photographs():
    for name in ("astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "brick", "grass", "gravel"):
        yield name, getattr(skimage.data, name)()
    for name in ("china.jpg", "flower.jpg"):
        yield name, load_sample_image(name)


def test_photographs_in_good_state_are_shown_to_the_last_bit():
    for name, levels in _photographs():
        light = _lightness(levels)
        if name not in ("gravel", "grass", "brick"):  # of little contrast, though not of screens
            assert restore(light) is light, name
        assert not screen(light), name


def test_a_faded_photograph_gets_its_range_back():
    light = _lightness(skimage.data.camera())
    faded = (40 + 0.4 * light).astype(np.float32)
    shown = stretch(faded)
    low, high = np.percentile(shown, (0.5, 99.5))
    assert low < 6
    assert high > 94
    assert np.corrcoef(shown.ravel(), light.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("levels", [np.full((40, 50), 77, np.uint8), np.arange(2000).reshape(40, 50) // 700 + 90])
def test_what_has_next_to_no_tones_is_not_blown_up(levels):
    light = _lightness(levels.astype(np.uint8))
    assert np.ptp(stretch(light)) <= 4 * np.ptp(light) + 1e-3


def _printed(light, period, degrees):
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] * (2 * np.pi / period)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (light + 12 * (np.cos(x * c + y * s) + np.cos(y * c - x * s))).clip(0, 100).astype(np.float32)


@pytest.mark.parametrize(("period", "degrees"), [(3, 45), (4.3, 30), (6, 52)])
def test_a_screen_is_found_and_taken_out(period, degrees):
    picture = Image.fromarray(skimage.data.astronaut()).convert("L").resize((300, 260))
    light = _lightness(np.asarray(picture))
    printed = _printed(light, period, degrees)
    peaks = screen(printed)
    assert {round(float(np.hypot(*peak) * period), 1) for peak in peaks} == {1.0}
    blurred = descreen(printed)
    assert np.abs(blurred - light).mean() < 0.75 * np.abs(printed - light).mean()
    assert not screen(blurred)


def test_a_fence_is_no_screen():
    """It has one direction, and stands upright."""
    x = np.tile(np.arange(300), (200, 1))
    for waves in (np.cos(2 * np.pi * x / 5), np.cos(2 * np.pi * (x + np.arange(200)[:, None]) / 6)):
        light = (50 + 25 * waves + np.random.default_rng(0).normal(0, 1, waves.shape)).astype(np.float32)
        assert not screen(light)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (33, 32)])
def test_any_size_is_shown(shape):
    light = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    assert restore(light).shape == shape
