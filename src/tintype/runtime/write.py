"""Writing colour pictures: as sRGB, with the photograph's metadata, whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import Image

from tintype.runtime.atomic import write_atomically
from tintype.runtime.buffers import Buffers
from tintype.runtime.errors import PhotoError
from tintype.runtime.formats import DEEP, FORMATS
from tintype.runtime.icc import srgb_profile
from tintype.runtime.jpeg import write_jpeg
from tintype.runtime.merge import Merge
from tintype.runtime.paint import Pixels
from tintype.runtime.photo import Metadata

_LARGEST = {"JPEG": 65500, "WEBP": 16383}  # pixels along a side
_WITH_ALPHA = {"PNG", "TIFF", "WEBP"}
_PREDICTOR = 317  # TIFF tag
_LONGEST = 65000  # bytes of EXIF or XMP in a JPEG, which has 16 bits for their length


def format_for(target: Path) -> str:
    """Pillow's name of the format that a file's suffix means.

    Raises:
        PhotoError: none that can be written.
    """
    try:
        return FORMATS[target.suffix.lower()]
    except KeyError:
        raise PhotoError(
            f"{target}: cannot write {target.suffix or 'without a suffix'}; use {', '.join(FORMATS)}"
        ) from None


def to_image(pixels: Pixels, alpha: bool) -> Image.Image:
    """(H, W) pixels of bytes R, G, B, alpha as a Pillow image on the same memory: RGBA, or RGBX without alpha."""
    mode = "RGBA" if alpha else "RGBX"
    height, width = pixels.shape
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def check_depth(target: Path, depth: int) -> None:
    """Whether the format of a file has so many bits a channel.

    Raises:
        ValueError: neither 8 nor 16.
        PhotoError: it has not, or cannot be written at all.
    """
    if depth not in (8, 16):
        raise ValueError(f"depth is {depth}; it must be 8 or 16")
    if format_for(target) not in DEEP and depth == 16:
        raise PhotoError(f"{target}: {format_for(target)} has 8 bits a channel; for 16, use .png or .tif")


def write_photo(
    picture: Merge,
    alpha: bool,
    metadata: Metadata,
    target: Path,
    overwrite: bool,
    threads: int = 1,
    depth: int = 8,
) -> None:
    """Writes a picture in the format that the target's suffix means.

    JPEG: quality 95, colour at full resolution. PNG and TIFF (LZW): lossless. WebP: quality 95. An sRGB profile goes
    with it, so that screens with more colours show these ones; BMP has none. Where the format has no alpha, what is
    transparent becomes white.

    Args:
        picture: what makes the pixels. For JPEG it is asked strip by strip.
        alpha: whether something is transparent.
        metadata: to go with it.
        target, overwrite: as of `write_atomically`.
        threads: how many to use.
        depth: bits a channel: 8, or for PNG and TIFF 16 (then TIFF by Deflate).

    Raises:
        PhotoError: the format is unknown, or too small for the picture, or has no 16 bits.
        FileExistsError, OSError: see `write_atomically`.
    """
    format = format_for(target)
    largest = _LARGEST.get(format, max(picture.shape))
    if max(picture.shape) > largest:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise PhotoError(f"{target}: {size} is too large, {format} ends at {largest} pixels a side; use .png or .tif")
    check_depth(target, depth)
    if depth == 16:
        from tintype.runtime.pages import Page, write_16_bit

        write_16_bit(Page(picture, alpha, metadata), format, target, overwrite, threads)
        return
    options = _options(format, metadata)

    def write(file: BinaryIO) -> None:
        if format == "JPEG":
            write_jpeg(file, picture.shape, lambda: _painter(picture, alpha), options, threads)
            return
        image = to_image(picture.pixels(threads), alpha)
        if format not in _WITH_ALPHA:
            image = _on_white(image)
        if image.mode != "RGBA":
            image = image.convert("RGB")
        # libtiff says on the terminal what goes wrong with a file, so it is to see none.
        image.save(cast(BinaryIO, _Unnumbered(file)) if format == "TIFF" else file, format, **options)
        if format == "TIFF" and (metadata.exif or metadata.xmp):
            from tintype.runtime.tiff import add_metadata

            add_metadata(file, metadata.exif, metadata.xmp)

    write_atomically(target, write, overwrite)


def _painter(picture: Merge, alpha: bool) -> Callable[[int, int], Image.Image]:
    """For one thread: what makes an image of rows y0 up to y1."""
    paint, buffers = picture.painter(), Buffers()

    def rows(y0: int, y1: int) -> Image.Image:
        pixels = buffers("pixels", (y1 - y0, picture.shape[1]), np.uint32)
        paint(y0, y1, pixels)
        return _on_white(to_image(pixels, alpha))

    return rows


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _options(format: str, metadata: Metadata) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if format == "BMP":
        return options
    options["icc_profile"] = srgb_profile()
    exif, xmp = metadata.exif, metadata.xmp
    if format == "JPEG":
        options["quality"] = 95
        exif, xmp = (part if part and len(part) <= _LONGEST else None for part in (exif, xmp))
    elif format == "PNG":
        options["compress_level"] = 2  # at the usual 6, a photograph takes four times as long and 10 % less room
    elif format == "WEBP":
        options |= {"quality": 95, "method": 2}
    elif format == "TIFF":
        return options | {"compression": "tiff_lzw", "tiffinfo": {_PREDICTOR: 2}}
    if exif:
        options["exif"] = exif
    if xmp and format == "PNG":
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode(errors="replace"))
    elif xmp:
        options["xmp"] = xmp
    return options


class _Unnumbered:
    """A file without a file number, which Pillow then writes to by itself."""

    def __init__(self, file: BinaryIO):
        self.write, self.seek, self.tell, self.flush = file.write, file.seek, file.tell, file.flush
