import math

import numpy as np
import pytest
from skimage.color import rgb2lab

from reference import metrics
from tintype.evaluate import colour_error
from tintype.evaluate.colour_error import auc, count_bins, curve, picture_ab, picture_bins, rmse_ab


def count_errors(true_ab, ab):
    return colour_error.count_errors(true_ab, ab, np.ones(true_ab.shape[1:])).plain


def _constant(error, height=3, width=5):
    true = np.zeros((2, height, width), dtype=np.float32)
    direction = np.array([0.6, 0.8], dtype=np.float32)[:, None, None]  # a 3-4-5 triangle
    return true, true + np.float32(error) * direction


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (0, 100.0),
        (75, 100 * 75.5 / 150),  # full from t = 75 on, and half of the trapezoid that leads up to it
        (75.5, 100 * 74.5 / 150),
        (150, 100 * 0.5 / 150),
        (151, 0.0),
        (1000, 0.0),
    ],
)
def test_auc_of_one_constant_error_is_the_area_to_its_right(error, expected):
    assert auc(count_errors(*_constant(error))) == pytest.approx(expected, abs=1e-9)


def test_a_constant_error_of_half_the_range_gives_half_the_area_within_a_half_step():
    assert auc(count_errors(*_constant(75))) == pytest.approx(50, abs=0.5 / 150 * 100 + 1e-9)


def test_errors_on_a_threshold_are_within_it():
    counts = count_errors(*_constant(5, 1, 1))
    assert counts[5] == 1
    assert counts.sum() == 1


def test_counts_of_strips_add_up_to_those_of_the_picture(random_picture):
    true, ab = (picture_ab(random_picture(seed, 9, 11)) for seed in (1, 2))
    parts = count_errors(true[:, :4], ab[:, :4]) + count_errors(true[:, 4:], ab[:, 4:])
    np.testing.assert_array_equal(parts, count_errors(true, ab))


def test_auc_equals_the_slow_twin(random_picture):
    true, picture = random_picture(1, 12, 9), random_picture(2, 12, 9)
    weights = np.random.default_rng(3).uniform(0.1, 10, true.shape[:2])
    errors = metrics.colour_errors(true, picture)
    counts = count_errors(picture_ab(true), picture_ab(picture))
    weighted = colour_error.count_errors(picture_ab(true), picture_ab(picture), weights).weighted
    assert auc(counts) == pytest.approx(metrics.auc(errors, [1.0] * len(errors)), abs=1e-6)
    assert auc(weighted) == pytest.approx(metrics.auc(errors, weights.ravel().tolist()), abs=1e-6)


def test_ab_is_that_of_scikit_image(random_picture):
    picture = random_picture(1, 20, 30)
    np.testing.assert_allclose(picture_ab(picture), np.moveaxis(rgb2lab(picture), -1, 0)[1:], atol=2e-3)


def test_root_mean_squared_error_equals_the_slow_twin(random_picture):
    true, picture = random_picture(1, 12, 9), random_picture(2, 12, 9)
    squared = colour_error.count_errors(picture_ab(true), picture_ab(picture), np.ones((12, 9))).squared
    expected = metrics.rmse_ab(metrics.colour_errors(true, picture))
    assert rmse_ab(squared, 12 * 9) == pytest.approx(expected, rel=1e-6)


def test_the_curve_is_the_share_within_each_threshold(random_picture):
    true, picture = random_picture(1, 12, 9), random_picture(2, 12, 9)
    errors = metrics.colour_errors(true, picture)
    shares = curve(count_errors(picture_ab(true), picture_ab(picture)))
    assert shares.tolist() == pytest.approx([sum(e <= t for e in errors) / len(errors) for t in range(151)])


def test_auc_of_nothing_is_nan():
    assert math.isnan(auc(colour_error.empty_counts()))


def test_bins_are_the_nearest_of_the_313(random_picture):
    picture = random_picture(4, 10, 10)
    expected = [metrics.nearest_bin(metrics.ab_of(pixel)) for pixel in metrics.pixels(picture)]
    assert picture_bins(picture_ab(picture)).ravel().tolist() == expected
    np.testing.assert_array_equal(count_bins(picture), np.bincount(expected, minlength=313))


def test_strips_cover_every_row_once_and_stay_small():
    rows = [row for strip in colour_error.strips(1000, 4000) for row in range(1000)[strip]]
    assert rows == list(range(1000))
    assert all((s.stop - s.start) * 4000 <= colour_error.STRIP for s in colour_error.strips(1000, 4000))


def test_a_row_wider_than_a_strip_is_a_strip():
    assert list(colour_error.strips(2, 10 * colour_error.STRIP)) == [slice(0, 1), slice(1, 2)]
