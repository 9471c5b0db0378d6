"""Reading photographs: any of a few formats, upright, through their own colour profile, to lightness."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from tintype.runtime.buffers import Codes, Plane
from tintype.runtime.errors import PhotoError
from tintype.runtime.kinds import is_raw, open_picture, quiet
from tintype.runtime.metadata import read_metadata, read_orientation
from tintype.runtime.negative import has_orange_mask, is_orange
from tintype.runtime.photo import Metadata, Photo, turn
from tintype.runtime.pixels import read_pixels, read_rgb_pixels
from tintype.runtime.scans import check_scans

MOST_PIXELS = 200_000_000
MOST_PAGES = 5_000
_SUBFILE_TYPE, _REDUCED, _MASK = 254, 1, 4  # a TIFF tag, and bits of it


def read_photo(path: str | Path, threads: int = 1, page: int | None = None) -> Photo:
    """Reads a photograph: JPEG (or the first picture of an MPO), PNG, TIFF, WebP, BMP, GIF, AVIF, HEIC or raw.

    Args:
        path: the file.
        threads: how many to use.
        page: which one of a TIFF file with several, from 0; see `count_pages`.

    Raises:
        PhotoError: it is none of these, damaged, cut short, empty, larger than 200 megapixels, or holds several frames,
            or pages and none is asked for; or the library for HEIC or raw files is not installed.
        OSError: the file cannot be opened or read.
    """
    if is_raw(os.fspath(path)):
        from tintype.runtime.raw import read_raw

        with _one_line(os.fspath(path)):
            return read_raw(os.fspath(path), MOST_PIXELS)
    with _opened(path, page) as (picture, file):
        if picture.format == "TIFF":
            from tintype.runtime.deep import read_deep

            if deep := read_deep(picture, file, threads):
                return _upright(picture, deep[:3], _metadata(picture), is_orange(deep[3]))
        metadata = _load(picture)
        return _upright(picture, read_pixels(picture, threads), metadata, has_orange_mask(picture))


def count_pages(path: str | Path) -> int:
    """How many pages a TIFF file has, not counting previews and masks; 1 for others. Raises as `read_photo`."""
    name = os.fspath(path)
    with open(name, "rb") as file:
        if is_raw(name) or file.read(2) not in (b"II", b"MM"):
            return 1
        file.seek(0)
        with _one_line(name):
            picture = open_picture(file, name)
            return len(_pages(picture)) if picture.format == "TIFF" else 1


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Reads the colours of a photograph: (H, W, 3), upright, 8-bit sRGB through its colour profile, alpha left away.

    A grey photograph has three equal channels. Raises as `read_photo`.
    """
    with _opened(path) as (picture, _):
        _load(picture)
        with quiet():
            orientation = read_orientation(picture)
        return turn(read_rgb_pixels(picture), orientation)


def read_size(path: str | Path) -> tuple[int, int]:
    """Width and height in a photograph's header, before it is turned upright. Raises as `read_photo`."""
    name = os.fspath(path)
    if is_raw(name):
        from tintype.runtime.raw import raw_size

        with _one_line(name):
            return raw_size(name)
    return read_header(name)[1]


def read_header(path: str | Path, page: int | None = None) -> tuple[str, tuple[int, int]]:
    """Pillow's name of a photograph's format, raw files excepted, and its size as `read_size` has it.

    Args:
        path: the file.
        page: whose size it is, from 0, as of `read_photo`; None: what the file begins with, which may be a preview.
    """
    name = os.fspath(path)
    with open(name, "rb") as file, _one_line(name):
        picture = open_picture(file, name)
        if page is not None:
            _turn_to(picture, name, page)
        return str(picture.format), picture.size


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
        return _upright(image, read_pixels(image, threads), _metadata(image), has_orange_mask(image))


@contextmanager
def _opened(path: str | Path, page: int | None = None) -> Iterator[tuple[ImageFile.ImageFile, BinaryIO]]:
    """A photograph of which the header is read and in order, and its file."""
    name = os.fspath(path)
    if not stat.S_ISREG(os.stat(name).st_mode):
        with open(name, "rb"):  # a folder says so itself
            raise PhotoError(f"{name}: not a regular file")
    with open(name, "rb") as file, _one_line(name):
        picture = open_picture(file, name)
        _turn_to(picture, name, page)
        _check_size(picture, name)
        if picture.format in ("JPEG", "MPO"):
            check_scans(file)
        yield picture, file


def _load(picture: ImageFile.ImageFile) -> Metadata:
    """Decodes the pixels, and gives the metadata."""
    # Pillow turns TIFF pictures upright while it decodes them. In PNG, EXIF may follow the pixels.
    metadata = _metadata(picture) if picture.format == "TIFF" else None
    picture.load()
    return metadata or _metadata(picture)


def _turn_to(picture: ImageFile.ImageFile, name: str, page: int | None) -> None:
    """Goes to the page that is meant."""
    if picture.format in ("MPO", "HEIF"):  # further pictures are other views of the first, or previews
        return
    if picture.format == "TIFF":
        pages = _pages(picture)
        if page is None and len(pages) > 1:
            raise PhotoError(f"{name}: has {len(pages)} pages; save the one to colorize as a file of its own")
        if (page or 0) >= len(pages):
            raise PhotoError(f"{name}: has no page {(page or 0) + 1}; there are {len(pages)}")
        if pages[page or 0] != picture.tell():
            with quiet():
                picture.seek(pages[page or 0])
        return
    with quiet():
        several = getattr(picture, "is_animated", False)  # to count the frames of a GIF may take minutes
    if several:
        raise PhotoError(f"{name}: has several frames; save the one to colorize as a file of its own")


def _pages(picture: ImageFile.ImageFile) -> list[int]:
    """The numbers of a TIFF file's pages that are pictures of their own, not previews of others or masks for them."""
    kinds: list[int] = []
    with quiet():
        with suppress(EOFError):  # `n_frames` has no limit, and looks up each page among all before it
            while len(kinds) <= MOST_PAGES:
                picture.seek(len(kinds))
                kinds.append(getattr(picture, "tag_v2", {}).get(_SUBFILE_TYPE, 0))
        picture.seek(0)
    if len(kinds) > MOST_PAGES:
        raise PhotoError(f"has more than {MOST_PAGES} pages")
    return [number for number, kind in enumerate(kinds) if not kind & (_REDUCED | _MASK)] or [0]


def _check_size(picture: ImageFile.ImageFile, name: str) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise PhotoError(f"{name}: {width}x{height} is too large; the limit is {MOST_PIXELS // 10**6} megapixels")
    if width * height == 0:
        raise PhotoError(f"{name}: has no pixels")


def _metadata(picture: Image.Image) -> Metadata:
    with quiet():
        return read_metadata(picture)


def _upright(
    picture: Image.Image,
    pixels: tuple[Codes, Plane, NDArray[np.uint8] | None],
    metadata: Metadata,
    orange: bool = False,
) -> Photo:
    with quiet():
        orientation = read_orientation(picture)
    codes, lightness, alpha = pixels
    alpha = None if alpha is None else turn(alpha, orientation)
    return Photo(turn(codes, orientation), lightness, alpha, metadata, orange)


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
