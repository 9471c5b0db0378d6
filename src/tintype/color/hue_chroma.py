"""Hue and chroma: the colour bicone, its histograms over a window, and their decoding (Larsson17; PAPERS C1, D1).

The bicone's grey is the channel mean (R + G + B) / 3, its chroma C = max - min, its hue that of HSV. All three lie in
[0, 1]; grey has hue 0, and hue 1 is hue 0 again.
"""

import math

import torch
from torch import Tensor

FADING = 0.96
"""Length of the mean hue below which colour fades: 32 η, η = .03 of |z|, which the paper takes over its 32 bins."""


def hue_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Hue and chroma of sRGB colours (bgr_to_munsell_layer.cpp of the released code).

    Args:
        rgb: (B, 3, ...) floats in [0, 1].

    Returns:
        Hue and chroma, (B, ...) each, in [0, 1].
    """
    r, g, b = rgb.unbind(1)
    top = rgb.amax(1)
    chroma = top - rgb.amin(1)
    span = torch.where(chroma > 0, chroma, 1)
    sector = torch.where(r == top, (g - b) / span, torch.where(g == top, 2 + (b - r) / span, 4 + (r - g) / span))
    return (sector / 6) % 1, chroma


def window_histograms(rgb: Tensor, points: Tensor, bins: int = 32, window: int = 7) -> tuple[Tensor, Tensor]:
    """Histograms of hue and of chroma over the window around each point.

    Each pixel counts in one bin, floor(v * bins), the last for v = 1. The window is clipped at the picture's border.
    Only the pixels in the windows are looked at: neither hue nor histogram of any other is made.

    Args:
        rgb: (B, 3, H, W) floats in [0, 1].
        points: (B, N, 2) int64, row and column of each point's pixel, inside the picture.
        bins: K.
        window: side of the window in pixels, odd.

    Returns:
        (B, K, N) each, sum 1 over K.
    """
    height, width = rgb.shape[2:]
    around = torch.arange(-(window // 2), window // 2 + 1, device=points.device)[:, None]
    rows, columns = (axis[:, None] + around for axis in points.unbind(2))  # (B, window, N)
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None]
    place = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    pixels = rgb.flatten(2).gather(2, place.flatten(1)[:, None].expand(-1, 3, -1))
    counted = inside.flatten(1, 2).to(pixels.dtype)  # (B, window², N)

    def histogram(values: Tensor) -> Tensor:
        number = (values.view(counted.shape) * bins).long().clamp(max=bins - 1)
        counts = counted.new_zeros(len(counted), bins, counted.shape[2]).scatter_add_(1, number, counted)
        return counts / counted.sum(1, keepdim=True)

    hue, chroma = hue_chroma(pixels)
    return histogram(hue), histogram(chroma)


def _within(index: Tensor, length: int) -> Tensor:
    return (index >= 0) & (index < length)


def bin_values(bins: int, like: Tensor) -> Tensor:
    """The bins' centres, (k + ½) / K, shaped to weigh (B, K, ...)."""
    centres = (torch.arange(bins, dtype=like.dtype, device=like.device) + 0.5) / bins
    return centres.view(1, -1, *[1] * (like.ndim - 2))


def quantile(p: Tensor, level: float | Tensor = 0.5) -> Tensor:
    """Where a distribution's cumulative sum reaches `level`, linearly interpolated inside the bin.

    The median of Larsson's paper; the released code takes the centre of that bin instead, which moves in steps of 1/K.

    Args:
        p: (B, K, ...), sum 1 over K.
        level: in [0, 1], one for all or (B, ...).

    Returns:
        (B, ...), in [0, 1].
    """
    before = p.cumsum(1) - p
    level = level.unsqueeze(1) if isinstance(level, Tensor) else level
    covered = (level - before) / p.clamp(min=torch.finfo(p.dtype).tiny)  # of each bin, the share below the level
    return covered.clamp(0, 1).sum(1) / p.shape[1]


def mode(p: Tensor) -> Tensor:
    """Centre of the likeliest bin: (B, K, ...) to (B, ...)."""
    return (p.argmax(1).to(p.dtype) + 0.5) / p.shape[1]


def expectation(p: Tensor) -> Tensor:
    """Mean of a distribution: (B, K, ...) to (B, ...)."""
    return (p * bin_values(p.shape[1], p)).sum(1)


def draw(p: Tensor, uniform: Tensor) -> Tensor:
    """Centre of a bin drawn by the distribution: (B, K, ...) and uniform numbers (B, ...) to (B, ...)."""
    passed = (uniform.unsqueeze(1) > p.cumsum(1)).sum(1).clamp(max=p.shape[1] - 1)
    return (passed.to(p.dtype) + 0.5) / p.shape[1]


def mean_hue(p: Tensor) -> tuple[Tensor, Tensor]:
    """Direction and length of the mean of hues, which go round in a circle: Σ p exp(2πi (k + ½) / K).

    Args:
        p: (B, K, ...), sum 1 over K.

    Returns:
        Hue in [0, 1) and length in [0, 1], (B, ...) each. The paper's |z| is the length divided by K.
    """
    angle = 2 * math.pi * bin_values(p.shape[1], p)
    x, y = (p * angle.cos()).sum(1), (p * angle.sin()).sum(1)
    turn = torch.atan2(y, x) / (2 * math.pi)
    return turn - turn.floor(), (x * x + y * y).sqrt()


def fade(chroma: Tensor, length: Tensor) -> Tensor:
    """Chromatic fading: less chroma where the hue is unsure, C min(|z| / η, 1), η = .03 (Larsson 2016).

    |z| is a mean over the paper's 32 bins, so that 1/32 is its largest value. Here it is taken for 32 bins however many
    there are: the same uncertainty fades alike.

    Args:
        chroma: (B, ...).
        length: of the mean hue, from `mean_hue`.
    """
    return chroma * (length / FADING).clamp(max=1)


def bicone_to_rgb(hue: Tensor, chroma: Tensor, grey: Tensor) -> Tensor:
    """sRGB of a hue and chroma upon a grey: V = grey + C/2, S = C/V, then HSV to RGB, clipped to [0, 1].

    The result's own mean differs from the grey; see `match_lightness`.

    Args:
        hue, chroma, grey: (B, ...) each, in [0, 1].

    Returns:
        (B, 3, ...), in [0, 1].
    """
    value = (grey + chroma / 2).clamp(0, 1)
    saturation = (2 * chroma / (2 * grey + chroma).clamp(min=1e-8)).clamp(0, 1)
    channels = []
    for shift in (5, 3, 1):
        k = shift + 6 * hue
        k = k - 6 * (k / 6).floor()
        channels.append(value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, dim=1)


def match_lightness(rgb: Tensor, grey: Tensor) -> Tensor:
    """Shift all channels so that their mean is the grey, then clip to [0, 1] (color.py of the released code).

    Args:
        rgb: (B, 3, ...).
        grey: (B, ...), in [0, 1].
    """
    return (rgb - rgb.mean(1, keepdim=True) + grey.unsqueeze(1)).clamp(0, 1)
