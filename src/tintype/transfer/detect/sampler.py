"""Which boxes of a picture are learned from (Girshick 2015, section 2.3, "Mini-batch sampling")."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.transfer.detect.edges import Edges, encode, overlaps


class Rois(NamedTuple):
    """Regions of interest of one picture, and what to predict of them.

    Attributes:
        edges: (n, 4).
        labels: (n,) int64: 0 for background, 1 + class for an object.
        targets: (n, 4) float32, see `edges.encode`; 0 for background.
    """

    edges: Edges
    labels: NDArray[np.int64]
    targets: NDArray[np.float32]


class Quota(NamedTuple):
    """How many boxes of which kind.

    Attributes:
        rois: boxes of each picture, at most.
        foreground: share of them that may show objects; background takes what these leave.
        object_iou: overlap with a true box from which on a proposal shows an object.
        background_iou: a proposal whose largest overlap is in [low, high) is background. Below the low end, proposals
            are left out: those between are harder.
    """

    rois: int = 64
    foreground: float = 0.25
    object_iou: float = 0.5
    background_iou: tuple[float, float] = (0.1, 0.5)


def sample(proposals: Edges, boxes: Edges, classes: NDArray[np.int64], quota: Quota, rng: np.random.Generator) -> Rois:
    """Draw boxes without replacement: objects first, then background.

    Args:
        proposals: (n, 4). The true boxes are proposals too, as in the released code.
        boxes: true ones, (m, 4), without those that are difficult; at least one.
        classes: (m,), theirs, from 0.
        quota: how many.
        rng: decides which.
    """
    proposals = np.concatenate([boxes, proposals])
    iou = overlaps(proposals, boxes)
    nearest, most = iou.argmax(axis=1), iou.max(axis=1)
    low, high = quota.background_iou
    objects = _some(np.flatnonzero(most >= quota.object_iou), round(quota.foreground * quota.rois), rng)
    background = _some(np.flatnonzero((low <= most) & (most < high)), quota.rois - len(objects), rng)
    chosen = np.concatenate([objects, background])
    labels = classes[nearest[chosen]] + 1
    labels[len(objects) :] = 0
    targets = encode(proposals[chosen], boxes[nearest[chosen]])
    targets[len(objects) :] = 0
    return Rois(proposals[chosen], labels, targets)


def _some(candidates: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(candidates)[:most]
