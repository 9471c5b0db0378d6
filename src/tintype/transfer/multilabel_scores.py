"""Average precision of each class of pictures that show several, and their mean (PAPERS B3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.voc import IGNORED
from tintype.transfer.average_precision import average_precision

RULES = ("area", "eleven_point", "scikit_learn")


def class_precisions(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Average precision of each class, in per cent, by the devkits' two rules and scikit-learn's.

    Args:
        scores: of each picture for each class, (n, classes).
        labels: 1, 0, or `IGNORED` for pictures that count neither for nor against, (n, classes).

    Returns:
        (classes, 3), in the order of `RULES`; NaN for a class that no picture shows.
    """
    found = np.full((scores.shape[1], len(RULES)), np.nan)
    for number, (values, truth) in enumerate(zip(scores.T, labels.T, strict=True)):
        by_devkit = average_precision(values, truth)
        found[number] = by_devkit.area, by_devkit.eleven_point, _scikit_learn(values, truth)
    return 100 * found


def mean_precision(precisions: NDArray[np.float64]) -> dict[str, float | None]:
    """Mean over the classes that some picture shows, by each rule; None without any. See `class_precisions`."""
    known = precisions[~np.isnan(precisions).any(axis=1)]
    return {rule: float(known[:, i].mean()) if len(known) else None for i, rule in enumerate(RULES)}


def class_table(
    precisions: NDArray[np.float64], labels: NDArray[np.integer], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Each class's average precision by each rule, and how many pictures show it; without classes that none shows."""
    return {
        name: {**dict(zip(RULES, row.tolist(), strict=True)), "positives": int((truth == 1).sum())}
        for name, row, truth in zip(names, precisions, labels.T, strict=True)
        if not np.isnan(row).any()
    }


def _scikit_learn(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """As Krähenbühl's train_cls.py asks for it: of pictures that score the same, negatives come first."""
    from sklearn.metrics import average_precision_score

    counted = labels != IGNORED
    truth = labels[counted] == 1
    if not truth.any():
        return float("nan")
    return float(average_precision_score(truth, scores[counted] - 1e-5 * truth))
