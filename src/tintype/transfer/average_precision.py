"""Average precision by both rules of the PASCAL VOC devkit: 11 points of recall (to 2009), and area (from 2010).

Both read the curve of precision over recall that falls as the score does, and take for the precision at a recall the
best at that recall or any above (Everingham et al. 2010, section 4.2). scikit-learn's average_precision_score does not,
so it lies below the area wherever precision rises again further down the ranking.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.data.voc import IGNORED


class AveragePrecision(NamedTuple):
    """Average precision by both rules, each in 0..1; NaN where there is nothing to find."""

    eleven_point: float
    area: float


def average_precision(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> AveragePrecision:
    """Average precision of one class over images, as VOCevalcls.m of the devkits of 2007 and 2010 find it.

    Equal scores stay in the order they are given in, as in the devkit's stable sort. A class without a positive image
    gives NaN, where the devkit gives 0: no score could find what is not there.

    Args:
        scores: how sure it is that each image shows the class, (n,).
        labels: 1 where it does, 0 where not, `IGNORED` where only difficult objects are seen, (n,); images of the last
            kind count neither for nor against. The devkit's own files say 1, -1 and 0 for these.

    Raises:
        ValueError: the shapes differ, a score is NaN, or there is a label of another value.
    """
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(f"expected a score and a label for each image, got {scores.shape} and {labels.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} of {len(scores)} scores are not a number")
    others = np.setdiff1d(labels, [0, 1, IGNORED])
    if len(others):
        raise ValueError(f"labels are 1, 0 or {IGNORED}, got {others[0]}")
    right = labels[np.argsort(-scores, kind="stable")]
    return of_ranking(right[right != IGNORED] == 1, int((labels == 1).sum()))


def of_ranking(right: NDArray[np.bool_], positives: int) -> AveragePrecision:
    """Average precision of answers in order of falling score.

    Recall is compared with the eleven points in whole numbers: 3 of 10 found reach a recall of .3, which the devkit's
    threshold misses, .30000000000000004 after rounding.

    Args:
        right: whether each answer is right, (n,).
        positives: how many right ones there are to find, with those that no answer names.
    """
    if not positives:
        return AveragePrecision(np.nan, np.nan)
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0 at recalls that are never reached
    points = best[np.searchsorted(10 * found, positives * np.arange(11))]
    return AveragePrecision(float(points.mean()), float(best[:-1][right].sum() / positives))


def mean_over_classes(classes: Iterable[AveragePrecision]) -> AveragePrecision:
    """Mean average precision (mAP), over the classes that have something to find; NaN if none has."""
    known = [each for each in classes if not np.isnan(each.area)]
    if not known:
        return AveragePrecision(np.nan, np.nan)
    return AveragePrecision(*(float(np.mean(values)) for values in zip(*known, strict=True)))
