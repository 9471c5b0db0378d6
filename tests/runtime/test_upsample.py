import numpy as np
import pytest

from reference.guided import cell_means, guided_fit, joint_bilateral
from tintype.runtime import upsample as fast
from tintype.runtime.upsample import Upsampler

LAYOUTS = {  # guide, cells, extent, origin, stride
    "averaging cells": ((16, 22), (2, 3), (16.0, 21.6), (4.0, 3.6), (8.0, 7.2)),
    "point samples": ((12, 15), (3, 4), (12.0, 15.0), (0.5, 0.47), (4.0, 3.75)),
    "a broken last pixel": ((13, 9), (3, 2), (12.4, 8.2), (2.1, 2.05), (4.2, 4.1)),
    "cells finer than the guide": ((6, 5), (16, 13), (6.0, 5.0), (0.19, 0.19), (0.375, 0.385)),
    "one pixel": ((1, 1), (4, 4), (1.0, 1.0), (0.125, 0.125), (0.25, 0.25)),
}


def upsample(ab, guide, *layout):
    return Upsampler(guide, ab.shape[1:], *layout)(ab)


def _scene(shape, cells, seed=0):
    rng = np.random.default_rng(seed)
    guide = rng.uniform(20, 80, shape).astype(np.float32)
    guide[:, shape[1] // 2 :] *= 0.4
    return guide, rng.normal(0, 20, (2, *cells)).astype(np.float32)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_fast_upsampling_equals_the_slow_one(layout, threads):
    shape, count, extent, origin, stride = LAYOUTS[layout]
    guide, ab = _scene(shape, count)
    deviation = np.clip(fast.CONTRAST * guide.std(), fast.FLATTEST, fast.STEEPEST)
    settings = (fast.NEARNESS, deviation, fast.UNLIKE)
    cells = cell_means(guide, count, extent, origin, stride)
    slope, offset = upsample(ab, guide, extent, origin, stride, threads)
    for channel in range(2):
        colour = joint_bilateral(ab[channel], cells, guide, origin, stride, *settings)
        missing = ab[channel] - cell_means(colour, count, extent, origin, stride)
        colour += joint_bilateral(missing, cells, guide, origin, stride, *settings)
        expected = guided_fit(guide, colour, (deviation / 2) ** 2)
        np.testing.assert_allclose(slope[channel], expected[0], atol=2e-3)
        np.testing.assert_allclose(offset[channel], expected[1], atol=0.1)
        reached = slope[channel] * guide + offset[channel]
        np.testing.assert_allclose(reached, expected[0] * guide + expected[1], atol=5e-3)


def test_colour_does_not_cross_an_edge_though_cells_straddle_it():
    guide = np.full((64, 64), 70, dtype=np.float32)
    guide[:, 27:] = 40  # cells are 8 wide: the fourth is three eighths light
    left, right = np.array([30.0, -20.0]), np.array([-25.0, 35.0])
    share = np.array([1, 1, 1, 3 / 8, 0, 0, 0, 0])
    columns = np.outer(left, share) + np.outer(right, 1 - share)
    ab = np.repeat(columns[:, None].astype(np.float32), 8, axis=1)
    slope, offset = upsample(ab, guide, (64.0, 64.0), (4.0, 4.0), (8.0, 8.0))
    reached = slope * guide + offset
    truth = np.where(np.arange(64) < 27, left[:, None], right[:, None])
    assert np.abs(reached - truth[:, None]).max() < 6
    plain = np.stack([np.interp(np.arange(64) + 0.5, 4 + 8 * np.arange(8), line) for line in columns])
    assert np.abs(plain - truth).max() > 25  # what it is compared with


@pytest.mark.parametrize("origin", [0.5, 2.0, 3.5])
def test_colour_stands_where_its_cells_do(origin):
    """A ramp of colour over even lightness keeps its place for any origin of the cells."""
    guide = np.full((32, 128), 50, dtype=np.float32)
    centres = origin + 4 * np.arange(32)
    ab = np.broadcast_to(centres.astype(np.float32), (2, 8, 32))
    slope, offset = upsample(ab, guide, (32.0, 128.0), (origin, origin), (4.0, 4.0))
    reached = (slope * guide + offset)[0, 16, 16:112]
    shift = reached - (np.arange(16, 112) + 0.5)
    assert abs(shift.mean()) < 0.02
    assert np.abs(shift).max() < 0.6


def test_the_same_colour_everywhere_stays_exactly_that():
    guide, _ = _scene((31, 47), (1, 1))
    ab = np.broadcast_to(np.array([12, -34], dtype=np.float32).reshape(2, 1, 1), (2, 8, 12))
    slope, offset = upsample(ab, guide, (31.0, 47.0), (2.0, 2.0), (4.0, 4.0))
    reached = slope * guide + offset
    np.testing.assert_allclose(reached, np.broadcast_to([[[12]], [[-34]]], reached.shape), atol=1e-3)


def test_a_faded_photograph_keeps_its_colours_apart_as_well():
    """The same picture with half the contrast gives the same colours."""
    guide, ab = _scene((40, 40), (5, 5), seed=3)
    layout = (40.0, 40.0), (4.0, 4.0), (8.0, 8.0)
    faded = 45 + (guide - 45) / 2
    colours = [slope * light + offset for light in (guide, faded) for slope, offset in [upsample(ab, light, *layout)]]
    np.testing.assert_allclose(colours[0], colours[1], atol=0.05)
