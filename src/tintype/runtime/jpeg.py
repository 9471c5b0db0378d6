"""Writing JPEG by several threads, from rows that are made when they are wanted.

Pillow writes a JPEG by one thread, from a whole picture. Here strips are written as pictures of their own. JPEG's
restart markers are made for joining them: at each the coder forgets what came before. So the strips' coded data, one
after the other with restart markers in between, under the header of the first with the height of all, are what one
thread would have written, to the last pixel.
"""

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from PIL import Image

from tintype.runtime.strips import share, spans

_STRIP = 1 << 19  # pixels
_BLOCK = 8  # pixels along a side, where colour has full resolution
_START_OF_FRAME, _START_OF_SCAN, _RESTART = 0xC0, 0xDA, 0xD0

Rows = Callable[[int, int], Image.Image]


def write_jpeg(
    file: BinaryIO, shape: tuple[int, int], painter: Callable[[], Rows], options: dict[str, Any], threads: int
) -> None:
    """Writes a baseline JPEG.

    Args:
        file: to write to.
        shape: height and width.
        painter: called once per thread; gives what makes an image of rows y0 up to y1.
        options: of `PIL.Image.Image.save`; colour is written at full resolution.
        threads: how many to use.
    """
    height, width = shape
    across = -(-width // _BLOCK)
    down = max(1, _STRIP // (across * _BLOCK**2))  # rows of blocks; 65,535 blocks are the most between restart markers
    strips = spans(height, down * _BLOCK)
    parts: list[bytes] = [b""] * len(strips)

    def work(rest: Iterator[tuple[int, tuple[int, int]]]) -> None:
        rows = painter()
        for number, (y0, y1) in rest:
            chosen = options if number == 0 else {"quality": options["quality"]}
            restart = down if len(strips) > 1 else 0
            with _scratch() as part:
                rows(y0, y1).save(part, "JPEG", **chosen, subsampling="4:4:4", restart_marker_rows=restart)
                part.seek(0)
                parts[number] = part.read()

    share(list(enumerate(strips)), work, threads)
    _join(file, parts, height)


def _scratch() -> BinaryIO:
    """A file in memory. Pillow lets other threads run while it writes to one that has a number."""
    try:
        return os.fdopen(os.memfd_create("strip"), "w+b")
    except (AttributeError, OSError):  # a system without them, or one that does not let us
        return io.BytesIO()


def _join(file: BinaryIO, strips: list[bytes], height: int) -> None:
    header = bytearray(strips[0][: _coded(strips[0])])
    frame = _find(strips[0], _START_OF_FRAME)
    header[frame + 5 : frame + 7] = height.to_bytes(2, "big")
    file.write(header)
    for number, strip in enumerate(strips):
        if number:
            file.write(bytes([0xFF, _RESTART + (number - 1) % 8]))
        file.write(memoryview(strip)[_coded(strip) : -2])
    file.write(strips[0][-2:])


def _coded(strip: bytes) -> int:
    """Where the coded data begin."""
    place = _find(strip, _START_OF_SCAN)
    return place + 2 + _length(strip, place)


def _find(strip: bytes, wanted: int) -> int:
    """Where a marker of the header stands."""
    place = 2
    while strip[place + 1] != wanted:
        place += 2 + _length(strip, place)
    return place


def _length(strip: bytes, place: int) -> int:
    return int.from_bytes(strip[place + 2 : place + 4], "big")
