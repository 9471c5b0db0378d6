import math

import numpy as np
import pytest

from _leakage import BAND, EDGE, FLAT, leakage, leakage_sums, near
from reference import leakage as slow
from tintype.color import rgb_to_lab


def _soft(seed, height, width):
    """8-bit pictures with flat parts, soft parts, and edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (height // 5 + 1, width // 5 + 1, 3)).repeat(5, axis=0).repeat(5, axis=1)
    ramp = 3 * np.arange(width)[:, None] * rng.uniform(0, 0.5, 3)
    return (coarse[:height, :width] + ramp).clip(0, 255).astype(np.uint8)


def _lab(picture):
    return rgb_to_lab(np.moveaxis(picture, -1, 0) / np.float32(255))


def _sums(true, picture):
    (light, *true_ab), ab = _lab(true), _lab(picture)[1:]
    return leakage_sums(light, np.stack(true_ab), ab)


def test_leakage_over_several_pictures_equals_the_slow_one():
    assert (EDGE, BAND, FLAT) == (slow.EDGE, slow.BAND, slow.FLAT)
    pairs = [(_soft(seed, 13, 17), _soft(seed + 10, 13, 17)) for seed in range(2)]
    sums = sum(_sums(*pair) for pair in pairs)
    assert 0 < sums[1] < 2 * 13 * 17  # both kinds of pixel occur
    assert leakage(sums) == pytest.approx(slow.leakage(pairs), rel=1e-4)


def _step(width, at):
    return np.where(np.arange(width) < at, 0.0, 1.0) * np.ones((9, 1))


def test_colour_that_changes_where_the_true_colour_does_is_not_astray():
    light, colour = 40 + 40 * _step(40, 20), 30 * np.stack([_step(40, 20)] * 2)
    found = leakage(leakage_sums(light, colour, colour))
    assert (found.near, found.astray) == (0, 0)


def test_colour_that_changes_beside_the_edge_is_astray_and_wrong_near_it():
    light, true = 40 + 40 * _step(40, 20), 30 * np.stack([_step(40, 20), 0 * _step(40, 20)])
    moved = 30 * np.stack([_step(40, 23), 0 * _step(40, 23)])
    found = leakage(leakage_sums(light, true, moved))
    # Columns 19 and 20 are steep, so 16 to 23 are near: of these, 20 to 22 are wrong by 30, and in 22 and 23 the colour
    # changes by 15 per pixel; flat are all but 19 and 20.
    assert found.near == pytest.approx(3 * 30 / 8)
    assert found.ratio == math.inf
    assert found.astray == pytest.approx(2 * 15 / 6)


def test_colour_that_changes_far_from_every_edge_is_not_astray():
    light, true = 40 + 40 * _step(40, 20), np.zeros((2, 9, 40))
    assert leakage(leakage_sums(light, true, 30 * np.stack([_step(40, 30)] * 2))).astray == 0


def test_a_soft_transition_over_an_edge_is_astray():
    light, true = 40 + 40 * _step(40, 20), 30 * np.stack([_step(40, 20)] * 2)
    soft = 30 * np.clip((np.arange(40) - 13.5) / 12, 0, 1) * np.ones((2, 9, 1))
    assert leakage(leakage_sums(light, true, soft)).astray == pytest.approx(math.sqrt(2) * 30 / 12)


def test_near_is_a_square_that_ends_at_the_border():
    marked = np.zeros((5, 7), bool)
    marked[0, 5] = True
    expected = np.zeros((5, 7), bool)
    expected[:3, 3:] = True
    np.testing.assert_array_equal(near(marked, 2), expected)


def test_nothing_at_all_gives_nan_and_no_warning():
    assert all(math.isnan(value) for value in leakage(np.zeros(6)))


def test_a_picture_of_one_pixel_has_no_edges():
    one = np.ones((3, 1, 1), np.float32)
    np.testing.assert_array_equal(leakage_sums(one[0], one[:2], one[:2]), [0, 0, 0, 1, 0, 0])
