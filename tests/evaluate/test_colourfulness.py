import numpy as np
import pytest

from reference import metrics
from tintype.evaluate.colourfulness import colourfulness, opponent_sums


def test_colourfulness_equals_the_slow_twin(random_picture):
    picture = random_picture(1, 13, 17)
    assert colourfulness(opponent_sums(picture)) == pytest.approx(metrics.colourfulness(picture), abs=1e-9)


def test_a_grey_picture_has_none():
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    assert colourfulness(opponent_sums(grey)) == 0


def test_one_plain_colour_counts_by_its_mean_alone():
    # rg = 255 and yb = 127.5 everywhere, so only 0.3 · √(255² + 127.5²) is left
    red = np.zeros((5, 4, 3), np.uint8)
    red[..., 0] = 255
    assert colourfulness(opponent_sums(red)) == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_half_red_half_green_counts_by_spread():
    # rg = ±255: mean 0, σ = 255; yb = 127.5: mean 127.5, σ = 0
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2, :, 0] = picture[2:, :, 1] = 255
    assert colourfulness(opponent_sums(picture)) == pytest.approx(255 + 0.3 * 127.5)


def test_sums_of_strips_add_up_to_those_of_the_picture(random_picture):
    picture = random_picture(2, 9, 7)
    np.testing.assert_array_equal(opponent_sums(picture[:5]) + opponent_sums(picture[5:]), opponent_sums(picture))
