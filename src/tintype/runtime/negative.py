"""Negatives: from what film lets through to the lightness of the scene.

On the straight part of film's characteristic curve (Hurter and Driffield 1890), density (minus log10 of the light let
through) grows with the logarithm of the light that had fallen on it, GAMMA times as fast. So the scene's luminance is

    Y = 10^((d - d_white) / GAMMA),

with d_white the density of what was lightest in the scene. The film's clearest part is made black, its densest white.
The base and the orange mask of colour film let the same share through everywhere, and so fall out.

Where some program has but turned the levels over, they are turned back.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.color.lab import lightness_to_grey, luminance_to_lightness, srgb_to_linear
from tintype.runtime.photo import Photo

DENSEST = 2.2  # range of densities beyond what film has: then the levels of a positive were only turned over
GAMMA = 0.65  # film's usual contrast
TAIL = 0.1  # percent of the pixels beyond the black and the white point: dust, and holes
EDGE = 0.1  # of the sides: left out in looking for these points, as film's rebate and its holder lie there
RANGE = (1.2, 2.6)  # powers of ten from the darkest to the lightest: what a scan of low or high contrast is brought to
_BRIGHT = 95  # percentile of brightness, from which on film is taken to be clear
_MASK = 1.8, 1.2  # levels of red over blue, and over green, of what is clear
_ORDERED = 0.9  # share of the pixels with more red than green, and more green than blue
_STEPS = 4_000_000  # pixels looked at, at most


def invert(photo: Photo) -> Photo:
    """The positive of a negative. Its codes stay; only what they mean is turned over."""
    height, width = photo.codes.shape
    top, left = round(EDGE * height), round(EDGE * width)
    inner = photo.codes[top : height - top or None, left : width - left or None]
    step = int(np.ceil(np.sqrt(max(1, inner.size / _STEPS))))
    codes, counts = np.unique(inner[::step, ::step], return_counts=True)
    light = photo.lightness[codes]
    order = np.argsort(light)
    share = np.cumsum(counts[order]) / counts.sum()
    places = np.searchsorted(share, [TAIL / 100, 1 - TAIL / 100]).clip(max=len(order) - 1)
    dark, clear = light[order][places].astype(np.float64)
    if not dark < clear:
        return photo
    densest, clearest = _density(dark), _density(clear)
    if densest - clearest > DENSEST:
        white, black = (lightness_to_grey(value) for value in (dark, clear))
        luminance = srgb_to_linear(np.clip((black - lightness_to_grey(photo.lightness)) / (black - white), 0, 1))
    else:
        span = float(np.clip((densest - clearest) / GAMMA, *RANGE))
        place = np.clip((_density(photo.lightness) - clearest) / (densest - clearest), 0, 1)
        least = 10**-span
        luminance = np.maximum(10 ** ((place - 1) * span) - least, 0) / (1 - least)
    return dataclasses.replace(photo, lightness=np.asarray(luminance_to_lightness(luminance), dtype=np.float32))


def has_orange_mask(image: Image.Image) -> bool:
    """Whether a loaded picture has the orange all over of colour film that was scanned as it is.

    Of 1,130 photographs (test and validation parts of the bundled model's data), 3 look so as well. Negatives without
    colour cannot be told from dark photographs in this way, nor in any other that is sure enough to be of use.
    """
    if image.mode != "RGB":
        return False
    return is_orange(np.asarray(image.resize((64, 64), Image.Resampling.NEAREST)).reshape(-1, 3))


def is_orange(sample: NDArray[np.uint8]) -> bool:
    """As `has_orange_mask`, of some pixels of a picture, (n, 3)."""
    pixels = sample.astype(np.float32)
    red, green, blue = pixels.T
    luma = 0.21 * red + 0.72 * green + 0.07 * blue
    clear = pixels[luma >= np.percentile(luma, _BRIGHT)].mean(axis=0)
    ordered = ((red > green) & (green > blue)).mean()
    return bool(clear[0] > _MASK[0] * clear[2] and clear[0] > _MASK[1] * clear[1] and ordered > _ORDERED)


def _density(lightness: Any) -> Any:
    light = np.asarray(lightness, dtype=np.float64)
    luminance = np.where(light > 8, ((light + 16) / 116) ** 3, light / 903.3)
    return -np.log10(np.maximum(luminance, 1e-4))
