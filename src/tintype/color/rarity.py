"""How rare each colour is: the smoothed prior over the 313 bins and the rebalancing weights (Zhang16, section 2.2)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tintype.color.gamut import bin_centres


def smoothed_prior(counts: ArrayLike, sigma: float = 5.0) -> NDArray[np.float64]:
    """Empirical distribution over the bins, smoothed by a Gaussian in ab (Zhang16, section 2.2).

    Args:
        counts: (Q,) how many pixels of a data set have each of the 313 bins as their nearest (or their summed soft
            encodings).
        sigma: width of the Gaussian in ab units.

    Returns:
        (Q,) probabilities, sum 1.

    Raises:
        ValueError: the counts are negative, all zero, or not one for each bin.
    """
    p = np.asarray(counts, dtype=np.float64)
    centres = bin_centres().astype(np.float64)
    if p.shape != (len(centres),) or (p < 0).any() or not p.sum() > 0:
        raise ValueError(f"expected {len(centres)} counts, none negative and not all zero; got shape {p.shape}")
    squared = ((centres[:, None] - centres[None]) ** 2).sum(-1)
    kernel = np.exp(-squared / (2 * sigma**2))
    smooth = (kernel / kernel.sum(0)) @ p  # each bin hands out its whole mass, so none leaks over the gamut's border
    prior: NDArray[np.float64] = smooth / smooth.sum()
    return prior


def rebalancing_weights(prior: ArrayLike, uniform: float = 0.5) -> NDArray[np.float64]:
    """Weight of each colour: w proportional to 1 / ((1 - λ) p + λ / Q), scaled so that Σ p w = 1 (Zhang16, eq. 4).

    Args:
        prior: (Q,) smoothed prior, sum 1.
        uniform: λ, the share of the uniform distribution mixed in. 1 gives no rebalancing, 0 the inverse prior.
            As in the released code the uniform part is spread over bins with non-zero prior.

    Returns:
        (Q,) weights. A bin of zero prior, which no pixel of the data has, gets the largest of the other weights.

    Raises:
        ValueError: `uniform` is outside [0, 1], or the prior is no distribution.
    """
    p = np.asarray(prior, dtype=np.float64)
    if not 0 <= uniform <= 1:
        raise ValueError(f"uniform (λ) must lie in [0, 1], got {uniform}")
    if p.ndim != 1 or (p < 0).any() or not np.isclose(p.sum(), 1, atol=1e-4):
        raise ValueError("the prior must be non-negative and sum to 1")
    seen = p > 0
    mixed = (1 - uniform) * p[seen] + uniform / seen.sum()
    weights = np.empty_like(p)
    weights[seen] = 1 / mixed
    weights[~seen] = weights[seen].max()
    weights /= (p * weights).sum()
    return weights
