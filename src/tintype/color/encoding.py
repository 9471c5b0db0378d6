"""Soft-encoding of colour over the 313 bins, and its inverse, the annealed mean (Zhang16, sections 2.1 and 2.3)."""

from functools import lru_cache

import torch
from torch import Tensor

from tintype.color.gamut import BINS, bin_centres

# The plane is cut into square cells. From a cell's centre to anywhere in the cell the distance to a bin changes by at
# most half the cell's diagonal, so two bins cannot swap order in a cell whose centre is nearer to one than to the other
# by more than the diagonal. For most cells the k nearest bins are therefore known beforehand, and for nearly all others
# they are among the k + 3 nearest of the centre; what remains is compared with all bins.
_CELL = 0.25
_DIAGONAL = 1.45 * _CELL  # 1.414 and some room for rounding
_BLOCK = 20  # cells: a 5 x 5 block, for building the table
_LOW = (-100.0, -120.0)
_CELLS = (int(210 / _CELL), int(230 / _CELL))
_SPARE = 3


@lru_cache(maxsize=8)
def _centres(device: torch.device) -> Tensor:
    return torch.from_numpy(bin_centres()).to(device)


def _nearest(ab: Tensor, centres: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Distances to the k nearest of some centres (M, 2) and their positions, (N, k) each, for colours (N, 2)."""
    squared = (ab[:, :1] - centres[:, 0]) ** 2 + (ab[:, 1:] - centres[:, 1]) ** 2
    distance, position = squared.topk(k, dim=1, largest=False)
    return distance.sqrt(), position


@lru_cache(maxsize=8)
def _table(k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The k + 3 bins nearest to each cell's centre, (k + 3, cells) int16, and how many of the 3 matter, (cells,).

    0: the first k are the nearest all over the cell. e: they are among the first k + e. Above 3: not even that.
    """
    centres = _centres(device)
    reach = min(k + _SPARE + 1, BINS)
    numbers = torch.zeros(k + _SPARE, *_CELLS, dtype=torch.int16, device=device)
    spare = torch.full(_CELLS, _SPARE + 1, dtype=torch.int8, device=device)
    cells = torch.arange(_BLOCK, device=device) * _CELL + _CELL / 2
    for i in range(0, _CELLS[0], _BLOCK):
        for j in range(0, _CELLS[1], _BLOCK):
            points = torch.cartesian_prod(_LOW[0] + i * _CELL + cells, _LOW[1] + j * _CELL + cells)
            distance, order = _nearest(points.mean(0, keepdim=True), centres, BINS)
            candidates = order[0, distance[0] < distance[0, reach - 1] + 1.45 * _BLOCK * _CELL]
            distance, position = _nearest(points, centres[candidates], reach)
            block = (slice(i, i + _BLOCK), slice(j, j + _BLOCK))
            numbers[: reach - 1, *block] = candidates[position[:, :-1]].T.reshape(-1, _BLOCK, _BLOCK).short()
            excess = (distance[:, k:] < distance[:, k - 1 : k] + _DIAGONAL).sum(dim=1)
            spare[block] = excess.reshape(_BLOCK, _BLOCK).to(torch.int8)
    return numbers.flatten(1), spare.flatten()


def _squared_distance(numbers: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """From bins (m, N) to colours (N,), (N,)."""
    centres = _centres(a.device)
    flat = numbers.flatten()
    return (
        (centres[:, 0].contiguous().index_select(0, flat).view_as(numbers) - a)
        .square_()
        .add_((centres[:, 1].contiguous().index_select(0, flat).view_as(numbers) - b).square_())
    )


def _nearest_bins(a: Tensor, b: Tensor, k: int) -> Tensor:
    """The k bins nearest to each of N colours, (k, N) int64."""
    table, spare = _table(k, a.device)
    row = ((a - _LOW[0]) / _CELL).floor_().long()
    column = ((b - _LOW[1]) / _CELL).floor_().long()
    inside = (row >= 0) & (row < _CELLS[0]) & (column >= 0) & (column < _CELLS[1])
    cell = row.clamp_(0, _CELLS[0] - 1).mul_(_CELLS[1]).add_(column.clamp_(0, _CELLS[1] - 1))
    numbers = torch.stack([plane.index_select(0, cell) for plane in table[:k]]).long()
    excess = spare.index_select(0, cell).masked_fill_(~inside, _SPARE + 1)
    for e in range(1, _SPARE + 1):
        where = (excess == e).nonzero().squeeze(1)
        some, a_some, b_some = cell[where], a[where], b[where]
        candidates = torch.stack([plane.index_select(0, some) for plane in table[: k + e]]).long()
        distance = _squared_distance(candidates, a_some, b_some)
        for last in range(k + e - 1, k - 1, -1):  # drop the farthest, e times: the last one takes its place
            farthest = distance[: last + 1].argmax(dim=0, keepdim=True)
            candidates.scatter_(0, farthest, candidates[last : last + 1].clone())
            distance.scatter_(0, farthest, distance[last : last + 1].clone())
        numbers[:, where] = candidates[:k]
    where = (excess > _SPARE).nonzero().squeeze(1)
    numbers[:, where] = _nearest(torch.stack([a[where], b[where]], dim=1), _centres(a.device), k)[1].T
    return numbers


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
        ValueError: `ab` is not (B, 2, h, w), or k is not in 1..100.
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"expected ab as (B, 2, h, w), got {tuple(ab.shape)}")
    if not 1 <= k <= 100:
        raise ValueError(f"k must lie in 1..100, got {k}")
    batch, _, height, width = ab.shape
    a, b = ab.float().transpose(0, 1).reshape(2, -1)
    numbers = _nearest_bins(a, b, k)
    weights = torch.softmax(_squared_distance(numbers, a, b) / (-2 * sigma**2), dim=0)
    shape = (k, batch, height, width)
    return numbers.view(shape).transpose(0, 1), weights.view(shape).transpose(0, 1)


def annealed_mean(logits: Tensor, temperature: float | Tensor = 0.38) -> Tensor:
    """Point estimate of colour from a distribution over the 313 bins.

    Sharpens the distribution by softmax(logits / temperature) and takes its mean (Zhang16, eq. 5).

    Args:
        logits: unnormalised log-probabilities, (B, 313, h, w).
        temperature: 1 gives the mean; toward 0, the mode. Above 0.

    Returns:
        ab, (B, 2, h, w), in CIE Lab units; float32 for logits of half precision.

    Raises:
        ValueError: a temperature of 0 or below.
    """
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    probabilities = torch.softmax(_at_least_float32(logits) / temperature, dim=1)
    return torch.einsum("bqhw,qc->bchw", probabilities, _centres(logits.device).to(probabilities.dtype))


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the distribution at each place, in nats: 0 is certain, log 313 = 5.75 knows nothing.

    Args:
        logits: (B, Q, h, w).

    Returns:
        (B, 1, h, w).
    """
    log_p = torch.log_softmax(_at_least_float32(logits), dim=1)
    return -(log_p.exp() * log_p).sum(dim=1, keepdim=True)


def _at_least_float32(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
