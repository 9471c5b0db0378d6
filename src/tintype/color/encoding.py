"""Soft-encoding of colour over the 313 bins, and its inverse, the annealed mean (Zhang16, sections 2.1 and 2.3)."""

from functools import lru_cache

import torch
from torch import Tensor

from tintype.color.gamut import BINS, STEP, bin_centres

# Bins are points of the grid of step 10, so which are nearest to a colour follows from its place in its grid cell. By
# symmetry it is enough to know that for offsets p >= s >= 0 from the nearest grid point: p along the axis on which the
# colour is farther from it, s along the other, each towards the colour. Up to k = 10 the same grid points are always
# among the k nearest but for one place, for which there are at most three candidates. So the bins follow from the half
# cell that the colour is in, the axis of p, and which candidate is nearest: they stand in a table. Only where one of
# the k has no bin, at the edge of the gamut, all bins are compared.
_LARGEST_K = 10
_REACH = 3  # grid points that a colour's nearest may be away
_MARGIN = 15  # grid points on each side of grey, which is beyond all bins; colours farther out are taken to be there
_HALVES = 4 * _MARGIN  # half cells across
_CHUNK = 1 << 16  # colours whose intermediate results a processor's caches hold

_Step = tuple[int, int]  # grid points along p and along s


@lru_cache(maxsize=8)
def _centres(device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # they are kept, and gradients may be wanted later
        return torch.from_numpy(bin_centres()).to(device)


@lru_cache(maxsize=64)
def _constant(value: float) -> Tensor:
    """A number for where torch takes tensors only; making one takes as long as a tenth of what is done with it."""
    return torch.tensor(value)


@lru_cache(maxsize=16)
def _neighbours(k: int) -> tuple[list[_Step], list[_Step]]:
    """Steps to the grid points that are always among the k nearest, and to the candidates for the last place."""
    steps = torch.cartesian_prod(*[torch.arange(-_REACH, _REACH + 1)] * 2)
    places = (torch.arange(400, dtype=torch.float64) + 0.5) * (STEP / 2 / 400)
    p, s = torch.cartesian_prod(places, places - 0.003).T
    p, s = p[s < p], s[s < p]
    squared = (STEP * steps[:, :1] - p) ** 2 + (STEP * steps[:, 1:] - s) ** 2
    share = torch.zeros_like(squared).scatter_(0, squared.topk(k, dim=0, largest=False).indices, 1.0).mean(dim=1)
    order = squared.mean(dim=1).argsort().tolist()
    always = [(int(steps[i, 0]), int(steps[i, 1])) for i in order if share[i] == 1]
    maybe = [(int(steps[i, 0]), int(steps[i, 1])) for i in order if 0 < share[i] < 1]
    return always, maybe


@lru_cache(maxsize=16)
def _table(k: int, device: torch.device) -> Tensor:
    """Bin numbers, (k, cases), by half cell down, half cell across, axis of p, and comparisons of the candidates.

    Bit n - 1 of the comparisons says that candidate n is nearer than all those before it. The first number is -1 where
    one of the k is no bin.
    """
    always, maybe = _neighbours(k)
    grid = torch.full([2 * (_MARGIN + _REACH) + 1] * 2, -1)
    row, column = (torch.from_numpy(bin_centres()).long() // STEP + _MARGIN + _REACH).T
    grid[row, column] = torch.arange(BINS)
    half = torch.arange(_HALVES)
    centre, towards = (half + 1) // 2 + _REACH, 1 - 2 * (half % 2)
    cases = []
    for along_b in (False, True):
        for comparisons in range(_outcomes(k)):
            steps = [*always, *maybe[comparisons.bit_length() :][:1]]
            ways = [step[::-1] if along_b else step for step in steps]
            cases.append(torch.stack([grid[(centre + i * towards)[:, None], centre + j * towards] for i, j in ways]))
    table = torch.stack(cases, dim=-1).flatten(1)
    table[0, (table < 0).any(dim=0)] = -1
    return table.to(device)


def _outcomes(k: int) -> int:
    """Number of ways in which the comparisons of the candidates for the last place can come out."""
    return 1 << max(0, len(_neighbours(k)[1]) - 1)


def _compare_all(ab: Tensor, sigma: float, numbers: Tensor, weights: Tensor) -> None:
    """Fill in the k nearest bins of colours, (2, N), and their weights before normalising, (k, N) each."""
    centres = _centres(ab.device)
    squared = (ab[0, :, None] - centres[:, 0]) ** 2 + (ab[1, :, None] - centres[:, 1]) ** 2
    distance, number = squared.topk(len(numbers), dim=1, largest=False)
    numbers.copy_(number.T)
    weights.copy_((distance - distance[:, :1]).T.div_(-2 * sigma**2).exp_())


def _look_up(ab: Tensor, sigma: float, numbers: Tensor, weights: Tensor) -> None:
    """As `_compare_all`, by the table."""
    k, scale = len(numbers), STEP / sigma**2
    always, maybe = _neighbours(k)
    grid = ab.mul(1 / STEP).round_()
    u, v = torch.sub(ab, grid, alpha=STEP).abs_()
    p, s = torch.maximum(u, v), torch.minimum(u, v)

    def exponent(step: _Step, out: Tensor | None = None) -> Tensor:
        """Squared distance to a grid point, less that to the nearest one, / -2 sigma²."""
        i, j = step
        least = _constant((i * i + j * j) * STEP * scale / -2)
        exponent = torch.add(least, p if i else s, alpha=(i or j) * scale, out=out)
        return exponent.add_(s, alpha=j * scale) if i and j else exponent

    for step, out in zip(always, weights, strict=False):
        exponent(step, out)
    outcomes = _outcomes(k)
    half = torch.mul(ab, 2 / STEP, out=grid).floor_().clamp_(-_HALVES // 2, _HALVES // 2 - 1)
    # Each comparison adds its bit by the sign of a difference, which is faster than booleans are.
    middle = outcomes * _HALVES * (_HALVES + 1) + (outcomes + outcomes - 1) / 2
    case = torch.add(_constant(middle), half[1], alpha=2 * outcomes).add_(half[0], alpha=2 * outcomes * _HALVES)
    case.add_(torch.copysign(_constant(outcomes / 2), v.sub_(u)))
    for n, step in enumerate(maybe):
        if n == 0:
            nearest = exponent(step, weights[-1])
        else:
            candidate = exponent(step)
            case.add_(torch.copysign(_constant(2**n / 4), candidate - nearest))
            torch.maximum(nearest, candidate, out=nearest)
    case = case.int()
    for column, number in zip(_table(k, ab.device), numbers, strict=True):
        torch.index_select(column, 0, case, out=number)
    weights.exp_()
    if numbers[0].min() < 0:
        edge = (numbers[0] < 0).nonzero().squeeze(1)
        found = numbers.new_empty(k, len(edge)), weights.new_empty(k, len(edge))
        _compare_all(ab[:, edge], sigma, *found)
        numbers[:, edge], weights[:, edge] = found


def soft_encode(ab: Tensor, k: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """Encode each colour as weights on its k nearest bins (Zhang16, section 2.1).

    Weights are proportional to exp(-distance² / 2σ²) and sum to 1. The encoding stays sparse.

    Args:
        ab: (B, 2, h, w), CIE ab.
        k: nearest bins to use: 5 in the paper, 10 in the released code.
        sigma: width of the Gaussian in ab units.

    Returns:
        Bin numbers, (B, k, h, w) int64, in no particular order, and their weights, (B, k, h, w) float32. Both are
        constants: no gradient flows to `ab`.

    Raises:
        ValueError: `ab` is not (B, 2, h, w), k is not in 1..313, or sigma is not above 0.
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"expected ab as (B, 2, h, w), got {tuple(ab.shape)}")
    if not 1 <= k <= BINS:
        raise ValueError(f"k must lie in 1..{BINS}, got {k}")
    if not sigma > 0:
        raise ValueError(f"sigma must be above 0, got {sigma}")
    batch, _, height, width = ab.shape
    places = batch * height * width
    colours = ab.detach().float().transpose(0, 1).reshape(2, places)
    encode = _look_up if k <= _LARGEST_K else _compare_all
    numbers = torch.empty(k, places, dtype=torch.int64, device=ab.device)
    weights = torch.empty(k, places, device=ab.device)
    chunk = _CHUNK if ab.device.type == "cpu" else max(places, 1)
    for i in range(0, places, chunk):
        part = slice(i, i + chunk)
        encode(colours[:, part], sigma, numbers[:, part], weights[:, part])
        weights[:, part].div_(weights[:, part].sum(dim=0))
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
    with torch.autocast(logits.device.type, enabled=False):  # would sum in half precision
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
