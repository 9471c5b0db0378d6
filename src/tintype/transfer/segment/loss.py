"""The loss of a segmenter."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.transfer.segment.predict import Look
from tintype.transfer.segment.samples import Batch


def segmentation_loss(model: nn.Module, look: Look, batch: Batch, void: int) -> Tensor:
    """Cross-entropy of the labels that are not void, weighted as the batch says, over its samples; see `Batch.of`.

    Parts of equal size of a batch have losses whose mean is the batch's.

    Args:
        model: (B, C, H, W), and points if there are any, to (B, K, ...).
        look: see `Look`.
        batch: on the model's device.
        void: label that counts for nothing.
    """
    total = []
    for pixels, labels, points, weights in batch.stacks():
        seen = look(pixels)
        logits = model(seen) if points is None else model(seen, points)
        each = F.cross_entropy(logits.float(), labels.long(), ignore_index=void, reduction="none")
        total.append((each.flatten(1).sum(1) * weights).sum())
    return torch.stack(total).sum() / len(batch)
