"""Methods to be measured: functions from a photograph to the 8-bit RGB picture that they make of its grey."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.evaluate.photograph import Photograph

Method = Callable[[Photograph], NDArray[np.uint8]]


class Colorizes(Protocol):
    """What is asked of a `tintype.Colorizer`."""

    def __call__(self, photo: Image.Image, *, temperature: float | None, saturation: float) -> Image.Image: ...


def grey(photograph: Photograph) -> NDArray[np.uint8]:
    """The grey picture itself: what no colour at all scores."""
    return np.repeat(photograph.grey[..., None], 3, axis=-1)


def true(photograph: Photograph) -> NDArray[np.uint8]:
    """The true picture: what perfect colours score."""
    return photograph.true


def colorized(colorizer: Colorizes, temperature: float | None = None, saturation: float = 1.0) -> Method:
    """What `colorizer` makes of the grey picture, as a person would get it: at full size, in 8 bits."""

    def method(photograph: Photograph) -> NDArray[np.uint8]:
        picture = colorizer(Image.fromarray(photograph.grey), temperature=temperature, saturation=saturation)
        return np.asarray(picture.convert("RGB"))

    return method
