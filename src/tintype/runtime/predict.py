"""From lightness at any size to the network's prediction: scale, pad, run, crop."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.buffers import Plane
from tintype.runtime.distribution import Distribution
from tintype.runtime.model import Model

_LARGEST = 4  # times the usual area, after padding: bounds memory for pictures like 1 x 10,000 pixels


@dataclass(frozen=True)
class Prediction:
    """Colour as the network gives it, at the network's own resolution.

    Attributes:
        ab: CIE ab units, (2, h, w) float32.
        entropy: of the predicted distribution over colours, in nats, (h, w) float32: 0 is certainty.
    """

    ab: Plane
    entropy: Plane


def network_size(height: float, width: float, size: int, multiple: int) -> tuple[int, int]:
    """Height and width at which the network sees a picture: its shape, and the area of a square of side `size`.

    Long and narrow pictures get less, so that padding to `multiple` does not make them many times as large.
    """
    scale = size / math.sqrt(height * width)
    largest = max(_LARGEST * size * size, multiple * multiple)
    while True:
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        area = _padded(h, multiple) * _padded(w, multiple)
        if area <= largest:
            return h, w
        scale *= max(0.5, min(0.95, largest / area))


def predict(
    model: Model,
    lightness: Plane,
    extent: tuple[float, float],
    size: tuple[int, int],
    temperature: float | None,
) -> Prediction:
    """Runs the network on a picture.

    Args:
        model: the network.
        lightness: CIE L, (h, w), of the picture at about the network's resolution or above.
        extent: height and width of the picture in pixels of `lightness`, the last of which it may fill only partly.
        size: height and width in pixels that the network is to see.
        temperature: of the annealed mean; None for the model's own.
    """
    ab, entropy = model.run(network_input(model, lightness, extent, size), temperature)
    h, w = (-(-length // model.stride) for length in size)
    return Prediction(np.ascontiguousarray(ab[0, :, :h, :w]), np.ascontiguousarray(entropy[0, 0, :h, :w]))


def predict_distribution(
    model: Model, lightness: Plane, extent: tuple[float, float], size: tuple[int, int]
) -> Distribution:
    """Runs the network on a picture, and decides on no colours yet. Arguments as of `predict`.

    Raises:
        ModelError: the model tells no distribution.
    """
    logits = model.logits(network_input(model, lightness, extent, size))
    h, w = (-(-length // model.stride) for length in size)
    return Distribution(np.ascontiguousarray(logits[0, :h, :w]))


def network_input(
    model: Model, lightness: Plane, extent: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.float32]:
    """What the network is shown: (1, 1, height, width) of `size`, its border repeated up to multiples."""
    height, width = size
    picture = Image.fromarray(lightness).resize((width, height), Image.Resampling.BICUBIC, (0, 0, extent[1], extent[0]))
    rows, columns = (_padded(length, model.multiple) - length for length in size)
    return np.pad(np.asarray(picture).clip(0, 100), ((0, rows), (0, columns)), mode="edge")[None, None]


def cells_of(
    model: Model, extent: tuple[float, float], seen: tuple[int, int]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the network's cells lie: the centre of the first, and the steps from one to the next, down and across.

    Args:
        extent: height and width of the picture in some pixels, in which the answer is given too.
        seen: height and width at which the network saw it.
    """
    down, across = (length / side for length, side in zip(extent, seen, strict=True))
    origin, stride = model.ab_origin, model.stride
    return (origin * down, origin * across), (stride * down, stride * across)


def _padded(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
