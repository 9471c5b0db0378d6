"""A photograph as colorizing needs it: lightness at full resolution, and what must reach the output unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tintype.color.lab import RGB_TO_XYZ, luminance_to_lightness, srgb_to_linear
from tintype.runtime.buffers import Buffers, Codes, Lookup, Plane
from tintype.runtime.errors import PhotoError

Array = TypeVar("Array", bound=NDArray[Any])


@dataclass(frozen=True)
class Metadata:
    """What is carried over to the output file: EXIF (without orientation and thumbnail), XMP, pixels per inch."""

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True)
class Photo:
    """An upright photograph.

    Lightness is kept as whole numbers and a table, so that a hundred megapixels of 8-bit grey take 100 MB, not 400.

    Attributes:
        codes: (H, W), uint8 or uint16.
        lightness: CIE L in [0, 100] of each code: 256 or 65536 float32.
        alpha: (H, W) uint8, None where everything is opaque.
        metadata: for the output file.
        orange: whether it has the colour of film's orange mask all over, as colour negatives do.
    """

    codes: Codes
    lightness: Plane
    alpha: NDArray[np.uint8] | None = None
    metadata: Metadata = field(default_factory=Metadata)
    orange: bool = False


@cache
def grey_lightness(levels: int) -> Plane:
    """CIE L of each of the 256 or 65536 levels of sRGB grey."""
    return np.asarray(luminance_to_lightness(srgb_to_linear(np.arange(levels) / (levels - 1))), dtype=np.float32)


@cache
def even_lightness(levels: int) -> Plane:
    """CIE L of codes that count it in even steps from 0 to 100: how the lightness of colour pictures is kept."""
    return np.linspace(0, 100, levels, dtype=np.float32)


@cache
def _luminances() -> list[Lookup]:
    """The luminance, out of 65535, that each 8-bit level of R, G and B adds."""
    return [Lookup(65535 * weight * srgb_to_linear(np.arange(256) / 255)) for weight in RGB_TO_XYZ[1]]


@cache
def _luminance_to_code() -> NDArray[np.uint16]:
    return np.asarray(np.rint(luminance_to_lightness(np.arange(65536) / 65535) * 655.35), dtype=np.uint16)


def code_rgb(channels: Sequence[NDArray[np.uint8]], buffers: Buffers) -> NDArray[np.uint16]:
    """Lightness of 8-bit sRGB as codes of `even_lightness`, by table: right to 0.01.

    Args:
        channels: R, G and B, of any one shape.
        buffers: where the sums are done, and the result is until the next call.
    """
    shape = channels[0].shape
    luminance, part = buffers("luminance", shape), buffers("part", shape)
    luminance.fill(0.5)
    for channel, lookup in zip(channels, _luminances(), strict=True):
        luminance += lookup(channel, part)
    indices = buffers("indices", shape, np.intp)
    np.copyto(indices, luminance, casting="unsafe")
    codes: NDArray[np.uint16] = _luminance_to_code().take(indices, out=buffers("codes", shape, np.uint16), mode="clip")
    return codes


def photo_from_array(array: NDArray[Any]) -> Photo:
    """A photograph from pixels in memory.

    Args:
        array: sRGB grey (H, W) or (H, W, 1), colour (H, W, 3), or colour and alpha (H, W, 4); uint8, uint16, or
            floats in [0, 1].

    Raises:
        PhotoError: another shape or type, no pixels, or floats outside [0, 1].
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise PhotoError(f"array of shape {array.shape}: give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if 0 in array.shape:
        raise PhotoError(f"array of shape {array.shape}: there are no pixels in it")
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.dtype == np.uint8:
        levels = array
    elif array.dtype == np.uint16:
        levels = array.astype(np.uint16)  # in the machine's byte order
    elif np.issubdtype(array.dtype, np.floating):
        levels = _levels(array)
    else:
        raise PhotoError(f"array of type {array.dtype}: give uint8, uint16, or floats from 0 to 1")
    white = 255 if levels.dtype == np.uint8 else 65535
    alpha = None
    if levels.ndim == 3 and levels.shape[2] == 4:
        alpha = np.ascontiguousarray(levels[..., 3] // (1 if white == 255 else 257)).astype(np.uint8)
    if levels.ndim == 2:
        return Photo(np.ascontiguousarray(levels), grey_lightness(white + 1))
    codes = np.empty(levels.shape[:2], np.uint16)
    buffers = Buffers()
    for row, line in enumerate(levels[..., :3]):
        codes[row] = code_rgb(line.T, buffers) if white == 255 else _code_wide(line)
    return Photo(codes, even_lightness(65536), alpha)


def turn(plane: Array, orientation: int) -> Array:
    """Turns (H, W) or (H, W, C) upright from EXIF orientation 1 to 8."""
    upright: Any = plane.swapaxes(0, 1) if orientation >= 5 else plane
    upright = upright[::-1] if orientation in (3, 4, 7, 8) else upright
    upright = upright[:, ::-1] if orientation in (2, 3, 6, 7) else upright
    return cast(Array, np.ascontiguousarray(upright))


def _levels(array: NDArray[Any]) -> NDArray[np.uint16]:
    """Floats in [0, 1] as 16-bit levels."""
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # also true of NaN
        raise PhotoError(f"array of floats from {low:g} to {high:g}: floats must be from 0 to 1")
    return np.rint(array * np.float32(65535)).astype(np.uint16)


def _code_wide(rgb: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """As `code_rgb`, for 16-bit levels."""
    luminance = srgb_to_linear(rgb / np.float32(65535)) @ np.array(RGB_TO_XYZ[1], dtype=np.float32)
    return np.asarray(np.rint(luminance_to_lightness(luminance) * 655.35), dtype=np.uint16)
