"""Colour as classification over the 313 bins, with class rebalancing (Zhang16, sections 2.1 and 2.2)."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tintype.color.encoding import annealed_mean, soft_encode
from tintype.color.gamut import BINS
from tintype.color.rarity import rebalancing_weights


class BinsTarget(NamedTuple):
    """Soft-encoded colours, sparse, on a grid, (h, w), or at N points."""

    numbers: Tensor  # (B, k, h, w) or (B, k, N) int64, bin numbers
    weights: Tensor  # likewise, sum 1 over k
    rarity: Tensor  # (B, h, w) or (B, N), each place's weight in the loss; 0 all over a picture without colour


class _SparseCrossEntropy(torch.autograd.Function):
    """Mean over places of rarity * cross-entropy with sparse soft targets.

    The gradient, rarity * (softmax - target), is made in one buffer of the logits' size: neither a dense target nor
    the intermediate results that autograd would keep exist.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, numbers: Tensor, weights: Tensor, rarity: Tensor) -> Tensor:
        log_sum = torch.logsumexp(logits.float(), dim=1)
        expected = (logits.gather(1, numbers).float() * weights).sum(dim=1)
        ctx.save_for_backward(logits, numbers, weights, rarity, log_sum)
        return ((log_sum - expected) * rarity).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        logits, numbers, weights, rarity, log_sum = ctx.saved_tensors
        scale = (grad / log_sum.numel() * rarity).unsqueeze(1)
        gradient = logits.float().sub(log_sum.unsqueeze(1)).exp_().mul_(scale)
        gradient.scatter_add_(1, numbers, -weights * scale)
        return gradient.to(logits.dtype), None, None, None


class Bins(nn.Module):
    """Predicts a distribution over the 313 bins; trained by cross-entropy with soft targets.

    Args:
        k: nearest bins in the soft-encoding: 5 in the paper, 10 in the released code.
        sigma: width of the soft-encoding's Gaussian, in ab units.
        prior: (313,) smoothed prior over the bins, from which each place is weighted by the rarity of its nearest bin
            (eqs. 3 and 4). None: no rebalancing.
        uniform: λ, the uniform share mixed into the prior.
        rebalance: power of the weights, from 0 (none) to 1 (the paper's).
        drop_grey: give pictures without colour (no |a| or |b| above 5 anywhere) no weight in the loss, as the released
            code does. They still count in the mean.

    Raises:
        ValueError: the prior is no distribution over the 313 bins.
    """

    channels = BINS
    temperature = 0.38
    grey = 5.0
    rarity: Tensor

    def __init__(
        self,
        k: int = 5,
        sigma: float = 5.0,
        prior: Tensor | None = None,
        uniform: float = 0.5,
        drop_grey: bool = True,
        rebalance: float = 1.0,
    ):
        super().__init__()
        self.k, self.sigma, self.drop_grey = k, sigma, drop_grey
        if prior is not None and prior.shape != (BINS,):
            raise ValueError(f"prior must hold {BINS} probabilities, got shape {tuple(prior.shape)}")
        weights = torch.ones(BINS)
        if prior is not None:
            weights = torch.from_numpy(rebalancing_weights(prior.numpy(), uniform)) ** rebalance
            weights /= (prior / prior.sum()) @ weights
        self.register_buffer("rarity", weights.float())

    def target(self, ab: Tensor) -> BinsTarget:
        """Soft-encode colours where they are predicted.

        Args:
            ab: (B, 2, h, w) or (B, 2, N), CIE ab.
        """
        if ab.ndim == 3:
            return BinsTarget(*(x.squeeze(-1) for x in self.target(ab.unsqueeze(-1))))
        numbers, weights = soft_encode(ab, self.k, self.sigma)
        nearest = numbers.gather(1, weights.argmax(dim=1, keepdim=True)).squeeze(1)
        rarity = self.rarity[nearest]
        if self.drop_grey:
            rarity = rarity * (ab.abs().amax(dim=(1, 2, 3)) > self.grey)[:, None, None]
        return BinsTarget(numbers, weights, rarity)

    def loss(self, logits: Tensor, target: BinsTarget) -> Tensor:
        """Rebalanced cross-entropy, mean over all places (eq. 2).

        Args:
            logits: (B, 313, h, w) or (B, 313, N), of any float type; summed in float32.

        Returns:
            A scalar, in nats.
        """
        loss: Tensor = _SparseCrossEntropy.apply(logits, target.numbers, target.weights, target.rarity)
        return loss

    def decode(
        self, logits: Tensor, temperature: float | Tensor | None = None, *, grey: Tensor | None = None
    ) -> Tensor:
        """ab, (B, 2, h, w), by the annealed mean; `temperature` is 0.38 unless given. Does without the grey."""
        return annealed_mean(logits, self.temperature if temperature is None else temperature)
