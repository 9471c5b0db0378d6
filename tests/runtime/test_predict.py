import numpy as np
import pytest

from tintype.runtime.model import load_model
from tintype.runtime.predict import predict
from tintype.runtime.region import network_size, region_of


@pytest.mark.parametrize("height", [1, 2, 30, 50, 480, 3000])
@pytest.mark.parametrize("width", [1, 3, 47, 640, 4000])
def test_the_network_sees_the_usual_area_in_the_pictures_own_shape(height, width):
    h, w = network_size(height, width, 256, 32)
    if max(height, width) < 100 * min(height, width):
        assert np.sqrt(h * w) == pytest.approx(256, rel=0.02)
        assert h / w == pytest.approx(height / width, rel=0.08)


@pytest.mark.parametrize("shape", [(1, 10000), (10000, 1), (30000, 50), (1, 100_000_000), (65500, 1500)])
@pytest.mark.parametrize("size", [32, 256, 1024])
@pytest.mark.parametrize("multiple", [32, 64])
def test_long_and_narrow_pictures_do_not_make_the_network_large(shape, size, multiple):
    h, w = network_size(*shape, size, multiple)
    padded = [-(-length // multiple) * multiple for length in (h, w)]
    assert padded[0] * padded[1] <= max(4 * size * size, multiple * multiple)
    assert min(h, w) >= 1


def _predict(model, lightness, extent, seen):
    box = (0, lightness.shape[0], 0, lightness.shape[1])
    return predict(model, region_of(model, lightness, box, extent, seen), None)


@pytest.fixture
def picture():
    y, x = np.mgrid[0:120, 0:180]
    return (50 + 30 * np.sin(y / 9) * np.cos(x / 13)).astype(np.float32)


def test_the_network_sees_an_antialiased_average(bundle, picture):
    """The tiny bundle's entropy is its lightness, averaged over cells."""
    noisy = picture + np.random.default_rng(0).normal(0, 15, picture.shape).astype(np.float32)
    entropy = _predict(load_model(bundle, 1), noisy, (120.0, 180.0), (40, 60)).entropy
    expected = picture.reshape(10, 12, 15, 12).mean(axis=(1, 3))
    assert entropy.shape == (10, 15)
    assert np.std(100 * entropy - expected) < 2  # noise of 15 in every pixel, 144 of them to a cell


def test_padding_is_cut_off_and_does_not_darken_the_border(bundle):
    """Borders are repeated: everywhere the same lightness gives everywhere the same colour."""
    for size in ((33, 65), (1, 1), (31, 7)):
        even = np.full(size, 70, dtype=np.float32)
        found = _predict(load_model(bundle, 1), even, (float(size[0]), float(size[1])), size)
        assert found.ab.shape == (2, -(-size[0] // 4), -(-size[1] // 4))
        np.testing.assert_allclose(found.entropy, 0.7, atol=1e-5)
        np.testing.assert_allclose(found.ab[0], 18, atol=1e-4)


def test_the_network_sees_no_lightness_beyond_black_and_white(bundle):
    """Scaling up a black and white edge would overshoot."""
    edge = np.zeros((20, 20), dtype=np.float32)
    edge[:, 10:] = 100
    entropy = _predict(load_model(bundle, 1), edge, (20.0, 20.0), (128, 128)).entropy
    assert entropy.min() == pytest.approx(0, abs=1e-6)
    assert entropy.max() == pytest.approx(1, abs=1e-6)


def test_a_broken_last_pixel_counts_for_its_part(bundle):
    """A ramp that ends within the last pixel keeps its place."""
    ramp = np.repeat(np.arange(65, dtype=np.float32)[None], 32, axis=0)
    found = _predict(load_model(bundle, 1), ramp, (32.0, 64.25), (32, 64))
    expected = (np.arange(16) * 4 + 2) * 64.25 / 64 - 0.5
    np.testing.assert_allclose(100 * found.entropy[4, 1:-1], expected[1:-1], atol=0.1)
