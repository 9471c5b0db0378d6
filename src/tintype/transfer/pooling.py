"""Feature maps as vectors of about the same length (PAPERS B2, F1)."""

import math

from torch import Tensor
from torch.nn import functional as F

DIMENSIONS = 9216

# Kernel, stride and padding of the average pooling in the later benchmarks (Goyal et al. 2019), where a map has just
# the size for which they are meant; other maps are parted into as many cells as evenly as can be.
WINDOWS = {
    ("alexnet", "conv1"): (55, 19, 4, 0),
    ("alexnet", "conv2"): (27, 12, 3, 0),
    ("alexnet", "conv3"): (13, 9, 1, 0),
    ("alexnet", "conv4"): (13, 9, 1, 0),
    ("alexnet", "conv5"): (13, 8, 1, 0),
    ("resnet50", "conv1"): (112, 10, 10, 4),
    ("resnet50", "res2c"): (56, 16, 8, 0),
    ("resnet50", "res3d"): (28, 13, 5, 0),
    ("resnet50", "res4f"): (14, 8, 3, 0),
    ("resnet50", "res5c"): (14, 12, 2, 0),
}


def cells(channels: int, side: int, dimensions: int = DIMENSIONS) -> int:
    """Across and down, so that cells times channels come nearest to `dimensions`, as in the papers.

    Args:
        channels: of the map.
        side: of the map, the shorter one: there are never more cells.
    """
    return max(1, min(side, round(math.sqrt(dimensions / channels))))


def pool(features: Tensor, how: str, trunk: str = "", layer: str = "", dimensions: int = DIMENSIONS) -> Tensor:
    """Vectors of about `dimensions` numbers.

    Args:
        features: (B, C, h, w).
        how: `average`, or `resize`, which interpolates bilinearly (Zhang16's released networks).
        trunk, layer: of the map, for which the benchmarks' windows are used if there are any.

    Returns:
        (B, D).
    """
    side = cells(features.shape[1], min(features.shape[2:]), dimensions)
    network = trunk.removesuffix("_bn").removesuffix("_dilated")
    size, kernel, stride, padding = WINDOWS.get((network, layer), (0, 0, 0, 0))
    if how == "resize":
        small = F.interpolate(features, (side, side), mode="bilinear", align_corners=True)
    elif features.shape[2:] == (size, size):
        small = F.avg_pool2d(features, kernel, stride, padding)
    else:
        small = F.adaptive_avg_pool2d(features, side)
    return small.flatten(1)
