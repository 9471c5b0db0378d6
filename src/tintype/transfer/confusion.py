"""Segmentation scores from one confusion matrix, summed over the pixels of all images.

    counts = torch.zeros(21, 21, dtype=torch.int64)
    for predicted, true in images:
        counts += confusion_matrix(predicted, true, 21, void=255)
    scores = segmentation_scores(counts)

Processes that share a test set add up their counts; nothing else is needed for the same scores.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class SegmentationScores(NamedTuple):
    """Scores of a segmentation (Long et al. 2015, section 5), each in 0..1.

    Attributes:
        class_iu: intersection over union of each class, (classes,) float64: pixels of the class that were found,
            relative to those of the class, and those taken for it, together. NaN for a class that is in no truth and no
            prediction; 0 for one that is in predictions only.
        mean_iu: their mean, without NaN: VOC's segmentation accuracy.
        pixel_accuracy: share of pixels whose class was found.
        class_accuracy: share of each class's pixels that was found, (classes,) float64; NaN for a class in no truth.
        mean_accuracy: their mean, without NaN.
    """

    class_iu: Tensor
    mean_iu: float
    pixel_accuracy: float
    class_accuracy: Tensor
    mean_accuracy: float


def confusion_matrix(predicted: Tensor, true: Tensor, classes: int, void: int | None) -> Tensor:
    """Count pixels by true and predicted class.

    Args:
        predicted: class ids 0..classes-1, of any shape and integer type.
        true: likewise; pixels of the id `void` are not counted.
        classes: number of classes, without void.
        void: id of pixels that belong to no class (VOC: 255); None: there is none.

    Returns:
        (classes, classes) int64: rows are true classes, columns predicted ones.

    Raises:
        ValueError: the shapes differ, or an id at a pixel that counts is none of a class.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"prediction {tuple(predicted.shape)} and truth {tuple(true.shape)} differ in shape")
    predicted, true = predicted.flatten().long(), true.flatten().long()
    if void is not None:
        counted = true != void
        predicted, true = predicted[counted], true[counted]
    for name, ids in (("prediction", predicted), ("truth", true)):
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < classes:
            raise ValueError(f"{name} has ids from {int(ids.min())} to {int(ids.max())}, for {classes} classes")
    return torch.bincount(classes * true + predicted, minlength=classes**2).view(classes, classes)


def segmentation_scores(counts: Tensor) -> SegmentationScores:
    """Scores from a confusion matrix, (classes, classes): rows are true classes. All are NaN where nothing counts."""
    exact = counts.double().cpu()
    found, true, predicted = exact.diagonal(), exact.sum(1), exact.sum(0)
    iu, accuracy = found / (true + predicted - found), found / true  # 0 / 0 is NaN: a class that is not there
    return SegmentationScores(
        iu, float(iu.nanmean()), float(found.sum() / exact.sum()), accuracy, float(accuracy.nanmean())
    )
