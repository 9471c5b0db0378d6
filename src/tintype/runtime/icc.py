"""The two ICC profiles tintype needs: sRGB, to tag what it writes, and L*, to read grey scales through.

They are put together here, from ICC.1:2001-04 (version 2), rather than by `ImageCms.createProfile`: that one stamps
the time into the profile, so that the same photograph would never give the same file twice, and it knows no L*.
"""

import struct
from collections.abc import Callable
from functools import lru_cache

_D50 = (0.9642, 1.0, 0.8249)
# The columns of sRGB's matrix, adapted to D50 (Bradford), as in the profile published by the ICC.
SRGB_COLUMNS = {
    b"rXYZ": (0.4360, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _curve(transfer: Callable[[float], float], points: int) -> bytes:
    """A `curv` table of the transfer curve, which takes [0, 1] to [0, 1]."""
    table = [round(65535 * transfer(i / (points - 1))) for i in range(points)]
    return b"curv\0\0\0\0" + struct.pack(f">I{points}H", points, *table)


def _description(text: str) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(4 + 4 + 2 + 1 + 67)


def _profile(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    """Header, tag table and data. Tags with equal data share it."""
    tags = {
        b"desc": _description(name),
        b"cprt": b"text\0\0\0\0Public domain\0",
        b"wtpt": _xyz(_D50),
        **tags,
    }
    places: dict[bytes, int] = {}
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        if content not in places:
            places[content] = start + len(data)
            data += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", tag, places[content], len(content))
    size = start + len(data)
    header = struct.pack(">I4x4B4s4s4s", size, 2, 0x10, 0, 0, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + b"".join(map(_fixed, _D50))
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """sRGB (IEC 61966-2-1) as an ICC profile of about 2.5 kB, the same bytes every time."""

    def transfer(v: float) -> float:
        return ((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92

    curve = _curve(transfer, 1024)
    tags = {tag: _xyz(column) for tag, column in SRGB_COLUMNS.items()}
    return _profile(b"RGB ", "sRGB", tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


@lru_cache(maxsize=1)
def lightness_profile() -> bytes:
    """A grey scale in which a value of [0, 1] is CIE L / 100."""

    def transfer(v: float) -> float:
        return ((100 * v + 16) / 116) ** 3 if v > 0.08 else 100 * v / (24389 / 27)

    return _profile(b"GRAY", "L*", {b"kTRC": _curve(transfer, 4096)})
