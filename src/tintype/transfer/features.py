"""Pooled features of a frozen trunk's layers over pictures, kept in memory."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tintype.transfer.pooling import DIMENSIONS, pool
from tintype.transfer.subject import Subject

Features = NDArray[np.float32]


@torch.inference_mode()
def layer_features(
    subject: Subject,
    layers: Sequence[str],
    batches: Iterable[Tensor],
    *,
    pooling: str = "average",
    dimensions: int = DIMENSIONS,
) -> dict[str, Features]:
    """Features of each layer, one vector for each picture, in order.

    The trunk is in evaluation mode meanwhile, so that batch-norms use their statistics and leave them alone, and every
    vector is of its own picture alone; afterwards it is in the mode it was in.

    Args:
        subject: the trunk, and what it sees.
        layers: names of its feature maps.
        batches: pictures, (B, 3, H, W) uint8 RGB.
        pooling, dimensions: as of `tintype.transfer.pooling.pool`.

    Returns:
        (N, D) of each layer.
    """
    trunk, training = subject.trunk, subject.trunk.training
    device, name = next(trunk.parameters()).device, str(subject.described.get("trunk", ""))
    found: dict[str, list[Features]] = {layer: [] for layer in layers}
    trunk.eval()
    try:
        for batch in batches:
            maps = trunk(subject.look(batch.to(device)))
            for layer in layers:
                vectors = pool(maps[layer], pooling, name, layer, dimensions)
                found[layer].append(vectors.float().cpu().numpy())
    finally:
        trunk.train(training)
    return {layer: np.concatenate(found.pop(layer)) for layer in layers}


def unit_length(features: Features) -> Features:
    """Each vector divided by its Euclidean length, as in VISSL; (N, D)."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    # VISSL's epsilon, for pictures without any response.
    unit: Features = (features / (lengths + 1e-5)).astype(np.float32)
    return unit
