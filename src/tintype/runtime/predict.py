"""From a part of a photograph to the network's answer: scale, pad, run, crop."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.buffers import Plane
from tintype.runtime.distribution import Distribution
from tintype.runtime.model import Model
from tintype.runtime.region import Region, padded


@dataclass(frozen=True)
class Prediction:
    """Colour as the network gives it, at the network's own resolution.

    Attributes:
        ab: CIE ab units, (2, h, w) float32.
        entropy: of the predicted distribution over colours, in nats, (h, w) float32: 0 is certainty.
    """

    ab: Plane
    entropy: Plane


def predict(model: Model, region: Region, temperature: float | None) -> Prediction:
    """Runs the network on a region.

    Args:
        model: the network.
        region: whose `shown` is at about the network's resolution or above.
        temperature: of the annealed mean; None for the model's own.
    """
    ab, entropy = model.run(network_input(model, region), temperature)
    h, w = region.cells
    return Prediction(np.ascontiguousarray(ab[0, :, :h, :w]), np.ascontiguousarray(entropy[0, 0, :h, :w]))


def predict_distribution(model: Model, region: Region) -> Distribution:
    """Runs the network on a region, and decides on no colours yet.

    Raises:
        ModelError: the model tells no distribution.
    """
    h, w = region.cells
    return Distribution(np.ascontiguousarray(model.logits(network_input(model, region))[0, :h, :w]))


def seen(region: Region) -> Plane:
    """A region's lightness at the size at which the network sees it; edges may overshoot black and white."""
    height, width = region.seen
    box = (0, 0, region.extent[1], region.extent[0])
    return np.asarray(Image.fromarray(region.shown).resize((width, height), Image.Resampling.BICUBIC, box))


def network_input(model: Model, region: Region) -> NDArray[np.float32]:
    """What the network is given: (1, 1, height, width), the border repeated up to multiples."""
    rows, columns = (padded(length, model.multiple) - length for length in region.seen)
    return np.pad(seen(region).clip(0, 100), ((0, rows), (0, columns)), mode="edge")[None, None]
