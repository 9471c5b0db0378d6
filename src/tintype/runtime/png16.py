"""PNG with 16 bits a channel, in colour, which Pillow cannot write."""

import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.icc import srgb_profile
from tintype.runtime.photo import Metadata
from tintype.runtime.strips import spans

_STRIP = 1 << 18  # pixels
_LEVEL = 2  # of compression
_UP = 2  # the filter that stores differences from the row above


def write_png16(
    file: BinaryIO, shape: tuple[int, int], rows: Callable[[int, int], NDArray[Any]], alpha: bool, metadata: Metadata
) -> None:
    """Writes a picture.

    Args:
        file: to write to.
        shape: height and width.
        rows: makes rows y0 up to y1: (rows, W, 3) uint16, or with alpha (rows, W, 4).
        alpha: whether there is.
        metadata: to go with it.
    """
    height, width = shape
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6 if alpha else 2, 0, 0, 0))
    _chunk(file, b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile()))
    if metadata.dpi:
        x, y = (round(value / 0.0254) for value in metadata.dpi)
        _chunk(file, b"pHYs", struct.pack(">IIB", x, y, 1))
    if metadata.exif:
        _chunk(file, b"eXIf", metadata.exif.removeprefix(b"Exif\0\0"))
    if metadata.xmp:
        _chunk(file, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    compress = zlib.compressobj(_LEVEL)
    above = np.zeros((1, width * (8 if alpha else 6)), np.uint8)
    for y0, y1 in spans(height, max(1, _STRIP // width)):
        lines = rows(y0, y1).astype(">u2").reshape(y1 - y0, -1).view(np.uint8)
        filtered = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        np.subtract(lines, np.concatenate([above, lines[:-1]]), out=filtered[:, 1:])
        above = lines[-1:]
        if data := compress.compress(filtered.tobytes()):
            _chunk(file, b"IDAT", data)
    _chunk(file, b"IDAT", compress.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
