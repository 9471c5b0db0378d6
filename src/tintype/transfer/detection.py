"""Average precision of detected boxes by the rule of the PASCAL VOC devkit (VOCevaldet.m).

In order of falling score, each detection is held against the true box of its class and image that it overlaps most. If
intersection over union is at least .5, it is right where that box was not found before, wrong where it was, and neither
where the box is difficult; below .5 it is wrong. COCO's rule is another: there a detection turns to a box that is still
free, and wins more where true boxes overlap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.data.boxes import Boxes
from tintype.transfer.average_precision import AveragePrecision, of_ranking

_OVERLAP = 0.5


class Detections(NamedTuple):
    """What was detected in one image.

    Attributes:
        corners: (n, 4), left, top, right, bottom.
        classes: (n,).
        scores: (n,), comparable between the images of a set.
    """

    corners: NDArray[np.floating]
    classes: NDArray[np.integer]
    scores: NDArray[np.floating]


class Ranking(NamedTuple):
    """One class's detections in order of falling score, without those that count neither for nor against.

    Attributes:
        right: (n,).
        positives: number of true boxes that are not difficult.
    """

    right: NDArray[np.bool_]
    positives: int


def detection_average_precision(
    detections: Sequence[Detections], truths: Sequence[Boxes], classes: int, *, inclusive: bool
) -> list[AveragePrecision]:
    """Average precision at an intersection over union of .5 of each class 0..classes-1; see `rank`.

    A class without a box to find gives NaN; `mean_over_classes` gives mAP@.5.
    """
    return [of_ranking(*ranking) for ranking in rank(detections, truths, classes, inclusive=inclusive)]


def rank(detections: Sequence[Detections], truths: Sequence[Boxes], classes: int, *, inclusive: bool) -> list[Ranking]:
    """Tell right from wrong detections of each class 0..classes-1.

    Detections of equal score stay in the order of images, and within an image in that of its detections.

    Args:
        detections: of each image.
        truths: of each image, in the same order; only corners, classes and difficult matter.
        classes: number of classes.
        inclusive: whether the corners are pixels that belong to the box, which is then right - left + 1 wide: the
            devkit's rule, and its annotations' corners. Otherwise they are points, and the box right - left wide.

    Raises:
        ValueError: the numbers of images differ, or a score or corner of a detection is not finite.
    """
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} images have detections, and {len(truths)} have true boxes")
    if not truths:
        return [Ranking(np.zeros(0, bool), 0)] * classes
    number = np.cumsum([0, *(len(truth.classes) for truth in truths)])  # of each image's first box
    hits = []
    for image, (found, truth) in enumerate(zip(detections, truths, strict=True)):
        if not (np.isfinite(found.scores).all() and np.isfinite(found.corners).all()):
            raise ValueError(f"image {image} has detections with scores or corners that are not finite numbers")
        nearest = _hit(found, truth, inclusive)
        hits.append(np.where(nearest < 0, -1, number[image] + nearest))
    box, scores = np.concatenate(hits), np.concatenate([found.scores for found in detections])
    of_found, of_true = (np.concatenate([each.classes for each in side]) for side in (detections, truths))
    difficult = np.concatenate([truth.difficult for truth in truths])
    counted = ~np.append(difficult, False)[box]  # where no box is hit, that of -1
    order = np.argsort(-scores, kind="stable")
    order = order[counted[order]]
    first = np.zeros(len(order), bool)
    first[np.unique(box[order], return_index=True)[1]] = True
    right = first & (box[order] >= 0)
    of_found = of_found[order]
    return [Ranking(right[of_found == one], int((~difficult[of_true == one]).sum())) for one in range(classes)]


def _hit(found: Detections, truth: Boxes, inclusive: bool) -> NDArray[np.intp]:
    """For each detection, the true box of its class that it overlaps most, or -1 if that is too little."""
    if not len(truth.classes):
        return np.full(len(found.classes), -1)
    overlap = intersection_over_union(found.corners, truth.corners, inclusive=inclusive)
    overlap[found.classes[:, None] != truth.classes] = 0
    return np.where(overlap.max(axis=1) >= _OVERLAP, overlap.argmax(axis=1), -1)


def intersection_over_union(
    one: NDArray[np.floating], other: NDArray[np.floating], *, inclusive: bool
) -> NDArray[np.float64]:
    """Overlap of each of n boxes with each of m, (n, m), 0..1; 0 for boxes without area. See `rank` for `inclusive`."""
    a, b = np.asarray(one, np.float64)[:, None], np.asarray(other, np.float64)[None]
    shared = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]), inclusive)
    union = _area(a[..., :2], a[..., 2:], inclusive) + _area(b[..., :2], b[..., 2:], inclusive) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _area(first: NDArray[np.float64], last: NDArray[np.float64], inclusive: bool) -> NDArray[np.float64]:
    sides = (last - first + inclusive).clip(min=0)
    return np.asarray(sides.prod(axis=-1))
