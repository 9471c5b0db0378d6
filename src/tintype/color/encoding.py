"""Soft-encoding of colour over the 313 bins, and its inverse, the annealed mean (Zhang16, sections 2.1 and 2.3)."""

from functools import lru_cache

import torch
from torch import Tensor

from tintype.color.gamut import bin_centres

# The plane is cut into square cells. Distances to two bins cannot swap order within a cell whose centre is nearer to
# one than to the other by more than the cell's diagonal, so for most cells the k nearest bins are known beforehand.
_CELL = 0.25
_LOW = (-100.0, -120.0)
_CELLS = (int(210 / _CELL), int(230 / _CELL))


@lru_cache(maxsize=8)
def _centres(device: torch.device) -> Tensor:
    return torch.from_numpy(bin_centres()).to(device)


def _nearest(ab: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest bins of (N, 2) colours by comparing with all 313: squared distances and numbers, nearest first."""
    centres = _centres(ab.device)
    squared = (ab[:, :1] - centres[:, 0]) ** 2 + (ab[:, 1:] - centres[:, 1]) ** 2
    return squared.topk(k, dim=1, largest=False)


@lru_cache(maxsize=8)
def _table(k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The k nearest bins of each cell, (cells, k) int16, and whether they hold all over the cell, (cells,) bool."""
    a = torch.arange(_CELLS[0], device=device) * _CELL + (_LOW[0] + _CELL / 2)
    b = torch.arange(_CELLS[1], device=device) * _CELL + (_LOW[1] + _CELL / 2)
    numbers, sure = [], []
    for block in a.split(64):
        points = torch.cartesian_prod(block, b)
        squared, number = _nearest(points, k + 1)
        distance = squared.sqrt()
        numbers.append(number[:, :k].to(torch.int16))
        sure.append(distance[:, k] - distance[:, k - 1] > 1.5 * _CELL)  # the diagonal is 1.414 cells
    return torch.cat(numbers), torch.cat(sure)


def soft_encode(ab: Tensor, k: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """Encode each colour as weights on its k nearest bins (Zhang16, section 2.1).

    Weights are proportional to exp(-distance² / 2σ²) and sum to 1. The encoding stays sparse.

    Args:
        ab: (B, 2, h, w), CIE ab.
        k: nearest bins to use: 5 in the paper, 10 in the released code.
        sigma: width of the Gaussian in ab units.

    Returns:
        Bin numbers, (B, k, h, w) int64, in no particular order, and their weights, (B, k, h, w) float32.

    Raises:
        ValueError: `ab` is not (B, 2, h, w), or k is not in 1..312.
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"expected ab as (B, 2, h, w), got {tuple(ab.shape)}")
    if not 1 <= k < len(bin_centres()):
        raise ValueError(f"k must lie in 1..{len(bin_centres()) - 1}, got {k}")
    batch, _, height, width = ab.shape
    points = ab.float().permute(0, 2, 3, 1).reshape(-1, 2)
    table, sure = _table(k, ab.device)
    row = ((points[:, 0] - _LOW[0]) / _CELL).floor().long()
    column = ((points[:, 1] - _LOW[1]) / _CELL).floor().long()
    inside = (row >= 0) & (row < _CELLS[0]) & (column >= 0) & (column < _CELLS[1])
    cell = row.clamp(0, _CELLS[0] - 1) * _CELLS[1] + column.clamp(0, _CELLS[1] - 1)
    numbers = table[cell].long()
    unsure = ~(sure[cell] & inside)
    numbers[unsure] = _nearest(points[unsure], k)[1]
    offset = _centres(ab.device)[numbers] - points[:, None]
    weights = torch.softmax(offset.square().sum(-1) / (-2 * sigma**2), dim=1)
    shape = (batch, height, width, k)
    return numbers.reshape(shape).permute(0, 3, 1, 2), weights.reshape(shape).permute(0, 3, 1, 2)


def annealed_mean(logits: Tensor, temperature: float | Tensor = 0.38) -> Tensor:
    """Point estimate of colour from a distribution over the 313 bins.

    Sharpens the distribution by softmax(logits / temperature) and takes its mean (Zhang16, eq. 5).

    Args:
        logits: unnormalised log-probabilities, (B, 313, h, w).
        temperature: 1 gives the mean; toward 0, the mode. Above 0.

    Returns:
        ab, (B, 2, h, w), in CIE Lab units.

    Raises:
        ValueError: a temperature of 0 or below.
    """
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    probabilities = torch.softmax(logits / temperature, dim=1)
    return torch.einsum("bqhw,qc->bchw", probabilities, _centres(logits.device).to(logits.dtype))


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the distribution at each place, in nats: 0 is certain, log 313 = 5.75 knows nothing.

    Args:
        logits: (B, Q, h, w).

    Returns:
        (B, 1, h, w).
    """
    log_p = torch.log_softmax(logits, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1, keepdim=True)
