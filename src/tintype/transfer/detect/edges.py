"""Boxes by their edges: from the devkit's corners and back, and as offsets from a proposal."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tintype.transfer.detection import intersection_over_union

Edges = NDArray[np.float32]

# What py-faster-rcnn divides offsets by, so that they are about as large as one another and as the classes' scores.
DEVIATIONS = (0.1, 0.1, 0.2, 0.2)

_LARGEST = math.log(1000 / 16)  # growth of a side; an untrained network would ask for any


def from_corners(corners: NDArray[np.floating]) -> Edges:
    """Outermost pixels, all of which belong to a box, (n, 4), to its edges."""
    return np.asarray(corners + np.array([0, 0, 1, 1]), np.float32)


def to_corners(edges: NDArray[np.floating]) -> Edges:
    """The inverse of `from_corners`."""
    return np.asarray(edges - np.array([0, 0, 1, 1]), np.float32)


def overlaps(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of each of n boxes with each of m, (n, m), in 0..1."""
    return intersection_over_union(one, other, inclusive=False)


def mirrored(edges: Edges, width: float) -> Edges:
    """Boxes in a picture whose left and right are swapped."""
    return np.stack([width - edges[:, 2], edges[:, 1], width - edges[:, 0], edges[:, 3]], axis=1)


def encode(proposals: NDArray[np.floating], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """What has to be learned to turn each proposal into a box (Girshick 2014, eqs. 6 to 9), divided by `DEVIATIONS`.

    Args:
        proposals: (n, 4), with an area.
        boxes: (n, 4), likewise.

    Returns:
        (n, 4): shift of the middle across and down, in the proposal's sides; growth of the sides, as logarithms.
    """
    middle, sides = _middle_and_sides(proposals)
    goal, goal_sides = _middle_and_sides(boxes)
    offsets = np.concatenate([(goal - middle) / sides, np.log(goal_sides / sides)], axis=1)
    return (offsets / DEVIATIONS).astype(np.float32)


def decode(proposals: Tensor, offsets: Tensor) -> Tensor:
    """The inverse of `encode`: boxes, (..., 4), from proposals, (..., 4), and offsets, (..., 4). They broadcast."""
    sides = proposals[..., 2:] - proposals[..., :2]
    middle = proposals[..., :2] + sides / 2
    offsets = offsets * torch.tensor(DEVIATIONS, device=offsets.device)
    middle = middle + offsets[..., :2] * sides
    half = sides * offsets[..., 2:].clamp(max=_LARGEST).exp() / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def _middle_and_sides(edges: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, last = np.asarray(edges[:, :2], np.float64), np.asarray(edges[:, 2:], np.float64)
    return (first + last) / 2, last - first
