"""Cuts are found, flashes and fades are not taken for them, and colour is steadier than the predictions."""

import numpy as np
import pytest

from tintype.video.motion import motion, normalized
from tintype.video.steady import AHEAD, Look, Steady
from video.conftest import HEIGHT, WIDTH, scene


def run(pictures, predictions=None):
    """The colours of a film, and on which frames a shot begins."""
    if predictions is None:
        predictions = [np.zeros((2, HEIGHT // 4, WIDTH // 4), np.float32)] * len(pictures)
    looks = [
        Look(picture.astype(np.float32) * (100 / 255), lambda ab=ab: ab)
        for picture, ab in zip(pictures, predictions, strict=True)
    ]
    steady, out, cuts = Steady(4, 2.0), [], []
    for number, look in enumerate(looks):
        before = steady.cuts
        out.append(steady(look, looks[number + 1 : number + 1 + AHEAD]))
        if steady.cuts > before:
            cuts.append(number)
    return out, cuts


def test_cuts_are_found_where_they_are():
    pictures = [scene(seed, number) for seed in (1, 2, 3) for number in range(10)]
    assert run(pictures)[1] == [10, 20]


def test_cuts_are_found_under_heavy_grain():
    pictures = [scene(seed, number, grain=15) for seed in (1, 2) for number in range(12)]
    assert run(pictures)[1] == [12]


def test_a_fade_is_no_cut():
    gains = np.linspace(1, 0.3, 20)
    assert run([scene(1, number, gain=gain) for number, gain in enumerate(gains)])[1] == []


def test_a_dissolve_is_not_more_than_one_cut():
    first, second = ([scene(seed, number) for number in range(20)] for seed in (1, 2))
    mixed = [
        ((1 - t) * a + t * b).astype(np.uint8) for a, b, t in zip(first, second, np.linspace(0, 1, 20), strict=True)
    ]
    assert len(run(mixed)[1]) <= 1


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length):
    pictures = [scene(1, number) for number in range(20)]
    rng = np.random.default_rng(0)
    for number in range(10, 10 + length):
        pictures[number] = rng.normal(228, 3, pictures[0].shape).clip(16, 235).astype(np.uint8)
    assert run(pictures)[1] == []


def test_motion_is_found():
    wide = scene(5, 0, grain=0).astype(np.float32)
    before, now = wide[:, :-8], wide[:, 8:]
    flow = motion(normalized(before), normalized(now))
    inside = flow[:, 6:-6, 6:-10]
    assert abs(float(np.median(inside[1])) - 4) < 0.5  # 8 pixels, at half the size
    assert abs(float(np.median(inside[0]))) < 0.25


def test_colour_flickers_far_less_than_the_predictions_and_keeps_their_mean():
    pictures = [scene(1, 0, grain=2) for _ in range(40)]
    rng = np.random.default_rng(3)
    shape = 2, HEIGHT // 4, WIDTH // 4
    predictions = [(20 + rng.normal(0, 8, shape)).astype(np.float32) for _ in pictures]
    out, _ = run(pictures, predictions)
    before, after = (np.abs(np.diff(np.stack(planes), axis=0)).mean() for planes in (predictions, out))
    assert after < 0.15 * before
    assert abs(np.stack(out).mean() - 20) < 1


def test_colour_goes_along_with_what_moves():
    pictures = [scene(1, 3 * number, grain=1) for number in range(16)]
    shape = HEIGHT // 4, WIDTH // 4
    truth = []
    for number in range(16):
        x = np.arange(shape[1]) * 4 + 2 + 0.7 * 3 * number
        truth.append(np.broadcast_to(20 * np.sin(x / 12), (2, *shape)).astype(np.float32))
    rng = np.random.default_rng(4)
    out, cuts = run(pictures, [plane + rng.normal(0, 6, plane.shape).astype(np.float32) for plane in truth])
    assert cuts == []
    error = np.abs(np.stack(out) - np.stack(truth))[-8:, :, 2:-2, 2:-4].mean()
    assert error < 3.5  # the predictions' own is 4.8


def test_after_a_cut_nothing_of_the_colour_before_is_left():
    pictures = [scene(1, number) for number in range(10)] + [scene(2, number) for number in range(10)]
    shape = 2, HEIGHT // 4, WIDTH // 4
    predictions = [np.full(shape, 30.0 if number < 10 else -30.0, np.float32) for number in range(20)]
    out, _ = run(pictures, predictions)
    assert np.allclose(out[9], 30, atol=0.1)
    assert np.allclose(out[10], -30, atol=0.1)
