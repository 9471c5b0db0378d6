import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from reference import metrics
from tintype.evaluate import colour_error
from tintype.evaluate.fidelity import psnr, squared_error, ssim


@pytest.fixture
def pair(random_picture):
    """A picture and a near one: SSIM of two independent noises would be 0 whatever was computed."""
    true = random_picture(1, 70, 30)
    return true, np.clip(true + np.random.default_rng(2).normal(0, 40, true.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def narrow_strips(monkeypatch):
    monkeypatch.setattr(colour_error, "STRIP", 30 * 4)


def test_psnr_equals_scikit_image(pair):
    assert psnr(squared_error(*pair)) == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)


def test_psnr_equals_the_slow_twin(pair):
    assert psnr(squared_error(*pair)) == pytest.approx(metrics.psnr(*pair), abs=1e-9)


def test_psnr_of_the_largest_error_is_zero_and_of_none_infinite():
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    assert psnr(squared_error(black, white)) == 0
    assert psnr(squared_error(white, black)) == 0
    assert psnr(squared_error(white, white)) == math.inf


def test_ssim_equals_scikit_image_in_double_precision(pair):
    expected = structural_similarity(*pair, channel_axis=-1, data_range=255)
    assert 0.1 < expected < 0.99
    assert ssim(*pair) == pytest.approx(expected, abs=1e-6)


def test_ssim_equals_the_slow_twin(pair):
    true, picture = (one[:11, :9] for one in pair)
    assert ssim(true, picture) == pytest.approx(metrics.ssim(true.tolist(), picture.tolist()), abs=1e-6)


@pytest.mark.usefixtures("narrow_strips")
def test_a_photograph_of_many_strips_scores_as_in_one_piece(pair):
    assert ssim(*pair) == pytest.approx(structural_similarity(*pair, channel_axis=-1, data_range=255), abs=1e-6)
    assert psnr(squared_error(*pair)) == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)


def test_ssim_of_equal_pictures_is_one(pair):
    assert ssim(pair[0], pair[0].copy()) == 1


def test_ssim_takes_the_smallest_picture_that_holds_a_window(pair):
    true, picture = (one[:7, :7] for one in pair)
    assert ssim(true, picture) == pytest.approx(metrics.ssim(true.tolist(), picture.tolist()), abs=1e-6)
