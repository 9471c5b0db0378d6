"""Predicting masks of images of any size, and scoring them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tintype.data.masks import Mask, Segmented
from tintype.data.palette import write_mask
from tintype.transfer.confusion import confusion_matrix
from tintype.transfer.segment.samples import Pixels, pad_pair

Look = Callable[[Tensor], Tensor]  # of uint8 RGB, (B, 3, H, W): what the trunk takes


@torch.no_grad()
def predict(network: nn.Module, look: Look, pixels: Pixels, multiple: int = 1) -> Mask:
    """The likeliest class of every pixel.

    Args:
        network: in evaluation mode; gives (1, K, H, W).
        look: see `Look`.
        pixels: RGB, (h, w, 3), of any size; padded at the end to what the trunk takes, and cut again.
        multiple: the trunk's.

    Returns:
        Class ids, (h, w).
    """
    height, width = pixels.shape[:2]
    padded, _ = pad_pair(pixels, np.zeros((height, width), np.uint8), multiple, 0)
    device = next(network.parameters()).device
    picture = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].to(device)
    logits = network(look(picture))[0, :, :height, :width]
    return np.asarray(logits.argmax(0).to(torch.uint8).cpu().numpy())


def confusion_of(
    network: nn.Module,
    look: Look,
    images: Segmented,
    multiple: int = 1,
    *,
    share: tuple[int, int] = (0, 1),
    masks: Path | None = None,
) -> Tensor:
    """The confusion matrix of images' predictions, void not counted; see `tintype.transfer.confusion`.

    Args:
        network, look, multiple: as of `predict`.
        share: which process this is, and of how many; each takes its share of the images, and their counts add up.
        masks: folder for the predictions, as palette PNGs by the images' names.

    Raises:
        DataError: an image or mask cannot be read.
    """
    counts = torch.zeros(images.classes, images.classes, dtype=torch.int64)
    for number in range(share[0], len(images), share[1]):
        pixels, true = images.read(number)
        predicted = predict(network, look, pixels, multiple)
        counts += confusion_matrix(torch.from_numpy(predicted), torch.from_numpy(true), images.classes, images.void)
        if masks is not None:
            path = masks / f"{images.pairs[number].name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_mask(path, predicted)
    return counts
