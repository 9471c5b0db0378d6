import numpy as np
import pytest
from scipy.stats import norm

from reference import study as reference
from tintype.study.exclusion import practice_needed
from tintype.study.power import visitors_needed
from tintype.study.statistics import bootstrap, interval, most_convincing_first


def _visitors(count, seed):
    rng = np.random.default_rng(seed)
    trials = rng.choice([40, 40, 39, 21], count)
    return rng.binomial(trials, rng.uniform(0.1, 0.6, count)), trials


@pytest.mark.parametrize("count", [2, 5, 40])
def test_the_bootstrap_is_that_of_visitors_drawn_one_by_one(count):
    fooled, trials = _visitors(count, count)
    samples = bootstrap(fooled, trials, np.random.default_rng(0))
    slow = reference.bootstrap(list(zip(fooled, trials, strict=True)), 4000, np.random.default_rng(1))
    assert samples.mean() == pytest.approx(slow.mean(), abs=4 * slow.std() / 4000**0.5)
    assert samples.std() == pytest.approx(slow.std(), rel=0.06)
    assert interval(samples) == pytest.approx(np.percentile(slow, [2.5, 97.5]), abs=0.25 * slow.std())


def test_the_interval_holds_the_true_rate_in_about_95_of_100_studies():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(300):
        fooled = rng.binomial(40, np.clip(rng.normal(0.32, 0.1, 40), 0, 1))
        low, high = interval(bootstrap(fooled, np.full(40, 40), rng))
        hits += low <= 0.32 <= high
    assert 0.90 <= hits / 300 <= 0.985


def test_resampling_trials_instead_of_visitors_would_be_too_sure():
    """Half the visitors are always fooled and half never: the interval must show that visitors differ."""
    fooled = np.array([40] * 10 + [0] * 10)
    low, high = interval(bootstrap(fooled, np.full(20, 40), np.random.default_rng(0)))
    assert high - low > 0.35  # over trials it would be 0.07


@pytest.mark.parametrize(("difference", "spread"), [(0.06, 0.08), (0.1, 0.1), (0.04, 0.0)])
def test_as_many_visitors_as_are_said_to_be_needed_find_the_difference_in_80_of_100_studies(difference, spread):
    trials = 40
    variances = tuple(spread**2 + rate * (1 - rate) / trials for rate in (0.3, 0.3 + difference))
    needed = visitors_needed(difference, variances)
    found = reference.power(difference, spread, needed, trials, np.random.default_rng(0))
    assert found == pytest.approx(0.8, abs=0.03)
    assert reference.power(difference, spread, needed // 2, trials, np.random.default_rng(1)) < 0.6


def test_visitors_needed_are_the_fewest_with_that_power():
    needed = visitors_needed(0.05, (0.01, 0.02))
    powers = [norm.cdf(0.05 / np.sqrt(0.03 / n) - norm.ppf(0.975)) for n in (needed - 1, needed)]
    assert powers[0] < 0.8 <= powers[1]


def test_no_number_of_visitors_tells_equal_methods_apart():
    assert visitors_needed(0.0, (0.01, 0.01)) is None
    assert visitors_needed(float("nan"), (0.01, 0.01)) is None


@pytest.mark.parametrize("pairs", range(15))
def test_who_guesses_fails_the_practice_check_in_at_most_2_of_100_cases_and_no_stricter_rule_does(pairs):
    needed = practice_needed(pairs)
    assert reference.guesser_fails(pairs, needed) <= 0.02
    assert needed == pairs or reference.guesser_fails(pairs, needed + 1) > 0.02


def test_one_of_one_does_not_beat_nine_of_ten():
    trials, fooled = np.array([1, 10, 0, 10]), np.array([1, 9, 0, 0])
    assert list(most_convincing_first(trials, fooled)) == [1, 0, 3]
