"""Colour TIFF with 16 bits a channel, of which Pillow would keep 8: as scanners write it, plain or by Deflate."""

import threading
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from tintype.color.lab import luminance_to_lightness
from tintype.runtime.buffers import Plane
from tintype.runtime.curves import luminances
from tintype.runtime.errors import PhotoError
from tintype.runtime.photo import even_lightness
from tintype.runtime.strips import share, spans

_PLAIN, _DEFLATE = 1, (8, 32946)  # kinds of compression
_RGB, _TOGETHER, _DIFFERENCES, _APART = 2, 1, 2, 2  # photometric, planar, predictor, alpha not multiplied in
_TILE = 1 << 17  # pixels at a time: a strip may be the whole picture, a thousand times smaller in the file
_FINE = 1 << 17  # steps of luminance in the table of lightness
_lock = threading.Lock()


def read_deep(
    picture: ImageFile.ImageFile, file: BinaryIO, threads: int
) -> tuple[NDArray[np.uint16], Plane, NDArray[np.uint8] | None, NDArray[np.uint8]] | None:
    """Lightness and alpha of an opened TIFF page, as it lies in the file, not upright.

    Returns:
        codes (H, W); CIE L of each; alpha (H, W) or None where all is opaque; and the colours of some pixels, (n, 3).
        None in place of all if it is no such file, or its profile is not made of a matrix and curves.

    Raises:
        PhotoError: it is cut short.
    """
    tags: Any = getattr(picture, "tag_v2", {})
    channels = tags.get(277, 1)
    kind = tags.get(259, _PLAIN)
    if channels not in (3, 4) or tags.get(258) != (16,) * channels or tags.get(262) != _RGB:
        return None
    if tags.get(284, 1) != _TOGETHER or tags.get(317, 1) not in (1, _DIFFERENCES) or 273 not in tags or 322 in tags:
        return None
    if kind not in (_PLAIN, *_DEFLATE) or tags.get(339, (1,)) not in ((1,), (1,) * channels):
        return None
    if channels == 4 and tags.get(338) not in (_APART, (_APART,)):
        return None
    added = luminances(picture.info.get("icc_profile"), 65536)
    if added is None:
        return None
    width, height = tags[256], tags[257]  # a picture that is to be turned upright says its later size
    down = min(tags.get(278, height), height)
    order = ">u2" if tags.prefix == b"MM" else "<u2"
    codes, alpha = np.empty((height, width), np.uint16), np.empty((height, width), np.uint8)
    to_code = np.rint(655.35 * luminance_to_lightness(np.arange(_FINE + 1) / _FINE)).astype(np.uint16)
    strips = list(zip(range(0, height, down), tags[273], tags[279], strict=True))

    step = max(1, min(width, height) // 64)
    samples: dict[int, NDArray[np.uint8]] = {}

    def work(rest: Iterator[tuple[int, int, int]]) -> None:
        for top, place, size in rest:
            rows = min(down, height - top)
            strip = _strip(file, place, size, rows * width * channels * 2, kind, order).reshape(rows, width, channels)
            for first, last in spans(rows, max(1, _TILE // width)):
                levels = strip[first:last].astype(np.uint16)
                if tags.get(317) == _DIFFERENCES:
                    levels = np.cumsum(levels, axis=1, dtype=np.uint16)
                y0, y1 = top + first, top + last
                samples[y0] = (levels[-y0 % step :: step, ::step, :3] >> 8).astype(np.uint8).reshape(-1, 3)
                luminance = sum(table[levels[..., channel]] for channel, table in enumerate(added))
                codes[y0:y1] = to_code[np.rint(np.clip(luminance, 0, 1) * _FINE).astype(np.intp)]
                if channels == 4:
                    alpha[y0:y1] = levels[..., 3] >> 8

    share(strips, work, threads)
    transparent = channels == 4 and alpha.min() < 255
    return codes, even_lightness(65536), alpha if transparent else None, np.concatenate(list(samples.values()))


def _strip(file: BinaryIO, place: int, size: int, wanted: int, kind: int, order: str) -> NDArray[np.uint16]:
    """The numbers of a strip, in the file's order of bytes."""
    with _lock:  # one place in the file for all threads
        file.seek(place)
        data = file.read(size)
    if kind in _DEFLATE:
        data = zlib.decompressobj().decompress(data, wanted)
    if len(data) < wanted:
        raise PhotoError("damaged or cut short (a strip of the picture is not complete)")
    return np.frombuffer(data, order, wanted // 2)
