"""Colour as a distribution over bins, pixel by pixel in float64 (Zhang16, sections 2.1 and 2.3; PAPERS A3, A5)."""

import math

import numpy as np


def soft_encode(ab: np.ndarray, centres: np.ndarray, k: int, sigma: float) -> np.ndarray:
    """Dense soft encoding of (N, 2) colours: (N, Q), zero outside the k nearest bins."""
    dense = np.zeros((len(ab), len(centres)))
    for pixel, colour in enumerate(ab.astype(float)):
        squared = [float(((colour - centre) ** 2).sum()) for centre in centres]
        nearest = sorted(range(len(centres)), key=squared.__getitem__)[:k]
        # Relative to the nearest: far outside the gamut exp(-d²) itself underflows.
        weight = {q: math.exp((squared[nearest[0]] - squared[q]) / (2 * sigma**2)) for q in nearest}
        for q in nearest:
            dense[pixel, q] = weight[q] / sum(weight.values())
    return dense


def distribution(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax of (Q,) logits after division by the temperature."""
    scaled = [float(z) / temperature for z in logits]
    top = max(scaled)
    powers = np.array([math.exp(z - top) for z in scaled])
    return powers / powers.sum()


def annealed_mean(logits: np.ndarray, centres: np.ndarray, temperature: float) -> np.ndarray:
    """(2,) ab of (Q,) logits."""
    return distribution(logits, temperature) @ centres.astype(float)


def entropy(logits: np.ndarray) -> float:
    """In nats, of (Q,) logits at temperature 1."""
    return -sum(p * math.log(p) for p in distribution(logits) if p > 0)
