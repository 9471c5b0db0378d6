"""Writing colour pictures: as sRGB, with the photograph's metadata, whole or not at all."""

from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.atomic import write_atomically
from tintype.runtime.errors import PhotoError
from tintype.runtime.formats import FORMATS
from tintype.runtime.icc import srgb_profile
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


def to_image(pixels: NDArray[np.uint32], alpha: bool) -> Image.Image:
    """(H, W) pixels of bytes R, G, B, alpha as a Pillow image on the same memory: RGBA, or RGBX without alpha."""
    mode = "RGBA" if alpha else "RGBX"
    height, width = pixels.shape
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def write_photo(pixels: NDArray[np.uint32], alpha: bool, metadata: Metadata, target: Path, overwrite: bool) -> None:
    """Writes (H, W) pixels of bytes R, G, B, alpha, in the format that the target's suffix means.

    JPEG: quality 95, colour at full resolution. PNG and TIFF (LZW): lossless. WebP: quality 95. An sRGB profile goes
    with it, so that screens with more colours show these ones; BMP has none. Where the format has no alpha, what is
    transparent becomes white.

    Raises:
        PhotoError: the format is unknown, or too small for the picture.
        FileExistsError, OSError: see `write_atomically`.
    """
    format = format_for(target)
    largest = _LARGEST.get(format, max(pixels.shape))
    if max(pixels.shape) > largest:
        size = f"{pixels.shape[1]}x{pixels.shape[0]}"
        raise PhotoError(f"{target}: {size} is too large, {format} ends at {largest} pixels a side; use .png or .tif")
    options = _options(format, metadata)

    def write(file: BinaryIO) -> None:
        image = to_image(pixels, alpha)
        if alpha and format not in _WITH_ALPHA:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        if image.mode != ("RGBX" if format == "JPEG" else "RGBA"):
            image = image.convert("RGB")
        # libtiff says on the terminal what goes wrong with a file, so it is to see none.
        image.save(cast(BinaryIO, _Unnumbered(file)) if format == "TIFF" else file, format, **options)
        if format == "TIFF" and (metadata.exif or metadata.xmp):
            from tintype.runtime.tiff import add_metadata

            add_metadata(file, metadata.exif, metadata.xmp)

    write_atomically(target, write, overwrite)


def _options(format: str, metadata: Metadata) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if format == "BMP":
        return options
    options["icc_profile"] = srgb_profile()
    exif, xmp = metadata.exif, metadata.xmp
    if format == "JPEG":
        options |= {"quality": 95, "subsampling": "4:4:4"}
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
