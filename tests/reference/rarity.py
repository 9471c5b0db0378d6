"""How rare each colour is, bin by bin (Zhang16, section 2.2; PAPERS A4)."""

import math

import numpy as np


def smoothed_prior(counts: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Every count is spread over all bins by a Gaussian of its own that sums to one, so none is lost at the border."""
    smoothed = np.zeros(len(centres))
    for q, count in enumerate(counts):
        spread = np.array([math.exp(-float(((c - centres[q]) ** 2).sum()) / (2 * sigma**2)) for c in centres])
        smoothed += count * spread / spread.sum()
    return smoothed / smoothed.sum()


def rebalancing_weights(prior: np.ndarray, uniform: float) -> np.ndarray:
    """nan for bins of zero prior, of which the equation says nothing."""
    present = [q for q, p in enumerate(prior) if p > 0]
    weights = np.full(len(prior), np.nan)
    for q in present:
        weights[q] = 1 / ((1 - uniform) * prior[q] + uniform / len(present))
    return weights / sum(prior[q] * weights[q] for q in present)
