"""Square crops out of photographs, decoding no more of them than the crop needs."""

import io
import math
from collections.abc import Callable

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch.nn.functional import interpolate

from tintype.data.errors import DamagedPhotoError

Pixels = NDArray[np.uint8]

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_ORIENTATION = 0x0112
_PHOTOMETRIC = 262  # TIFF tag


def random_crop(data: bytes, crop: int, side: float, left: float, top: float, flip: bool) -> Pixels:
    """Cut a square out of a photograph and resize it, antialiased, with its aspect kept.

    Args:
        data: the photograph's file.
        crop: side of the result in pixels.
        side: the square's side relative to the photograph's short side, in (0, 1].
        left: where between the leftmost (0) and rightmost (1) place the square lies.
        top: likewise from top to bottom.
        flip: whether to mirror left and right.

    Returns:
        RGB, (crop, crop, 3) uint8.

    Raises:
        DamagedPhotoError: the file cannot be decoded.
    """
    pixels, orientation = _decode(data, at_least=math.ceil(crop / side))
    height, width = pixels.shape[:2]
    length = max(1, round(side * min(height, width)))
    x, y = round(left * (width - length)), round(top * (height - length))
    square = _upright(pixels[y : y + length, x : x + length], orientation)
    # The batch's axis comes first: added after the permutation, torch would not see that channels lie last in memory,
    # and convert back and forth, which takes as long as resizing.
    planes = torch.from_numpy(np.ascontiguousarray(square))[None].permute(0, 3, 1, 2)
    planes = interpolate(planes, (crop, crop), mode="bilinear", antialias=True)
    if flip:
        planes = planes.flip(3)
    return planes[0].permute(1, 2, 0).numpy()


def center_crop(data: bytes, crop: int, side: float = 1.0) -> Pixels:
    """A centred square of a photograph, by default the largest, at crop × crop pixels; see `random_crop`."""
    return random_crop(data, crop, side=side, left=0.5, top=0.5, flip=False)


def full_size(data: bytes) -> Pixels:
    """All of a photograph, upright, RGB (h, w, 3) uint8. Raises DamagedPhotoError."""
    return np.ascontiguousarray(_upright(*_decode(data, at_least=1 << 16)))


def check(data: bytes) -> None:
    """Decode a photograph as cheaply as can be, for the sake of its damage. Raises DamagedPhotoError."""
    _decode(data, at_least=1)


def reencode(data: bytes, short_side: int, quality: int) -> bytes:
    """A photograph as JPEG, upright, with its colours at full resolution (4:4:4), and no metadata but its ICC profile.

    Args:
        data: the photograph's file.
        short_side: in pixels; photographs with a longer one are reduced to it, by Lanczos; 0 leaves the size.
        quality: of JPEG, 1..100.

    Raises:
        DamagedPhotoError: the file cannot be decoded.
    """
    pixels, orientation = _decode(data, at_least=2 * short_side or 1 << 16)  # twice: the rest is for Lanczos
    image = Image.fromarray(np.ascontiguousarray(_upright(pixels, orientation)))
    with Image.open(io.BytesIO(data), formats=_FORMATS) as original:
        profile = original.info.get("icc_profile") if original.mode == "RGB" else None
    if 0 < short_side < min(image.size):
        factor = short_side / min(image.size)
        width, height = (max(short_side, round(factor * side)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0, icc_profile=profile)
    return file.getvalue()


def _decode(data: bytes, at_least: int) -> tuple[Pixels, int]:
    """RGB, (h, w, 3), not yet turned upright, with both sides at least `at_least` where the file has that many pixels;
    and the EXIF orientation, 1..8."""
    if data[:3] == b"\xff\xd8\xff":
        try:
            # Scales between a half and one have no SIMD code in libjpeg-turbo, and take longer than full size.
            pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=at_least, min_width=at_least, min_factor=2)
            return pixels, _jpeg_orientation(data)
        except ValueError as error:
            if "extraneous bytes" not in str(error):
                raise DamagedPhotoError(str(error)) from error
    return _decode_by_pillow(data, at_least)


def _jpeg_orientation(data: bytes) -> int:
    start = data.find(b"Exif\0\0", 0, 1 << 16)
    if start < 0:
        return 1
    exif = Image.Exif()

    def read() -> Image.Exif:
        exif.load(data[start : start + (1 << 16)])
        return exif

    return _orientation(read)


def _orientation(exif: Callable[[], Image.Exif]) -> int:
    try:
        return int(exif().get(_ORIENTATION, 1))
    except Exception:  # Pillow raises many kinds on broken EXIF, and a photograph is worth keeping without it
        return 1


def _decode_by_pillow(data: bytes, at_least: int) -> tuple[Pixels, int]:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.draft("RGB", (at_least, at_least))
            image.load()  # before its EXIF is asked: TIFF is turned upright in loading, and then says so
            return np.array(_to_rgb(image)), _orientation(image.getexif)
    except UnidentifiedImageError as error:  # says where in memory it is
        raise DamagedPhotoError("no picture of a known format") from error
    except Exception as error:  # decoders raise nearly everything: OSError, SyntaxError, struct.error, ValueError ...
        raise DamagedPhotoError(" ".join(str(error).split()) or type(error).__name__) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels, of which nobody says what is white")
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion clips instead of scaling
        levels = np.asarray(image).clip(0, 65535).astype(np.uint16)
        if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # white is zero, which Pillow heeds for 8 bits only
            levels = 65535 - levels
        image = Image.fromarray((levels // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turned by EXIF orientation, 1..8: 1 is upright already, 5 to 8 swap rows and columns."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
