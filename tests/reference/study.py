"""The study's statistics, slow and obvious."""

import math

import numpy as np


def bootstrap(visitors, samples, rng):
    """Shares of pairs fooled, visitors drawn one by one; `visitors` is a list of (fooled, trials)."""
    shares = []
    for _ in range(samples):
        drawn = [visitors[rng.integers(len(visitors))] for _ in visitors]
        shares.append(sum(fooled for fooled, _ in drawn) / sum(trials for _, trials in drawn))
    return np.array(shares)


def power(difference, spread, visitors, trials, rng, studies=4000):
    """How often a difference is found at 5 %, two-sided, by Welch's test on simulated visitors' shares.

    Each visitor is fooled at a rate of his own, of standard deviation `spread` about his method's.
    """
    from scipy.stats import ttest_ind

    rates = [0.3, 0.3 + difference]
    shares = [
        rng.binomial(trials, np.clip(rng.normal(rate, spread, (studies, visitors)), 0, 1)) / trials for rate in rates
    ]
    return float((ttest_ind(*shares, axis=1, equal_var=False).pvalue < 0.05).mean())


def guesser_fails(pairs, needed):
    """The chance to have fewer than `needed` of `pairs` right by guessing, over all ways to guess."""
    ways = [bin(way).count("1") for way in range(2**pairs)]
    return math.fsum(right < needed for right in ways) / len(ways)
