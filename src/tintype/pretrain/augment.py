"""Making a photograph's lightness look old, on the training device.

Only what the network sees is spoiled; the colours that it is to predict stay those of the clean photograph. Every
effect is a pure function of lightness, (B, 1, H, W) in [0, 100], and of its own draws, one row for each photograph.
"""

import math
from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.pretrain.recipe import Augment
from tintype.training.launch import seed_from

_DRAWS = 32  # uniform numbers for each photograph: 16 for tone, blur and grain, 8 for scratches, 8 for stains
_BLUR_RADIUS = 4  # two standard deviations of the widest blur that a recipe may ask for


def age(lightness: Tensor, strengths: Augment, *seed: int, first: int = 0) -> Tensor:
    """Spoil lightness as time and old cameras do: tones, vignette, blur, stains, grain, scratches, in this order.

    Each photograph's damage follows from the seed and its place in the joint batch alone, so it is the same however
    many processes share the batch, and on every device.

    Args:
        lightness: (B, 1, H, W), CIE L in [0, 100].
        strengths: of each effect; 0 turns it off.
        seed: whole numbers, such as the run's seed and the step.
        first: place of this batch's first photograph in the joint batch.

    Returns:
        (B, 1, H, W), in [0, 100].
    """
    if not any(astuple(strengths)):
        return lightness
    batch, _, height, width = lightness.shape
    generator = torch.Generator().manual_seed(seed_from(*seed))
    # One field of noise for the step, which every photograph sees shifted and mirrored in its own way: as good as a
    # field for each, and the same for every process without making the whole joint batch's noise on each.
    noise = torch.randn(height, width, generator=generator).to(lightness.device, non_blocking=True)
    draws = torch.rand(first + batch, _DRAWS, generator=generator)[first:].to(lightness.device, non_blocking=True)
    tone, scratch, stain = draws[:, :16], draws[:, 16:24], draws[:, 24:]
    x = tones(lightness, tone[:, 0:4], strengths.contrast, strengths.gamma, strengths.fade)
    x = vignette(x, tone[:, 4:7], strengths.vignette)
    x = blur(x, tone[:, 7], strengths.blur)
    x = stains(x, stain, strengths.stains)
    x = grain(x, tone[:, 8:14], noise, strengths.grain)
    x = scratches(x, scratch, strengths.scratches)
    return x.clamp(0, 100)


def tones(lightness: Tensor, draws: Tensor, contrast: float, gamma: float, fade: float) -> Tensor:
    """Change contrast and gamma, then fade: narrow the tonal range and lift the blacks.

    Args:
        draws: (B, 4), uniform in [0, 1].
        contrast: contrast around mid-grey is multiplied by up to 1 ± this.
        gamma: L/100 is raised to a power from 1/(1 + this) to 1 + this.
        fade: the tonal range loses up to this share, more of it from the blacks than from the whites.
    """
    if not (contrast or gamma or fade):
        return lightness
    u = draws[:, :, None, None, None]
    x = (lightness / 100).clamp(0, 1)
    if gamma:
        x = x ** torch.exp((2 * u[:, 0] - 1) * math.log1p(gamma))
    if contrast:
        x = (0.5 + (x - 0.5) * (1 + (2 * u[:, 1] - 1) * contrast)).clamp(0, 1)
    lost = u[:, 2] * fade
    black = lost * (0.5 + 0.5 * u[:, 3])
    return 100 * (black + x * (1 - lost))


def vignette(lightness: Tensor, draws: Tensor, strength: float) -> Tensor:
    """Darken (or, in an overexposed print, lighten) towards the corners by up to `strength` of the lightness.

    Args:
        draws: (B, 3), uniform in [0, 1]: how much, and where the centre is.
    """
    if not strength:
        return lightness
    u = draws[:, :, None, None]
    x, y = _grid(lightness)
    squared = ((x - 0.25 - 0.5 * u[:, 1]) ** 2 + (y - 0.25 - 0.5 * u[:, 2]) ** 2) / 0.5
    return lightness * (1 - strength * u[:, 0] * squared.clamp(max=1))[:, None]


def blur(lightness: Tensor, draws: Tensor, strength: float) -> Tensor:
    """Gaussian blur with a standard deviation of up to `strength` pixels.

    Args:
        draws: (B,), uniform in [0, 1].
    """
    if not strength:
        return lightness
    sigma = (draws * strength).clamp(min=1e-3)[:, None]
    offsets = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1, device=lightness.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum(1, keepdim=True)
    padded = F.pad(lightness, (_BLUR_RADIUS,) * 4, mode="reflect").transpose(0, 1)  # a photograph for each channel
    rows = F.conv2d(padded, kernel[:, None, None, :], groups=len(kernel))
    return F.conv2d(rows, kernel[:, None, :, None], groups=len(kernel)).transpose(0, 1)


def grain(lightness: Tensor, draws: Tensor, noise: Tensor, strength: float) -> Tensor:
    """Film grain: Gaussian noise with a standard deviation of up to `strength` in L, fine or coarse.

    Args:
        draws: (B, 6), uniform in [0, 1].
        noise: (H, W), standard normal.
    """
    if not strength:
        return lightness
    height, width = noise.shape
    rows = (torch.arange(height, device=noise.device) + (draws[:, 0:1] * height).long()) % height
    columns = (torch.arange(width, device=noise.device) + (draws[:, 1:2] * width).long()) % width
    rows = torch.where(draws[:, 2:3] < 0.5, rows, rows.flip(1))
    columns = torch.where(draws[:, 3:4] < 0.5, columns, columns.flip(1))
    field = noise[rows[:, :, None], columns[:, None, :]][:, None]
    # Coarse grain is the mean of 2x2 fine grains, brought back to the same spread.
    coarse = 2 * F.avg_pool2d(F.pad(field, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
    field = torch.where((draws[:, 4] < 0.5)[:, None, None, None], field, coarse)
    return lightness + field * (strength * draws[:, 5])[:, None, None, None]


def scratches(lightness: Tensor, draws: Tensor, strength: float) -> Tensor:
    """A straight scratch, light or dark and about a pixel wide, on a share `strength` of the photographs.

    Args:
        draws: (B, 8), uniform in [0, 1].
    """
    if not strength:
        return lightness
    u = draws[:, :, None, None]
    height, width = lightness.shape[-2:]
    x, y = _grid(lightness)
    angle = (u[:, 1] - 0.5) * math.pi / 4  # mostly along the photograph's height, as film and handling leave them
    distance = ((x - u[:, 2]) * width * angle.cos() - (y - u[:, 3]) * height * angle.sin()).abs()
    cover = (0.5 + u[:, 4] - distance).clamp(0, 1) * (u[:, 0] < strength) * (0.3 + 0.7 * u[:, 5])
    tone = torch.where(u[:, 6] < 0.7, 95.0, 10.0)
    return torch.lerp(lightness, tone[:, None].expand_as(lightness), cover[:, None])


def stains(lightness: Tensor, draws: Tensor, strength: float) -> Tensor:
    """A soft round patch, lighter or darker by up to 20 in L, on a share `strength` of the photographs.

    Args:
        draws: (B, 8), uniform in [0, 1].
    """
    if not strength:
        return lightness
    u = draws[:, :, None, None]
    x, y = _grid(lightness)
    radius = 0.05 + 0.25 * u[:, 3]
    distance = ((x - u[:, 1]) ** 2 + (y - u[:, 2]) ** 2).sqrt() / radius
    patch = torch.sigmoid((1 - distance) * (4 + 20 * u[:, 4]))
    change = torch.where(u[:, 0] < strength, 40 * u[:, 5] - 20, 0.0)
    return lightness + (patch * change)[:, None]


def _grid(lightness: Tensor) -> tuple[Tensor, Tensor]:
    """x of each column, (1, 1, W), and y of each row, (1, H, 1), both in [0, 1]."""
    height, width = lightness.shape[-2:]
    options: dict[str, Any] = {"device": lightness.device, "dtype": lightness.dtype}
    x = torch.linspace(0, 1, width, **options)[None, None, :]
    y = torch.linspace(0, 1, height, **options)[None, :, None]
    return x, y
