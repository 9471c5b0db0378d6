"""The objective `bins` with everything written out: dense targets, log-softmax, weights, mask (PAPERS A3, A4)."""

import numpy as np
import torch
from torch import Tensor

from reference.bins import bin_centres
from reference.encoding import soft_encode
from reference.rarity import rebalancing_weights


def dense_target(ab: Tensor, k: int, sigma: float) -> Tensor:
    """(B, 313, h, w) float64 soft targets of (B, 2, h, w) colours."""
    b, _, h, w = ab.shape
    colours = ab.permute(0, 2, 3, 1).reshape(-1, 2).numpy()
    encoded = soft_encode(colours, bin_centres(), k, sigma)
    return torch.from_numpy(encoded).reshape(b, h, w, -1).permute(0, 3, 1, 2)


def place_weights(ab: Tensor, target: Tensor, prior: np.ndarray | None, uniform: float, drop_grey: bool) -> Tensor:
    """(B, h, w): w[argmax of the soft target], zero all over a picture with no |a| or |b| above 5."""
    weight = torch.ones(target.shape[0], *target.shape[2:], dtype=torch.float64)
    if prior is not None:
        weight = torch.from_numpy(rebalancing_weights(prior, uniform))[target.argmax(1)]
    if drop_grey:
        for picture in range(len(ab)):
            if not (ab[picture].abs() > 5).any():
                weight[picture] = 0
    return weight


def loss(
    logits: Tensor,
    ab: Tensor,
    k: int = 5,
    sigma: float = 5.0,
    prior: np.ndarray | None = None,
    uniform: float = 0.5,
    drop_grey: bool = True,
) -> Tensor:
    """Mean over all places, those of weight zero included, of weight times cross-entropy; float64."""
    target = dense_target(ab, k, sigma)
    weight = place_weights(ab, target, prior, uniform, drop_grey)
    cross_entropy = -(target * logits.double().log_softmax(1)).sum(1)
    return (weight * cross_entropy).sum() / weight.numel()
