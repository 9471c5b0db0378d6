"""The smallest raw file that LibRaw develops: a DNG with a Bayer pattern, uncompressed."""

import struct

import numpy as np

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10
_SIZES = {_BYTE: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _SIGNED: 8}


def save_dng(path, levels, orientation=1):
    """levels: (H, W) uint16, one number behind each filter of red, green, green, blue."""
    height, width = levels.shape
    neutral = [(1, 1)] * 3
    # XYZ to the camera's RGB: sRGB's own matrix, in ten-thousandths
    matrix = [32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572]
    entries = [
        (254, _LONG, [0]),
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16]),
        (259, _SHORT, [1]),
        (262, _SHORT, [32803]),
        (270, _ASCII, b"Grandfather\0"),
        (271, _ASCII, b"Maker\0"),
        (272, _ASCII, b"Model\0"),
        (273, _LONG, [8]),
        (274, _SHORT, [orientation]),
        (277, _SHORT, [1]),
        (278, _LONG, [height]),
        (279, _LONG, [levels.nbytes]),
        (284, _SHORT, [1]),
        (33421, _SHORT, [2, 2]),
        (33422, _BYTE, bytes([0, 1, 1, 2])),
        (50706, _BYTE, bytes([1, 4, 0, 0])),
        (50708, _ASCII, b"Maker Model\0"),
        (50717, _LONG, [65535]),
        (50721, _SIGNED, [(value, 10000) for value in matrix]),
        (50728, _RATIONAL, neutral),
        (50778, _SHORT, [21]),
    ]
    place = 8 + levels.nbytes
    data_place = place + 2 + 12 * len(entries) + 4
    directory, data = struct.pack("<H", len(entries)), b""
    for tag, kind, values in entries:
        packed = values if isinstance(values, bytes) else b"".join(_packed(kind, value) for value in values)
        count = len(packed) // _SIZES[kind]
        if len(packed) > 4:
            field = struct.pack("<I", data_place + len(data))
            data += packed + bytes(len(packed) % 2)
        else:
            field = packed.ljust(4, b"\0")
        directory += struct.pack("<HHI", tag, kind, count) + field
    path.write_bytes(b"II*\0" + struct.pack("<I", place) + levels.astype("<u2").tobytes() + directory + bytes(4) + data)
    return path


def _packed(kind, value):
    if kind in (_RATIONAL, _SIGNED):
        return struct.pack("<2i", *value)
    return struct.pack("<H" if kind == _SHORT else "<I", value)


def scene(height=64, width=96):
    """A ramp of grey, dark on the left, with a bright square at the top left."""
    levels = np.tile(np.linspace(2000, 40000, width), (height, 1))
    levels[4:16, 4:16] = 60000
    return levels.astype(np.uint16)
