"""A colour photograph to be measured on: its true picture, and the grey one that every method is given."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.color.lab import RGB_TO_XYZ, linear_to_srgb, srgb_to_linear
from tintype.evaluate.colour_error import strips
from tintype.evaluate.fidelity import SSIM_WINDOW
from tintype.evaluate.protocol import SIDE
from tintype.runtime.errors import PhotoError
from tintype.runtime.read import read_rgb


@dataclass(frozen=True)
class Photograph:
    """What a method may use, and what it is held against.

    `true` is (h, w, 3) uint8 sRGB; `grey` is (h, w) uint8, the neutral grey of the same CIE lightness. `size` is that
    of the file, (h, w), before it was brought to the protocol's.
    """

    path: Path
    true: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    size: tuple[int, int]


def grey_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The neutral grey with the CIE lightness of each pixel: (h, w, 3) to (h, w), 8-bit sRGB."""
    linear = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
    luminance = np.array(RGB_TO_XYZ[1], dtype=np.float32)
    grey = np.empty(rgb.shape[:2], dtype=np.uint8)
    for rows in strips(*rgb.shape[:2]):
        grey[rows] = np.rint(255 * np.clip(linear_to_srgb(linear[rgb[rows]] @ luminance), 0, 1))
    return grey


def read_colours(path: Path) -> NDArray[np.uint8]:
    """Read a picture as the colorizer reads one: upright, sRGB, 8 bit, (h, w, 3).

    Raises:
        PhotoError: it cannot be read.
    """
    try:
        return read_rgb(path)
    except OSError as error:
        raise PhotoError(f"{path}: {error.strerror}") from error


def resized(rgb: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A picture at another size, aspect ratio not kept: bicubic, antialiased."""
    if rgb.shape[:2] == (height, width):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))


def read_photograph(path: Path, square: bool = False) -> Photograph:
    """Read a photograph to measure on.

    Args:
        path: the file.
        square: whether to resize it to 256×256.

    Raises:
        PhotoError: it cannot be read, or is smaller than SSIM's window.
    """
    true = read_colours(path)
    height, width = true.shape[:2]
    if min(height, width) < SSIM_WINDOW:
        raise PhotoError(f"{path}: {width} x {height} pixels are too few, SSIM needs {SSIM_WINDOW} on each side")
    if square:
        true = resized(true, SIDE, SIDE)
    return Photograph(path, true, grey_of(true), (height, width))
