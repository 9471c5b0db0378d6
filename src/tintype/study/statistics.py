"""How often each method fooled its visitors, with bootstrap intervals over visitors (as in Zhang16, Table 1)."""

from dataclasses import dataclass

import numpy as np

from tintype.study.answers import Answers, Bools, Floats, Ints

SAMPLES = 10_000
SEED = 0


@dataclass(frozen=True)
class Fooled:
    """What came of one method.

    Attributes:
        visitors: how many gave answers that count.
        trials: how many answers count.
        fooled: in how many the true picture was taken for the made-up one.
        share: fooled / trials; nan without trials.
        interval: 95 %, of the share; nan with fewer than two visitors.
        variance: of the visitors' own shares; nan with fewer than two.
        samples: the bootstrap's shares, for differences between methods, (10000,); empty with fewer than two.
    """

    visitors: int
    trials: int
    fooled: int
    share: float
    interval: tuple[float, float]
    variance: float
    samples: Floats


def fooled_by(answers: Answers, counts: Bools, method: int) -> Fooled:
    """How often a method fooled its visitors.

    Args:
        counts: which answers count, (N,).
        method: its index.
    """
    trials = answers.per_visitor(counts)
    fooled = answers.per_visitor(counts & answers.fooled)
    chosen = (answers.method_of == method) & (trials > 0)
    trials, fooled = trials[chosen], fooled[chosen]
    all_trials, all_fooled = int(trials.sum()), int(fooled.sum())
    share = all_fooled / all_trials if all_trials else np.nan
    if len(trials) < 2:
        return Fooled(len(trials), all_trials, all_fooled, share, (np.nan, np.nan), np.nan, np.empty(0))
    samples = bootstrap(fooled, trials, np.random.default_rng([SEED, method]))
    variance = float(np.var(fooled / trials, ddof=1))
    return Fooled(len(trials), all_trials, all_fooled, share, interval(samples), variance, samples)


def bootstrap(fooled: Ints, trials: Ints, rng: np.random.Generator) -> Floats:
    """Shares of pairs fooled in samples of visitors, drawn with replacement: (10000,).

    Visitors with the same figures are drawn as one kind, by a multinomial, which comes to the same and is quick.

    Args:
        fooled, trials: by visitor, (V,).
    """
    kinds, common = np.unique(np.stack([fooled, trials]), axis=1, return_counts=True)
    drawn = rng.multinomial(len(trials), common / len(trials), SAMPLES)
    shares: Floats = (drawn @ kinds[0]) / (drawn @ kinds[1])
    return shares


def interval(samples: Floats) -> tuple[float, float]:
    """The middle 95 % of samples."""
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def per_picture(answers: Answers, counts: Bools, method: int, pictures: int) -> tuple[Ints, Ints]:
    """How often each picture was judged in a method's colours, and how often it fooled: twice (pictures,)."""
    chosen = counts & (answers.method_of[answers.visitor] == method)
    trials = np.bincount(answers.picture[chosen], minlength=pictures)
    fooled = np.bincount(answers.picture[chosen & answers.fooled], minlength=pictures)
    return trials, fooled


def most_convincing_first(trials: Ints, fooled: Ints) -> Ints:
    """Indices of the pictures that were judged.

    They are ordered by (fooled + 1) / (trials + 2), so that one of one does not beat nine of ten.
    """
    order = np.argsort(-(fooled + 1) / (trials + 2), kind="stable")
    return order[trials[order] > 0]
