"""JPEG files of many scans, each of which takes the decoder through the whole picture: ten bytes cost a second."""

import mmap
import re
from typing import BinaryIO

from tintype.runtime.errors import PhotoError

MOST_SCANS = 200  # programs write ten or so
_START, _END, _ALONE = b"\xda", b"\xd9", (b"\xd8", b"\x01")  # markers: of a scan, of the picture, and without a segment
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")  # no zero, which pixels have after 255, and no restart


def check_scans(file: BinaryIO) -> None:
    """Raises PhotoError where an opened JPEG file has more than MOST_SCANS scans."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = -1
        for _ in range(MOST_SCANS + 1):  # quickly, however little the segments make sense
            place = data.find(b"\xff" + _START, place + 1)
            if place < 0:
                return
        if _scans(data) > MOST_SCANS:
            raise PhotoError(f"has more than {MOST_SCANS} scans; save it anew")


def _scans(data: mmap.mmap) -> int:
    """How many there are up to the end of the picture, behind which a film may follow."""
    place = scans = 0
    while (found := _MARKER.search(data, place)) and found[1] != _END:
        place = found.end()
        if found[1] not in _ALONE:
            place += int.from_bytes(data[place : place + 2], "big")
            scans += found[1] == _START
    return scans
