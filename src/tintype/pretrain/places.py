"""Where in a photograph colour is predicted: at points drawn anew for each step, or on the head's grid."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.training.launch import seed_from

_POINTS = 1  # sets the draws of this file apart from others of the same seed and step


def draw_points(batch: int, side: int, count: int, edge: int, *seed: int, first: int = 0) -> Tensor:
    """Points for sparse training, evenly drawn from all pixels but those near the edge.

    Each photograph's points follow from the seed and its place in the joint batch alone, so they are the same however
    many processes share the batch.

    Args:
        batch: photographs.
        side: of a photograph, in pixels.
        count: points in each.
        edge: pixels left out along each side.
        seed: whole numbers, such as the run's seed and the step.
        first: place of this batch's first photograph in the joint batch.

    Returns:
        (batch, count, 2) int64, row and column, each in [edge, side - edge).
    """
    generator = torch.Generator().manual_seed(seed_from(*seed, _POINTS))
    return torch.randint(edge, side - edge, (first + batch, count, 2), generator=generator)[first:]


def grid_points(height: int, width: int, stride: int, origin: int) -> Tensor:
    """The pixels of a head's grid: (1, h w, 2) int64, row by row, those beyond the picture moved to its edge."""
    rows, columns = (torch.arange(-(-side // stride)) * stride + origin for side in (height, width))
    points = torch.cartesian_prod(rows.clamp(max=height - 1), columns.clamp(max=width - 1))
    return points[None]


def target_origin(how: str, stride: int, windows: bool) -> float:
    """Where the first target of a head's grid lies, in pixels from the first pixel's middle.

    Args:
        how: as of `sample`.
        stride: of the grid.
        windows: whether a target is the colours around one pixel, as histograms are; squares of even sides have none in
            the middle, and the one after it is taken.
    """
    if how == "point":
        return 0
    return stride // 2 if windows else (stride - 1) / 2


def at_points(x: Tensor, points: Tensor) -> Tensor:
    """The pixels at some points: (B, C, H, W) and (B, N, 2) to (B, C, N)."""
    place = points[..., 0] * x.shape[3] + points[..., 1]
    return x.flatten(2).gather(2, place[:, None].expand(-1, x.shape[1], -1))


def sample(x: Tensor, how: str, stride: int = 4) -> Tensor:
    """Bring pixels, (B, C, H, W), to a head's grid, (B, C, ⌈H/stride⌉, ⌈W/stride⌉).

    Args:
        how: `point` takes pixels 0, stride, 2 stride … (as the released code of Zhang16 does), `mean` averages squares.
    """
    if how == "point":
        return x[:, :, ::stride, ::stride]
    return F.avg_pool2d(x, stride, ceil_mode=True)
