"""Reading feature maps between their cells, bilinearly: at single points, or on another grid."""

import torch
from torch import Tensor

from tintype.networks.geometry import Grid


def sample(x: Tensor, grid: Grid, points: Tensor) -> Tensor:
    """A feature map at some points. The gradient goes to the four cells around each.

    Args:
        x: (B, C, h, w), of any float type.
        grid: where its cells lie.
        points: (B, N, 2), row and column in pixels, between pixels too. Beyond the outermost cells, theirs is taken.

    Returns:
        (B, N, C) float32.
    """
    batch, channels, height, width = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(-1, channels)  # of a map with channels last, as it lies
    (y0, y1, fy), (x0, x1, fx) = (
        _around(axis, grid, length) for axis, length in zip(points.unbind(2), (height, width), strict=True)
    )
    first = torch.arange(batch, device=x.device)[:, None] * height
    corners = torch.stack([(first + y) * width + column for y in (y0, y1) for column in (x0, x1)])  # (4, B, N)
    values = cells.index_select(0, corners.flatten()).view(4, batch, -1, channels).float()
    fy, fx = fy[..., None], fx[..., None]
    weights = torch.stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx])
    return (values * weights).sum(0)


def regrid(x: Tensor, grid: Grid, rows: Tensor, columns: Tensor) -> Tensor:
    """A feature map on another grid, given by the places of its rows and columns in pixels.

    Args:
        x: (B, C, h, w).
        grid: where its cells lie.
        rows: (R,), in pixels.
        columns: (S,), in pixels.

    Returns:
        (B, C, R, S), of the map's type.
    """
    return _along(_along(x, 2, grid, rows), 3, grid, columns)


def _along(x: Tensor, axis: int, grid: Grid, places: Tensor) -> Tensor:
    low, high, share = _around(places, grid, x.shape[axis])
    share = share.to(x.dtype).view(-1, *[1] * (3 - axis))
    return torch.lerp(x.index_select(axis, low), x.index_select(axis, high), share)


def _around(places: Tensor, grid: Grid, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """The cells before and after some places along an axis of `length` cells, and how far on each is, in [0, 1]."""
    cell = ((places.float() - grid.offset) / grid.stride).clamp(0, length - 1)
    low = cell.floor()
    return low.long(), (low + 1).clamp(max=length - 1).long(), cell - low
