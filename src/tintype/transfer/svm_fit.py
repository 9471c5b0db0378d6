"""Linear SVMs on features, one for each class against all others (Goyal et al. 2019; PAPERS F2).

What each class has labels for is independent of the others', so that fits run in as many processes as there are.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.svm import LinearSVC

from tintype.data.voc import IGNORED
from tintype.transfer.average_precision import average_precision
from tintype.transfer.features import Features


@dataclass(frozen=True)
class SvmSettings:
    """How SVMs are fitted, as in VISSL and FAIR's benchmark.

    Attributes:
        costs: that are tried.
        folds: of the cross-validation that chooses one of them.
        max_iter, tol: of liblinear.
        positive_weight: of the pictures that show the class, relative to the others.
        seed: of liblinear's order of pictures.
    """

    costs: Sequence[float]
    folds: int = 3
    max_iter: int = 2000
    tol: float = 1e-4
    positive_weight: float = 2.0
    seed: int = 0

    def svm(self, cost: float) -> LinearSVC:
        """An SVM that is not fitted yet: squared hinge loss, L2, dual; its classes are 1 and -1."""
        return LinearSVC(
            C=cost,
            penalty="l2",
            loss="squared_hinge",
            dual=True,
            class_weight={1: self.positive_weight, -1: 1.0},
            tol=self.tol,
            max_iter=self.max_iter,
            random_state=self.seed,
        )


class Fitted(NamedTuple):
    """One SVM for each class.

    Attributes:
        weights: (classes, D), of those that some picture shows; 0 for the others.
        intercepts: (classes,), likewise.
        costs: that were chosen, (classes,); NaN likewise.
        precisions: average precision in cross-validation, (classes, costs); NaN where a class was too rare for it.
        fits: how many SVMs were fitted; unconverged: how many of them had not converged after `max_iter` iterations.
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    costs: NDArray[np.float64]
    precisions: NDArray[np.float64]
    fits: int
    unconverged: int

    def scores(self, features: Features) -> NDArray[np.float64]:
        """(N, D) to (N, classes)."""
        return np.asarray(features @ self.weights.T + self.intercepts)


def fit_classes(features: Features, labels: NDArray[np.uint8], settings: SvmSettings, jobs: int = 1) -> Fitted:
    """Choose each class's cost by cross-validated average precision, and fit its SVM on all pictures.

    Pictures whose label is `IGNORED` are negatives in training, as in VISSL and FAIR's benchmark. A class that fewer
    pictures show than there are folds gets fewer folds; one that a single picture shows, the cost that is best for the
    other classes on average.

    Args:
        features: (N, D).
        labels: (N, classes).
        jobs: processes.
    """
    classes, positive = range(labels.shape[1]), labels == 1
    shown = [c for c in classes if 0 < positive[:, c].sum() < len(positive)]
    tasks = [(c, cost) for c in shown if _folds(positive[:, c], settings) > 1 for cost in settings.costs]
    work = (delayed(cross_validated)(features, positive[:, c], cost, settings) for c, cost in tasks)
    tried = Parallel(n_jobs=jobs)(work)
    precisions = np.full((len(classes), len(settings.costs)), np.nan)
    for (c, cost), (precision, _, _) in zip(tasks, tried, strict=True):
        precisions[c, list(settings.costs).index(cost)] = precision
    costs = _choose(precisions, shown, settings.costs)
    fitted = Parallel(n_jobs=jobs)(delayed(_fit)(features, positive[:, c], costs[c], settings) for c in shown)
    weights, intercepts = np.zeros((len(classes), features.shape[1])), np.zeros(len(classes))
    for c, (svm, _) in zip(shown, fitted, strict=True):
        weights[c], intercepts[c] = svm.coef_[0], svm.intercept_[0]
    fits = sum(each[1] for each in tried) + len(fitted)
    unconverged = sum(each[2] for each in tried) + sum(each[1] for each in fitted)
    return Fitted(weights, intercepts, costs, precisions, fits, unconverged)


def cross_validated(
    features: Features, positive: NDArray[np.bool_], cost: float, settings: SvmSettings
) -> tuple[float, int, int]:
    """Mean average precision over the folds, the number of fits, and how many did not converge.

    Average precision is scikit-learn's, and folds are as its cross_val_score makes them: in order, with the same share
    of positives in each.
    """
    folds = _folds(positive, settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        found = cross_val_score(
            settings.svm(cost), features, _signs(positive), cv=folds, scoring="average_precision", error_score="raise"
        )
    return float(found.mean()), folds, _unconverged(caught)


class LowShot(NamedTuple):
    """What few pictures teach.

    Attributes:
        precisions: average precision on the test set, area, (classes, costs); NaN for a class that cannot be measured.
        positives: that each class was learned from, (classes,).
        fits, unconverged: as of `Fitted`.
    """

    precisions: NDArray[np.float64]
    positives: NDArray[np.int64]
    fits: int
    unconverged: int


def draw_shots(labels: NDArray[np.uint8], shots: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Labels of which few are left: for each class `shots` positives, and `classes` - 1 times as many negatives.

    All others become `IGNORED`. A class with fewer keeps all that it has. As create_voc_low_shot_samples.py of FAIR's
    benchmark draws them: each class by itself, so that a picture may be left to some classes and not to others.

    Args:
        labels: (N, classes).
    """
    few = np.full_like(labels, IGNORED)
    for c, truth in enumerate(labels.T):
        for label, wanted in ((1, shots), (0, shots * (labels.shape[1] - 1))):
            have = np.flatnonzero(truth == label)
            few[rng.permutation(have)[:wanted], c] = label
    return few


def fit_low_shot(
    train: Features,
    few: NDArray[np.uint8],
    test: Features,
    labels: NDArray[np.uint8],
    settings: SvmSettings,
    jobs: int = 1,
) -> LowShot:
    """Fit each class's SVM at each cost on the pictures that `draw_shots` left it, and measure it on the test set.

    Args:
        train, few: features, (N, D), and what is left of their labels, (N, classes).
        test, labels: likewise.
    """
    classes = range(labels.shape[1])
    left = [few[:, c] != IGNORED for c in classes]
    positives = (few == 1).sum(axis=0)
    able = [c for c in classes if 0 < positives[c] < left[c].sum()]
    work = (delayed(_few)(train[left[c]], few[left[c], c] == 1, test, labels[:, c], settings) for c in able)
    precisions, unconverged = np.full((len(classes), len(settings.costs)), np.nan), 0
    for c, (row, failed) in zip(able, Parallel(n_jobs=jobs)(work), strict=True):
        precisions[c] = row
        unconverged += failed
    return LowShot(precisions, positives, len(able) * len(settings.costs), unconverged)


def _few(
    known: Features, positive: NDArray[np.bool_], asked: Features, truth: NDArray[np.uint8], settings: SvmSettings
) -> tuple[list[float], int]:
    found, failed = [], 0
    for cost in settings.costs:
        svm, bad = _fit(known, positive, cost, settings)
        found.append(average_precision(svm.decision_function(asked), truth).area)
        failed += bad
    return found, failed


def _fit(features: Features, positive: NDArray[np.bool_], cost: float, settings: SvmSettings) -> tuple[LinearSVC, int]:
    """A fitted SVM, and 1 if it did not converge."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        svm = settings.svm(float(cost)).fit(features, _signs(positive))
    return svm, _unconverged(caught)


def _choose(precisions: NDArray[np.float64], shown: Sequence[int], costs: Sequence[float]) -> NDArray[np.float64]:
    """The best cost of each class; of equal ones the first."""
    tried = np.asarray(np.isfinite(precisions).all(axis=1))
    usual = precisions[tried].mean(axis=0).argmax() if tried.any() else 0
    chosen = np.full(len(precisions), np.nan)
    for c in shown:
        chosen[c] = costs[int(precisions[c].argmax() if tried[c] else usual)]
    return chosen


def _folds(positive: NDArray[np.bool_], settings: SvmSettings) -> int:
    shown = int(positive.sum())
    return min(settings.folds, shown, len(positive) - shown)


def _signs(positive: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(positive, 1, -1)


def _unconverged(caught: Sequence[Any]) -> int:
    return sum(issubclass(warning.category, ConvergenceWarning) for warning in caught)
