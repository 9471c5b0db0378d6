"""Which kind of file a photograph is, and what opens it."""

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import BinaryIO

from PIL import Image, ImageFile

from tintype.runtime.errors import PhotoError
from tintype.runtime.formats import RAW

# What Pillow logs of a damaged file it raises, too; who wants the log has handlers of his own.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_MAGIC = {
    b"\xff\xd8\xff": "Jpeg",
    b"\x89PNG\r\n\x1a\n": "Png",
    b"II*\0": "Tiff",
    b"MM\0*": "Tiff",
    b"II+\0": "Tiff",
    b"MM\0+": "Tiff",
    b"BM": "Bmp",
    b"GIF8": "Gif",
}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # brands
_AVIF = {b"avif", b"avis"}

# Pillow's plugins warn about faults in headers and EXIF, and the filters of warnings belong to the whole process. So
# these are read by one thread at a time; pixels are not.
_header_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps warnings about headers from people."""
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_raw(name: str) -> bool:
    """Whether a file is a camera's raw one. Many of these are TIFF inside, so the suffix decides."""
    return os.path.splitext(name)[1].lower() in RAW


def open_picture(file: BinaryIO, name: str) -> ImageFile.ImageFile:
    """Reads the header. Asks Pillow's plugin directly: `Image.open` holds to a limit of size of its own.

    Raises:
        PhotoError: it is no photograph, or what would read it is not installed.
    """
    start = file.read(64)
    if not start:
        raise PhotoError(f"{name}: the file is empty")
    format = _format(start)
    if not format:
        kinds = "JPEG, PNG, TIFF, WebP, BMP, GIF, AVIF or HEIC"
        raise PhotoError(f"{name}: not a photograph; it must be {kinds}, or a camera's raw file by its suffix")
    if format == "Tiff":
        from tintype.runtime.libtiff import hush

        hush()
    if format == "Heif":
        _register_heif(name)
    else:
        import_module(f"PIL.{format}ImagePlugin")
    file.seek(0)
    with quiet():
        picture = Image.OPEN[format.upper()][0](file, "")
        return picture


def _format(start: bytes) -> str | None:
    """The name of the plugin for a file that starts so."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if start[4:8] == b"ftyp":
        brands = {start[place : place + 4] for place in range(8, min(len(start), int.from_bytes(start[:4], "big")), 4)}
        return "Avif" if brands & _AVIF else "Heif" if brands & _HEIF else None
    return next((format for prefix, format in _MAGIC.items() if start.startswith(prefix)), None)


def _register_heif(name: str) -> None:
    with quiet():
        if "HEIF" in Image.OPEN:
            return
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise PhotoError(f"{name}: HEIC needs one more library; run: pip install pillow-heif") from None
        register_heif_opener()
