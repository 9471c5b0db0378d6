import math

import numpy as np
import pytest

from _leakage import CONTRAST, EVEN, REACH, STEP, leakage, leakage_sums
from reference import leakage as slow
from tintype.color import rgb_to_lab


def _picture(seed, grey, height=13, width=17):
    """8 bits: flat parts of any colour, or half of them grey."""
    rng = np.random.default_rng(seed)
    parts = rng.uniform(0, 255, (height // 5 + 1, width // 5 + 1, 3))
    if grey:
        parts[::2] = parts[::2, :, :1]
    return parts.repeat(5, axis=0).repeat(5, axis=1)[:height, :width].astype(np.uint8)


def _sums(true, picture):
    (light, *true_ab), (_, *ab) = (rgb_to_lab(np.moveaxis(one, -1, 0) / np.float32(255)) for one in (true, picture))
    return leakage_sums(light, np.stack(true_ab), np.stack(ab))


def test_leakage_over_several_pictures_equals_the_slow_one():
    assert (REACH, CONTRAST, STEP, EVEN) == (slow.REACH, slow.CONTRAST, slow.STEP, slow.EVEN)
    pairs = [(_picture(seed, grey=True), _picture(seed + 10, grey=False)) for seed in range(3)]
    sums = sum(_sums(*pair) for pair in pairs)
    assert (sums[:, 1] > 0).all()  # every kind of pixel and of edge occurs
    assert leakage(sums) == pytest.approx(slow.leakage(pairs), rel=1e-4)


def _step(at, width=40):
    return np.where(np.arange(width) < at, 0.0, 1.0) * np.ones((9, 1))


LIGHT = 30 + 40 * _step(20)
COLOUR = np.stack([30 * _step(20), -20 * _step(20)])


def test_true_colours_are_kept_whole():
    found = leakage(leakage_sums(LIGHT, COLOUR, COLOUR))
    assert (found.near, found.kept) == (0, 100)


def test_of_colours_half_as_strong_half_is_kept():
    assert leakage(leakage_sums(LIGHT, COLOUR, COLOUR / 2)).kept == pytest.approx(50)


def test_of_opposite_colours_less_than_nothing_is_kept():
    assert leakage(leakage_sums(LIGHT, COLOUR, -COLOUR)).kept == pytest.approx(-100)


@pytest.mark.parametrize("turned", [False, True])
def test_what_leaks_over_an_edge_is_missing(turned):
    """A transition of 12 pixels has a third of its step within 4 of them."""
    soft = COLOUR[:, :, -1:] * np.clip((np.arange(40) - 13.5) / 12, 0, 1)
    given = LIGHT, COLOUR, soft
    found = leakage(leakage_sums(*(np.swapaxes(plane, -1, -2) if turned else plane for plane in given)))
    assert found.kept == pytest.approx(100 / 3)
    # Edges are from 16 to 20 .. from 19 to 23. Before 20 there is too much colour, from there on too little.
    shares = [(column - 13.5) / 12 - (column >= 20) for column in range(16, 24)]
    assert found.near == pytest.approx(math.hypot(30, 20) * np.abs(shares).mean())


def test_colour_that_follows_lightness_where_the_true_one_does_not_is_false():
    found = leakage(leakage_sums(LIGHT, 0 * COLOUR, COLOUR))
    assert found.false == pytest.approx(math.hypot(30, 20))
    assert math.isnan(found.kept)


def test_edges_of_colour_without_one_of_lightness_do_not_count():
    sums = leakage_sums(0 * LIGHT, COLOUR, 0 * COLOUR)
    np.testing.assert_array_equal(sums[[0, 2, 3]], 0)


def test_nothing_at_all_gives_nan_and_no_warning():
    assert all(math.isnan(value) for value in leakage(np.zeros((4, 2))))


def test_a_picture_smaller_than_an_edge_has_none():
    one = np.ones((3, 1, 2), np.float32)
    np.testing.assert_array_equal(leakage_sums(one[0], one[:2], one[:2])[:, 1], [0, 2, 0, 0])
