"""Hue and chroma histograms, their loss and their decoding, one pixel at a time (PAPERS C1, D1)."""

import cmath
import colorsys
import math

import numpy as np
import torch
from torch import Tensor


def hue_chroma(r: float, g: float, b: float) -> tuple[float, float]:
    return colorsys.rgb_to_hsv(r, g, b)[0], max(r, g, b) - min(r, g, b)


def histograms(picture: np.ndarray, row: int, column: int, bins: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Of hue and chroma around a pixel of a picture, (H, W, 3) floats: (K,) each."""
    hue, chroma = np.zeros(bins), np.zeros(bins)
    reach = window // 2
    for y in range(max(row - reach, 0), min(row + reach + 1, picture.shape[0])):
        for x in range(max(column - reach, 0), min(column + reach + 1, picture.shape[1])):
            h, c = hue_chroma(*(float(v) for v in picture[y, x]))
            hue[min(int(h * bins), bins - 1)] += 1
            chroma[min(int(c * bins), bins - 1)] += 1
    return hue / hue.sum(), chroma / chroma.sum()


def full_histograms(hue: Tensor, chroma: Tensor, bins: int, window: int) -> tuple[Tensor, Tensor]:
    """Of one picture, (H, W) each, around every pixel: (K, H, W) each, by one-hot maps and their integral images."""
    return _full(hue, bins, window), _full(chroma, bins, window)


def integral_image(values: Tensor, bins: int) -> Tensor:
    """(K, H + 1, W + 1): how many pixels above and to the left have each bin."""
    number = (values * bins).long().clamp(max=bins - 1)
    one_hot = torch.zeros(bins, *values.shape).scatter_(0, number[None], 1.0)
    summed = torch.zeros(bins, values.shape[0] + 1, values.shape[1] + 1)
    summed[:, 1:, 1:] = one_hot.cumsum(1).cumsum(2)
    return summed


def _full(values: Tensor, bins: int, window: int) -> Tensor:
    summed = integral_image(values, bins)
    height, width = values.shape
    top, bottom = _ends(height, window)
    left, right = _ends(width, window)
    counts = summed[:, bottom][:, :, right] - summed[:, top][:, :, right]
    counts = counts - summed[:, bottom][:, :, left] + summed[:, top][:, :, left]
    return counts / counts.sum(0)


def _ends(length: int, window: int) -> tuple[Tensor, Tensor]:
    places = torch.arange(length)
    return (places - window // 2).clamp(min=0), (places + window // 2 + 1).clamp(max=length)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def divergence(target: np.ndarray, logits: np.ndarray) -> float:
    """KL(target ‖ softmax(logits)) of (K,) each."""
    q = softmax(logits)
    return sum(t * math.log(t / p) for t, p in zip(target, q, strict=True) if t > 0)


def loss(
    logits: np.ndarray, pictures: np.ndarray, points: np.ndarray, bins: int, window: int, weight: float, midtones: bool
) -> float:
    """Mean over points of (B, 2 K, N) logits for (B, H, W, 3) pictures and (B, N, 2) points."""
    total = 0.0
    for b, n in np.ndindex(points.shape[:2]):
        row, column = points[b, n]
        hue, chroma = histograms(pictures[b], row, column, bins, window)
        pixel = [float(v) for v in pictures[b, row, column]]
        grey = sum(pixel) / 3
        total += weight * hue_chroma(*pixel)[1] * divergence(hue, logits[b, :bins, n])
        midtone = 3 * min(grey, 1 / 3, 1 - grey) if midtones else 1.0
        total += midtone * divergence(chroma, logits[b, bins:, n])
    return total / points[..., 0].size


def median(p: np.ndarray) -> float:
    """By going along the cumulative sum until it has passed one half, then back on a straight line."""
    passed = 0.0
    for k, share in enumerate(p):
        if passed + share >= 0.5:
            return (k + (0.5 - passed) / share) / len(p)
        passed += share
    raise AssertionError


def mean_hue(p: np.ndarray) -> tuple[float, float]:
    """The direction of the mean, in [0, 1), and the factor of chromatic fading: min(|z| / .03, 1), z over 32 bins."""
    total = sum(share * cmath.exp(2j * math.pi * (k + 0.5) / len(p)) for k, share in enumerate(p))
    return cmath.phase(total) / (2 * math.pi) % 1, min(abs(total) / 32 / 0.03, 1)


def to_rgb(hue: float, chroma: float, grey: float) -> list[float]:
    """V = L + C/2, S = 2C / (2L + C), HSV to RGB, then shifted so that the mean is the grey, and clipped."""
    value = grey + chroma / 2
    saturation = 2 * chroma / (2 * grey + chroma) if chroma else 0
    rgb = colorsys.hsv_to_rgb(hue, min(saturation, 1), min(value, 1))
    return [min(max(v - sum(rgb) / 3 + grey, 0), 1) for v in rgb]
