import numpy as np
import pytest

from reference import rarity as reference
from reference.bins import bin_centres
from tintype.color.rarity import rebalancing_weights, smoothed_prior

CENTRES = bin_centres().astype(float)
Q = len(CENTRES)


def counts_as_in_photographs() -> np.ndarray:
    """Most pixels near grey, many bins never seen."""
    rng = np.random.default_rng(0)
    return np.floor(1e6 * np.exp(-np.linalg.norm(CENTRES, axis=1) / 6) * rng.uniform(0.5, 1.5, Q))


@pytest.mark.parametrize("sigma", [5.0, 2.0, 20.0])
def test_smoothed_prior_agrees_with_the_slow_twin(sigma):
    counts = counts_as_in_photographs()
    np.testing.assert_allclose(
        smoothed_prior(counts, sigma), reference.smoothed_prior(counts, CENTRES, sigma), rtol=1e-5, atol=1e-12
    )


def test_smoothed_prior_uses_sigma_five_unless_told():
    counts = counts_as_in_photographs()
    np.testing.assert_array_equal(smoothed_prior(counts), smoothed_prior(counts, 5.0))


@pytest.mark.parametrize("q", [0, 17, 156, 312])
def test_one_bin_alone_is_smoothed_to_a_gaussian_around_it(q):
    prior = smoothed_prior(np.eye(Q)[q])
    gaussian = np.exp(-((CENTRES - CENTRES[q]) ** 2).sum(1) / 50)
    np.testing.assert_allclose(prior, gaussian / gaussian.sum(), rtol=1e-5, atol=1e-12)


def test_smoothed_prior_is_a_distribution_whatever_the_scale_of_the_counts():
    counts = counts_as_in_photographs()
    prior = smoothed_prior(counts)
    assert prior.shape == (Q,)
    assert prior.dtype == np.float64
    assert (prior >= 0).all()
    assert prior.sum() == pytest.approx(1, abs=1e-12)
    for same in (counts * 1e9, counts / counts.sum(), counts.astype(np.int64), counts.tolist()):
        np.testing.assert_allclose(smoothed_prior(same), prior, rtol=1e-9)


def test_no_pixel_is_lost_at_the_border_of_the_gamut():
    """Two bins seen equally often, one in the middle and one at a tip, hold equal shares of the smoothed prior."""
    counts = np.zeros(Q)
    middle, tip = (int(np.flatnonzero((colour == CENTRES).all(1))[0]) for colour in ((0, 0), (100, -90)))
    counts[[middle, tip]] = 1
    near_the_tip = np.linalg.norm(CENTRES - CENTRES[tip], axis=1) < 60
    assert smoothed_prior(counts)[near_the_tip].sum() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    "counts",
    [np.zeros(Q), np.ones(Q - 1), np.ones((Q, 1)), -np.ones(Q), np.where(np.arange(Q) == 3, -1.0, 5.0)],
    ids=["all zero", "one too few", "a column", "all negative", "one negative"],
)
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="count"):
        smoothed_prior(counts)


@pytest.mark.parametrize("uniform", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_rebalancing_weights_agree_with_the_slow_twin(uniform):
    prior = smoothed_prior(counts_as_in_photographs())
    np.testing.assert_allclose(
        rebalancing_weights(prior, uniform), reference.rebalancing_weights(prior, uniform), rtol=1e-6
    )


@pytest.mark.parametrize("uniform", [0.0, 0.25, 0.5, 1.0])
def test_the_expected_weight_is_one(uniform):
    prior = smoothed_prior(counts_as_in_photographs())
    assert (prior * rebalancing_weights(prior, uniform)).sum() == pytest.approx(1, abs=1e-9)
    prior[::3] = 0
    prior /= prior.sum()
    assert (prior * rebalancing_weights(prior, uniform)).sum() == pytest.approx(1, abs=1e-9)


def test_lambda_is_a_half_unless_told():
    prior = smoothed_prior(counts_as_in_photographs())
    np.testing.assert_array_equal(rebalancing_weights(prior), rebalancing_weights(prior, 0.5))


def test_lambda_one_weighs_all_colours_alike():
    prior = smoothed_prior(counts_as_in_photographs())
    np.testing.assert_allclose(rebalancing_weights(prior, 1.0), 1, rtol=1e-9)


def test_lambda_zero_is_the_inverse_prior():
    prior = smoothed_prior(counts_as_in_photographs(), sigma=20)
    np.testing.assert_allclose(rebalancing_weights(prior, 0.0), 1 / (Q * prior), rtol=1e-6)


def test_rarer_colours_weigh_more():
    prior = smoothed_prior(counts_as_in_photographs())
    assert (np.diff(rebalancing_weights(prior)[np.argsort(prior)]) <= 0).all()


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1.0])
def test_bins_of_zero_probability_get_the_largest_of_the_finite_weights(uniform):
    prior = smoothed_prior(counts_as_in_photographs())
    absent = np.arange(Q) % 4 == 0
    prior[absent] = 0
    prior /= prior.sum()
    weights = rebalancing_weights(prior, uniform)
    expected = reference.rebalancing_weights(prior, uniform)
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights[~absent], expected[~absent], rtol=1e-6)
    np.testing.assert_allclose(weights[absent], np.nanmax(expected), rtol=1e-6)


def test_the_published_prior_is_accepted_and_weighed_as_in_the_released_code(published_prior):
    weights = rebalancing_weights(published_prior)
    np.testing.assert_allclose(weights, reference.rebalancing_weights(published_prior, 0.5), rtol=1e-5)
    assert (published_prior * weights).sum() == pytest.approx(1, abs=1e-6)
    grey = int(np.flatnonzero((CENTRES == (0, 0)).all(1))[0])
    assert weights[grey] == weights.min()


@pytest.mark.parametrize("uniform", [-0.1, 1.1, float("nan")])
def test_a_share_of_the_uniform_distribution_outside_0_to_1_is_refused(uniform):
    with pytest.raises(ValueError, match="uniform"):
        rebalancing_weights(np.full(Q, 1 / Q), uniform)


@pytest.mark.parametrize(
    "prior",
    [np.full(Q, 2 / Q), np.zeros(Q), np.where(np.arange(Q) == 0, -1, 2 / (Q - 1)), np.full(Q, np.nan)],
    ids=["sum 2", "all zero", "negative", "nan"],
)
def test_a_prior_that_is_no_distribution_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        rebalancing_weights(prior)
