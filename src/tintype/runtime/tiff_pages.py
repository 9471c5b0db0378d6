"""TIFF files that Pillow cannot write: with 16 bits a channel, or with several pages, page by page.

Strips are compressed by Deflate with differences along the rows (predictor 2), which every reader of TIFF knows.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from tintype.runtime.errors import PhotoError
from tintype.runtime.icc import srgb_profile
from tintype.runtime.photo import Metadata
from tintype.runtime.strips import share, spans

_HEADER = b"II*\0"
_PLACES = 273  # the tag that says where the strips are
_STRIP = 1 << 18  # pixels
_LEVEL = 2  # of compression, as of PNG: more takes longer, and grain does not give way
_LARGEST = 0xFFFF0000  # bytes, which 32-bit offsets reach

Rows = Callable[[int, int], NDArray[Any]]


class TiffPages:
    """Writes pages, one after the other, to a file that is open for reading and writing, and empty."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._link = len(_HEADER)  # where the place of the next directory is to be put
        file.write(_HEADER + bytes(4))

    def add(
        self,
        shape: tuple[int, int],
        painter: Callable[[], Rows],
        bits: int,
        alpha: bool,
        metadata: Metadata,
        threads: int,
    ) -> None:
        """Adds a page.

        Args:
            shape: height and width.
            painter: called once per thread; gives what makes rows y0 up to y1, (rows, W, 3) or with alpha (rows, W, 4).
            bits: of a channel, 8 or 16.
            alpha: whether there is.
            metadata: to go with it.
            threads: how many to use.

        Raises:
            PhotoError: the file would be larger than 4 GB, which TIFF cannot hold.
        """
        height, width = shape
        strips = spans(height, max(1, _STRIP // width))
        parts: list[bytes] = [b""] * len(strips)

        def work(rest: Iterator[tuple[int, tuple[int, int]]]) -> None:
            rows = painter()
            for number, (y0, y1) in rest:
                pixels = rows(y0, y1).astype(f"<u{bits // 8}")
                pixels[:, 1:] -= pixels[:, :-1].copy()
                parts[number] = zlib.compress(pixels.tobytes(), _LEVEL)

        share(list(enumerate(strips)), work, threads)
        places = []
        for part in parts:
            places.append(self._end())
            if places[-1] + len(part) > _LARGEST:
                raise PhotoError("the TIFF file would be larger than 4 GB; write the pages as .png")
            self._file.write(part)
        channels = 4 if alpha else 3
        tags = _metadata_tags(metadata)
        tags[256], tags[257] = width, height
        tags[258], tags[259], tags[262] = (bits,) * channels, 8, 2  # Deflate, RGB
        tags[_PLACES], tags[277] = (0,) * len(parts), channels
        tags[278], tags[279] = strips[0][1], tuple(map(len, parts))
        tags[284], tags[317] = 1, 2
        if alpha:
            tags[338] = 2  # not multiplied into the colours
        for tag in (_PLACES, 279):
            tags.tagtype[tag] = 4  # 32 bits
        self._add_directory(tags, places)

    def _add_directory(self, tags: ImageFileDirectory_v2, places: list[int]) -> None:
        place = self._end()
        directory = bytearray(tags.tobytes(place))
        _put_places(directory, place, places)
        self._file.write(directory)
        self._file.seek(self._link)
        self._file.write(struct.pack("<I", place))
        (count,) = struct.unpack_from("<H", directory)
        self._link = place + 2 + 12 * count

    def _end(self) -> int:
        """Goes to the end of the file, at an even place, as TIFF wants it."""
        end = self._file.seek(0, 2)
        self._file.write(bytes(end % 2))
        return end + end % 2


def _put_places(directory: bytearray, place: int, places: list[int]) -> None:
    """Says where the strips are, which Pillow takes to lie behind the directory."""
    (count,) = struct.unpack_from("<H", directory)
    for entry in range(2, 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", directory, entry)
        if tag == _PLACES:
            (there,) = struct.unpack_from("<I", directory, entry + 8)
            struct.pack_into(f"<{len(places)}I", directory, there - place if len(places) > 1 else entry + 8, *places)


def _metadata_tags(metadata: Metadata) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2(_HEADER + bytes(4))
    if metadata.exif:
        source = Image.Exif()
        source.load(metadata.exif)
        for tag, value in source.items():
            tags[tag] = source.get_ifd(tag) if tag in (0x8769, 0x8825) else value
    if metadata.xmp:
        tags[700] = metadata.xmp
    if metadata.dpi:
        tags[282], tags[283] = (IFDRational(round(100 * value), 100) for value in metadata.dpi)
        tags[296] = 2  # per inch
    tags[34675] = srgb_profile()
    tags.tagtype[34675] = 7
    return tags
