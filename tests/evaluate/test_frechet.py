import tracemalloc

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from tintype.evaluate import frechet as module
from tintype.evaluate.frechet import frechet


def _features(seed, rows, width):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)).astype(
        np.float32
    )


def _slow(one, other):
    """The formula as it is printed, by a square root of a matrix."""
    (m1, c1), (m2, c2) = ((x.mean(0), np.cov(x, rowvar=False)) for x in (one.astype(float), other.astype(float)))
    return ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * np.real(sqrtm(c1 @ c2)))


def test_it_is_the_formula_with_the_square_root_of_a_matrix():
    one, other = _features(0, 300, 12), _features(1, 300, 12)
    assert frechet(one, other).value == pytest.approx(_slow(one, other), rel=1e-9)


@pytest.mark.parametrize("rows", [300, 20])
def test_torch_fidelity_agrees_with_more_and_with_fewer_photographs_than_features(rows):
    one, other = _features(0, rows, 32), _features(1, rows, 32)
    expected = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other)), verbose=False
    )
    assert frechet(one, other).value == pytest.approx(expected["frechet_inception_distance"], rel=1e-5)


def test_gaussians_of_one_dimension_differ_by_mean_and_deviation():
    one = np.random.default_rng(0).normal(size=(400, 1))
    one = (one - one.mean()) / one.std(ddof=1)
    assert frechet(one, 3 * one + 5).value == pytest.approx(5**2 + (3 - 1) ** 2, rel=1e-9)


def test_equal_features_are_no_distance_apart():
    one = _features(0, 50, 12)
    assert frechet(one, one.copy()).value == pytest.approx(0, abs=1e-6 * one.var(axis=0).sum())


def test_features_that_never_vary_add_nothing():
    one, other = _features(0, 90, 12), _features(1, 90, 12)
    dead = [np.concatenate([x, np.ones((90, 5), np.float32)], axis=1) for x in (one, other)]
    assert frechet(*dead).value == pytest.approx(frechet(one, other).value, rel=1e-5)
    assert frechet(dead[0][:, 12:], dead[1][:, 12:]).value == pytest.approx(0, abs=1e-6)


def test_torch_fidelity_agrees_on_features_of_which_many_depend_on_each_other():
    one, other = (_features(seed, 300, 8) @ _features(9, 8, 40) for seed in (0, 1))
    expected = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other)), verbose=False
    )
    assert frechet(one, other).value == pytest.approx(expected["frechet_inception_distance"], rel=1e-4)


def test_blocks_of_rows_change_nothing(monkeypatch):
    one, other = _features(0, 90, 12), _features(1, 90, 12)
    expected = frechet(one, other)
    monkeypatch.setattr(module, "_ROWS", 4)
    assert frechet(one, other) == pytest.approx(expected, rel=1e-9)


def test_the_interval_is_the_jackknifes_over_groups():
    one, other, groups = _features(0, 60, 6), _features(1, 60, 6), 10
    kept = [np.arange(60) % groups != group for group in range(groups)]
    without = np.array([_slow(one[rows], other[rows]) for rows in kept])
    error = np.sqrt((groups - 1) / groups * ((without - without.mean()) ** 2).sum())
    value, low, high = frechet(one, other, groups)
    assert (value - low, high - value) == pytest.approx((1.96 * error, 1.96 * error), rel=1e-6)


def test_the_interval_tells_how_far_other_samples_lie():
    samples = [
        frechet(*(np.random.default_rng(2 * seed + side).normal(side, 1 + side, (300, 4)) for side in (0, 1)))
        for seed in range(60)
    ]
    spread = np.std([sample.value for sample in samples])
    told = np.mean([(sample.high - sample.low) / (2 * 1.96) for sample in samples])
    assert told == pytest.approx(spread, rel=0.3)


def test_too_few_photographs_have_no_interval_and_one_has_no_distance():
    few = frechet(_features(0, 12, 4), _features(1, 12, 4))
    assert np.isfinite(few.value)
    assert np.isnan([few.low, few.high]).all()
    assert np.isnan(frechet(_features(0, 1, 4), _features(1, 1, 4))).all()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def peak(rows):
        paths = []
        for seed in (0, 1):
            np.lib.format.open_memmap(tmp_path / f"{seed}.npy", "w+", np.float32, (rows, 16))[:] = _features(
                seed, rows, 16
            )
            paths.append(tmp_path / f"{seed}.npy")
        tracemalloc.start()
        frechet(*(np.load(path, mmap_mode="r") for path in paths))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(80_000) < 1.2 * peak(20_000)
