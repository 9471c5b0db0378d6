"""Soft-encoding of colour over the 313 bins, and its inverse, the annealed mean (Zhang16, sections 2.1 and 2.3)."""

from functools import lru_cache, reduce
from typing import Any

import torch
from torch import Tensor

from tintype.color.gamut import BINS, STEP, bin_centres

# Bins are points of the grid of step 10, so a colour's nearest grid points follow from where in its grid cell it lies.
# By symmetry it is enough to know them for offsets p >= s >= 0 from the nearest grid point: p along the axis on which
# the colour is farther from it, s along the other, each towards the colour. Only where one of them is not a bin, at the
# edge of the gamut, all bins are compared.
_REACH = 3  # grid points that a colour's nearest may be away
_MARGIN = 2 * _REACH + 1  # empty grid points around the bins; colours beyond are moved to where they reach no bin
_WIDTH = 22 + 2 * _MARGIN
_LARGEST_K = 16  # above, comparing with all bins is as fast
_CHUNK = 1 << 15  # colours whose intermediate results fit a core's cache


@lru_cache(maxsize=8)
def _centres(device: torch.device) -> Tensor:
    return torch.from_numpy(bin_centres()).to(device)


@lru_cache(maxsize=8)
def _grid(device: torch.device) -> Tensor:
    """Bin number of each grid point, flattened, with a margin; -1 where there is no bin."""
    grid = torch.full((20 + 2 * _MARGIN, _WIDTH), -1, dtype=torch.int64)
    row, column = (torch.from_numpy(bin_centres()).long() // STEP + torch.tensor([9, 11]) + _MARGIN).T
    grid[row, column] = torch.arange(BINS)
    return grid.flatten().to(device)


@lru_cache(maxsize=8)
def _neighbours(k: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Steps (along p, along s) to the grid points that are always among the k nearest, and to those that may be."""
    steps = torch.cartesian_prod(*[torch.arange(-_REACH, _REACH + 1)] * 2)
    places = (torch.arange(400, dtype=torch.float64) + 0.5) * (STEP / 2 / 400)
    p, s = torch.cartesian_prod(places, places - 0.003).T
    relative = _farther(steps.T[:, :, None], p[s < p], s[s < p])
    chosen = torch.zeros_like(relative).scatter_(0, relative.topk(k, dim=0, largest=False).indices, 1.0)
    share = chosen.mean(dim=1)
    order = relative.mean(dim=1).argsort().tolist()
    return (
        [tuple(steps[i].tolist()) for i in order if share[i] == 1],
        [tuple(steps[i].tolist()) for i in order if 0 < share[i] < 1],
    )


def _farther(step: Any, p: Tensor, s: Tensor) -> Tensor:
    """Squared distance to a grid point, less that to the nearest one."""
    i, j = step
    difference: Tensor = STEP**2 * (i * i + j * j) - 2 * STEP * (i * p + j * s)
    return difference


def _nearest(a: Tensor, b: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Numbers of the k nearest bins and squared distances, (k, N) each, by comparing with all bins."""
    centres = _centres(a.device)
    squared = (a[:, None] - centres[:, 0]) ** 2 + (b[:, None] - centres[:, 1]) ** 2
    distance, number = squared.topk(k, dim=1, largest=False)
    return number.T, (distance - distance[:, :1]).T


def _nearest_on_grid(a: Tensor, b: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As `_nearest`, from the colours' places in the grid."""
    row = (a / STEP).round_().clamp_(-9 - _REACH - 1, 10 + _REACH + 1)
    column = (b / STEP).round_().clamp_(-11 - _REACH - 1, 10 + _REACH + 1)
    u, v = a - STEP * row, b - STEP * column
    along_b = u.abs() < v.abs()
    up, right = torch.full_like(u, _WIDTH).copysign_(u), torch.ones_like(v).copysign_(v)
    step_p, step_s = torch.where(along_b, right, up), torch.where(along_b, up, right)
    u, v = u.abs_(), v.abs_()
    p, s = torch.maximum(u, v), torch.minimum(u, v)
    start = row.add_(9 + _MARGIN).mul_(_WIDTH).add_(column).add_(11 + _MARGIN)

    def place(step: tuple[int, int]) -> Tensor:
        return start + step[0] * step_p + step[1] * step_s

    always, maybe = _neighbours(k)
    places = [place(step) for step in always]
    distances = [_farther(step, p, s) for step in always]
    rest = [(_farther(step, p, s), place(step)) for step in maybe]
    while len(places) < k:  # take the nearest of the rest out, by comparing pair after pair
        distance, where = rest.pop(0)
        for n, (other, elsewhere) in enumerate(rest):
            nearer = other < distance
            rest[n] = (torch.maximum(distance, other), torch.where(nearer, where, elsewhere))
            distance, where = torch.minimum(distance, other), torch.where(nearer, elsewhere, where)
        places.append(where)
        distances.append(distance)
    numbers = _grid(a.device).index_select(0, torch.stack(places).flatten().int()).view(k, -1)
    squared = torch.stack(distances)
    edge = (reduce(torch.minimum, numbers) < 0).nonzero().squeeze(1)  # several times as fast as amin
    if len(edge):
        numbers[:, edge], squared[:, edge] = _nearest(a[edge], b[edge], k)
    return numbers, squared


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
        ValueError: `ab` is not (B, 2, h, w), or k is not in 1..313.
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"expected ab as (B, 2, h, w), got {tuple(ab.shape)}")
    if not 1 <= k <= BINS:
        raise ValueError(f"k must lie in 1..{BINS}, got {k}")
    batch, _, height, width = ab.shape
    a, b = ab.float().transpose(0, 1).reshape(2, -1)
    find = _nearest_on_grid if k <= _LARGEST_K else _nearest
    numbers = torch.empty(k, len(a), dtype=torch.int64, device=ab.device)
    weights = torch.empty(k, len(a), device=ab.device)
    chunk = _CHUNK if ab.device.type == "cpu" else len(a)
    for i in range(0, len(a), max(chunk, 1)):
        part = slice(i, i + chunk)
        numbers[:, part], squared = find(a[part], b[part], k)
        torch.softmax(squared / (-2 * sigma**2), dim=0, out=weights[:, part])
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
