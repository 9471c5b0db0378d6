"""Reading photographs: any of a few formats, upright, through their own colour profile, to lightness."""

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from tintype.runtime.errors import PhotoError
from tintype.runtime.metadata import read_metadata, read_orientation
from tintype.runtime.photo import Metadata, Photo, turn
from tintype.runtime.pixels import read_pixels, read_rgb_pixels

MOST_PIXELS = 200_000_000

# Pillow's plugins warn about faults in headers and EXIF, and the filters of warnings belong to the whole process. So
# these are read by one thread at a time; pixels are not.
_header_lock = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_photo(path: str | Path, threads: int = 1) -> Photo:
    """Reads a photograph: JPEG (or the first picture of an MPO), PNG, TIFF, WebP, BMP or GIF.

    Raises:
        PhotoError: it is none of these, damaged, cut short, empty, larger than 200 megapixels, or holds several frames
            or pages.
        OSError: the file cannot be opened or read.
    """
    with _loaded(path) as (picture, metadata):
        return _photo(picture, threads, metadata)


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Reads the colours of a photograph: (H, W, 3), upright, 8-bit sRGB through its colour profile, alpha left away.

    A grey photograph has three equal channels. Raises as `read_photo`.
    """
    with _loaded(path) as (picture, _):
        with _quiet():
            orientation = read_orientation(picture)
        return turn(read_rgb_pixels(picture), orientation)


def read_size(path: str | Path) -> tuple[int, int]:
    """Width and height in a photograph's header, before it is turned upright. Raises as `read_photo`."""
    name = os.fspath(path)
    with open(name, "rb") as file, _one_line(name):
        size: tuple[int, int] = _open(file, name).size
        return size


def photo_from_image(image: Image.Image, threads: int = 1) -> Photo:
    """A photograph from a Pillow image, of which only the current frame counts.

    Raises:
        PhotoError: it cannot be loaded, has no pixels, or is of a mode that is no photograph.
    """
    name = getattr(image, "filename", "") or "image"
    with _one_line(str(name)):
        if 0 in image.size:
            raise PhotoError(f"{name}: has no pixels")
        image.load()
        return _photo(image, threads, _metadata(image))


@contextmanager
def _loaded(path: str | Path) -> Iterator[tuple[ImageFile.ImageFile, Metadata]]:
    """A photograph with its pixels decoded, and its metadata."""
    name = os.fspath(path)
    if not stat.S_ISREG(os.stat(name).st_mode):
        with open(name, "rb"):  # a folder says so itself
            raise PhotoError(f"{name}: not a regular file")
    with open(name, "rb") as file, _one_line(name):
        picture = _open(file, name)
        _check(picture, name)
        # Pillow turns TIFF pictures upright while it decodes them. In PNG, EXIF may follow the pixels.
        early = picture.format == "TIFF"
        metadata = _metadata(picture) if early else None
        picture.load()
        yield picture, metadata or _metadata(picture)


def _open(file: BinaryIO, name: str) -> ImageFile.ImageFile:
    """Reads the header. Asks Pillow's plugin directly: `Image.open` holds to a limit of size of its own."""
    start = file.read(16)
    if not start:
        raise PhotoError(f"{name}: the file is empty")
    format = _format(start)
    if not format:
        raise PhotoError(f"{name}: not a photograph; it must be JPEG, PNG, TIFF, WebP, BMP or GIF")
    import_module(f"PIL.{format}ImagePlugin")
    file.seek(0)
    with _quiet():
        picture = Image.OPEN[format.upper()][0](file, "")
        return picture


def _format(start: bytes) -> str | None:
    """The name of Pillow's plugin for a file that starts so."""
    magic = {
        b"\xff\xd8\xff": "Jpeg",
        b"\x89PNG\r\n\x1a\n": "Png",
        b"II*\0": "Tiff",
        b"MM\0*": "Tiff",
        b"II+\0": "Tiff",
        b"MM\0+": "Tiff",
        b"BM": "Bmp",
        b"GIF8": "Gif",
    }
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    return next((format for prefix, format in magic.items() if start.startswith(prefix)), None)


def _check(picture: ImageFile.ImageFile, name: str) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise PhotoError(f"{name}: {width}x{height} is too large; the limit is {MOST_PIXELS // 10**6} megapixels")
    if width * height == 0:
        raise PhotoError(f"{name}: has no pixels")
    if picture.format == "MPO":  # further pictures are other views of the first, or previews
        return
    with _quiet():
        frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        kind = "pages" if picture.format == "TIFF" else "frames"
        raise PhotoError(f"{name}: has {frames} {kind}; save the one to colorize as a file of its own")


def _metadata(picture: Image.Image) -> Metadata:
    with _quiet():
        return read_metadata(picture)


def _photo(picture: Image.Image, threads: int, metadata: Metadata) -> Photo:
    with _quiet():
        orientation = read_orientation(picture)
    codes, lightness, alpha = read_pixels(picture, threads)
    return Photo(turn(codes, orientation), lightness, None if alpha is None else turn(alpha, orientation), metadata)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Turns whatever a decoder raises on bad data into a PhotoError; what the system says about the file passes."""
    try:
        yield
    except PhotoError as error:
        raise error if str(error).startswith(name) else PhotoError(f"{name}: {error}") from None
    except Image.DecompressionBombError:
        raise PhotoError(f"{name}: is too large; the limit is {MOST_PIXELS // 10**6} megapixels") from None
    except MemoryError:
        raise PhotoError(f"{name}: there is not enough memory to read it") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise type(error)(error.errno, error.strerror, name) from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"{name}: damaged or cut short ({reason[:200]})") from error
