import math
import tracemalloc

import numpy as np
import pytest

from reference.frechet import distance, jackknife_error
from tintype.evaluate.frechet import frechet


def _features(seed, rows, columns, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))
    return (scale * mixed + shift).astype(np.float32)


def _exact(rows, mean, covariance, seed=0):
    """Rows whose sample mean and covariance are exactly these."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(mean)))
    x -= x.mean(axis=0)
    x = np.linalg.solve(np.linalg.cholesky(np.cov(x, rowvar=False)), x.T).T
    return x @ np.linalg.cholesky(np.asarray(covariance, float)).T + mean


@pytest.mark.parametrize("rows", [60, 1500])  # one block, and more than one
def test_distance_is_the_formula_with_a_matrix_root(rows):
    true, others = _features(1, rows, 24), _features(2, rows, 24, 1.2, 0.3)
    assert frechet(true, others).value == pytest.approx(distance(true, others), rel=1e-6)


def test_distance_is_what_torchmetrics_finds():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image.fid")

    class Same(torch.nn.Module):
        num_features = 16

        def forward(self, x):
            return x

    true, others = _features(3, 200, 16), _features(4, 200, 16, 0.8, 0.5)
    metric = image.FrechetInceptionDistance(feature=Same(), input_img_size=(16,)).set_dtype(torch.float64)
    metric.update(torch.from_numpy(true).double(), real=True)
    metric.update(torch.from_numpy(others).double(), real=False)
    assert frechet(true, others).value == pytest.approx(float(metric.compute()), rel=1e-5)


def test_distance_of_known_gaussians_is_their_closed_form():
    # diagonal covariances: the squared shift, plus the squared differences of the deviations
    true = _exact(50, [0, 0, 0], np.diag([1, 4, 9]))
    others = _exact(50, [1, 2, 2], np.diag([4, 4, 1]), seed=1)
    assert frechet(true, others).value == pytest.approx(9 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, rel=1e-9)


def test_fewer_rows_than_dimensions_are_measured_in_the_space_that_they_span():
    """Rows that lie in a plane of a large space are as far from each other as in the plane itself."""
    small, other = _features(5, 30, 8), _features(6, 30, 8, shift=1)
    basis = np.linalg.qr(np.random.default_rng(7).normal(size=(200, 8)))[0]
    inside = frechet((small @ basis.T).astype(np.float32), (other @ basis.T).astype(np.float32)).value
    assert inside == pytest.approx(distance(small, other), rel=1e-4)


@pytest.mark.parametrize("rows", [40, 400])
def test_a_set_is_at_no_distance_from_itself_in_any_order(rows):
    true = _features(8, rows, 64)
    shuffled = np.random.default_rng(0).permutation(true)
    assert frechet(true, true).value == pytest.approx(0, abs=float(1e-6 * np.square(true).sum() / rows))
    assert frechet(true, shuffled).value == pytest.approx(0, abs=float(1e-6 * np.square(true).sum() / rows))


@pytest.mark.parametrize(("rows", "groups"), [(400, 10), (83, 7)])  # groups of one size, and not
def test_interval_is_that_of_a_jackknife_that_refits_without_each_group(rows, groups):
    true, others = _features(9, rows, 6), _features(10, rows, 6, 1.5, 0.5)
    found = frechet(true, others, groups)
    error = jackknife_error(true, others, groups)
    assert found.value == pytest.approx(distance(true, others), rel=1e-6)
    assert found.high - found.value == pytest.approx(1.96 * error, rel=1e-4)
    assert found.low == pytest.approx(max(0, found.value - 1.96 * error), rel=1e-4)


def test_most_intervals_hold_the_distance_of_the_distributions():
    """Two Gaussians of known distance, 100 samples of 600 rows: about 95 intervals must hold it."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = frechet(rng.normal(size=(600, 3)), rng.normal(size=(600, 3)) * [1, 2, 1] + [1, 0, 0])
        held += found.low <= 2 <= found.high
    assert 85 <= held <= 100


def test_the_interval_never_goes_below_zero():
    true = _features(11, 60, 4)
    noise = np.random.default_rng(0).normal(0, 0.01, true.shape).astype(np.float32)
    assert frechet(true, true + noise, 3).low >= 0


def test_too_few_rows_give_nan_and_not_a_number_that_means_nothing():
    for rows in (0, 1):
        assert all(math.isnan(x) for x in frechet(_features(1, rows, 4), _features(2, rows, 4)))
    one, other = _features(1, 19, 4), _features(2, 19, 4)
    found = frechet(one, other)
    assert found.value == pytest.approx(distance(one, other), rel=1e-6)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert frechet(_features(1, 20, 4), _features(2, 20, 4)).high > 0


def test_features_of_other_photographs_are_refused():
    with pytest.raises(ValueError, match="same photographs"):
        frechet(_features(1, 5, 4), _features(1, 6, 4))


def test_features_that_are_not_finite_are_refused():
    true = _features(1, 30, 4)
    others = true.copy()
    others[3, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        frechet(true, others)


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    def peak(rows):
        files = [tmp_path / f"{name}-{rows}.bin" for name in ("true", "others")]
        for seed, file in enumerate(files):
            np.random.default_rng(seed).normal(size=(rows, 32)).astype(np.float32).tofile(file)
        maps = [np.memmap(file, np.float32, "r", shape=(rows, 32)) for file in files]
        tracemalloc.start()
        frechet(*maps)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(100)  # what the first call alone allocates
    few, many = peak(20_000), peak(160_000)
    assert many < 1.1 * few
    assert many < 160_000 * 32 * 4 / 4
