"""From a network's answers to detections in a picture's own pixels."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms

from tintype.transfer.detect.edges import decode, to_corners
from tintype.transfer.detection import Detections


class Keep(NamedTuple):
    """Which boxes count as detections.

    Attributes:
        score: lowest probability.
        overlap: of boxes of one class that overlap more than this, in intersection over union, the surest stays.
        per_picture: the surest ones of all classes; 0 keeps all.
    """

    score: float = 0.05
    overlap: float = 0.3
    per_picture: int = 100


def loss(scores: Tensor, offsets: Tensor, labels: Tensor, targets: Tensor, rois: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy of classes, and smooth L1 loss of the true class's box for objects (Girshick 2015, eqs. 1 to 3).

    Args:
        scores: (N, 1 + K), background first.
        offsets: (N, 1 + K, 4).
        labels: (N,), 0 for background.
        targets: (N, 4), see `edges.encode`.
        rois: what both sums are divided by: how many regions there should be. Where pictures have too few, N is less,
            and dividing by it would weigh a region by which pictures share its batch.
    """
    classified = F.cross_entropy(scores, labels, reduction="sum") / rois
    objects = labels.nonzero()[:, 0]
    of_class = offsets[objects, labels[objects]]
    return classified, F.smooth_l1_loss(of_class, targets[objects], reduction="sum") / rois


def detections(
    scores: Tensor, offsets: Tensor, rois: Tensor, seen: tuple[int, int], size: tuple[int, int], keep: Keep
) -> Detections:
    """Detections in one picture, the surest first.

    Args:
        scores: (n, 1 + K), unnormalised log-probabilities, background first.
        offsets: (n, 1 + K, 4).
        rois: (n, 4), edges in the picture as the network saw it.
        seen: its height and width.
        size: those of the picture itself.
        keep: which boxes count.

    Returns:
        Corners are pixels of the picture itself that belong to the box, as in `tintype.data.Boxes`; classes from 0.
    """
    sides = rois.new_tensor([size[1], size[0]] * 2)
    boxes = decode(rois[:, None], offsets) * (sides / rois.new_tensor([seen[1], seen[0]] * 2))
    boxes = boxes.clamp(min=0).minimum(sides)[:, 1:]
    probabilities = scores.softmax(dim=1)[:, 1:]
    region, kind = (probabilities > keep.score).nonzero(as_tuple=True)
    boxes, sure = boxes[region, kind], probabilities[region, kind]
    chosen = batched_nms(boxes, sure, kind, keep.overlap)[: keep.per_picture or None]
    corners = to_corners(boxes[chosen].cpu().numpy())
    return Detections(corners, kind[chosen].cpu().numpy(), sure[chosen].double().cpu().numpy())


@torch.no_grad()
def detect(network: nn.Module, picture: Tensor, rois: Tensor, size: tuple[int, int], keep: Keep) -> Detections:
    """Detect objects in a picture, (C, h, w) as the network sees it; `rois`, (n, 4), are edges in it."""
    scores, offsets = network([picture], [rois])
    return detections(scores, offsets, rois, (picture.shape[1], picture.shape[2]), size, keep)
