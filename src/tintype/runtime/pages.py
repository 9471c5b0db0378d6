"""Writing what Pillow cannot: 16 bits a channel, and TIFF files of several pages, made page by page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.atomic import write_atomically
from tintype.runtime.merge import Merge
from tintype.runtime.photo import Metadata
from tintype.runtime.png16 import write_png16
from tintype.runtime.tiff_pages import Rows, TiffPages


@dataclass(frozen=True)
class Page:
    """A picture, whether something in it is transparent, and what goes with it."""

    picture: Merge
    alpha: bool
    metadata: Metadata


def write_pages(
    pages: Callable[[], Iterable[Page]], target: Path, overwrite: bool, threads: int = 1, depth: int = 8
) -> None:
    """Writes a TIFF file of several pages.

    Args:
        pages: makes the pages; each is let go of before the next one is asked for. It may be called again.
        target, overwrite: as of `write_atomically`.
        threads: how many to use.
        depth: bits a channel, 8 or 16.

    Raises:
        PhotoError: a page cannot be made, or the file would be too large.
        FileExistsError, OSError: see `write_atomically`.
    """

    def write(file: BinaryIO) -> None:
        tiff = TiffPages(file)
        for page in pages():
            tiff.add(page.picture.shape, _painter(page, depth), depth, page.alpha, page.metadata, threads)

    write_atomically(target, write, overwrite)


def write_16_bit(page: Page, format: str, target: Path, overwrite: bool, threads: int = 1) -> None:
    """Writes a picture with 16 bits a channel, as PNG or TIFF. Args and errors as of `write_pages`."""
    if format == "TIFF":
        write_pages(lambda: [page], target, overwrite, threads, 16)
        return

    def write(file: BinaryIO) -> None:
        write_png16(file, page.picture.shape, _painter(page, 16)(), page.alpha, page.metadata)

    write_atomically(target, write, overwrite)


def _painter(page: Page, depth: int) -> Callable[[], Rows]:
    channels, width = 4 if page.alpha else 3, page.picture.shape[1]

    def painter() -> Rows:
        paint = page.picture.painter(wide=depth == 16)

        def rows(y0: int, y1: int) -> NDArray[Any]:
            pixels = np.empty((y1 - y0, width, 4), np.uint16 if depth == 16 else np.uint8)
            paint(y0, y1, pixels if depth == 16 else pixels.view(np.uint32)[..., 0])
            return pixels[..., :channels]

        return rows

    return painter
