"""Curves and matrices of ICC profiles, computed to full precision: gamma, curves of points (dot gain), and formulas.

LittleCMS gives 16-bit lightness in whole steps, which would run dark and light levels of a 16-bit scan together.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from tintype.color.lab import RGB_TO_XYZ, luminance_to_lightness, srgb_to_linear
from tintype.runtime.buffers import Plane
from tintype.runtime.icc import SRGB_COLUMNS

_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # of each kind of formula (ICC.1:2010, 10.15)


def grey_curve(profile: bytes, levels: int) -> Plane | None:
    """CIE L, in [0, 100], of each grey level; None if it is no grey profile, or of a kind that is not known here."""
    if profile[16:20] != b"GRAY" or profile[20:24] != b"XYZ ":
        return None
    try:
        luminance = _curve(_tag(profile, b"kTRC"), np.linspace(0, 1, levels))
    except (KeyError, struct.error, ValueError, IndexError):
        return None
    if not np.isfinite(luminance).all():
        return None
    return np.asarray(luminance_to_lightness(luminance.clip(0, 1)), dtype=np.float32)


def luminances(profile: bytes | None, levels: int) -> NDArray[np.float32] | None:
    """The luminance, of sRGB's white, that each level of R, G and B adds: (3, levels).

    Args:
        profile: of RGB, made of a matrix and curves; None for sRGB.
        levels: how many.

    Returns:
        None if the profile is of another kind.
    """
    level = np.linspace(0, 1, levels)
    if not profile:
        return np.asarray(np.outer(RGB_TO_XYZ[1], srgb_to_linear(level)), dtype=np.float32)
    if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ " or b"A2B0" in profile[128:1600]:
        return None
    try:
        columns = np.array([struct.unpack_from(">3i", _tag(profile, name + b"XYZ"), 8) for name in (b"r", b"g", b"b")])
        curves = [_curve(_tag(profile, name + b"TRC"), level) for name in (b"r", b"g", b"b")]
    except (KeyError, struct.error, ValueError, IndexError):
        return None
    # Through XYZ under D50 to linear sRGB, and from there to luminance under sRGB's own white.
    weights = np.array(RGB_TO_XYZ[1]) @ np.linalg.inv(np.array(list(SRGB_COLUMNS.values())).T) @ (columns / 65536).T
    added = weights[:, None] * np.array(curves)
    return np.asarray(added, dtype=np.float32) if np.isfinite(added).all() else None


def _tag(profile: bytes, wanted: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", profile, 128)
    for number in range(min(count, 100)):
        name, place, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name == wanted:
            return profile[place : place + size]
    raise KeyError(wanted)


def _curve(curve: bytes, level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminance of levels in [0, 1]."""
    if curve[:4] == b"curv":
        (count,) = struct.unpack_from(">I", curve, 8)
        if count == 0:
            return level
        points = np.array(struct.unpack_from(f">{count}H", curve, 12), dtype=np.float64)
        if count == 1:
            return np.asarray(level ** (points[0] / 256))
        return np.interp(level, np.linspace(0, 1, count), points / 65535)
    (kind,) = struct.unpack_from(">H", curve, 8)
    if curve[:4] != b"para" or kind not in _PARAMETERS:
        raise ValueError("another kind of curve")
    numbers = [number / 65536 for number in struct.unpack_from(f">{_PARAMETERS[kind]}i", curve, 12)]
    g, a, b, c, d, e, f = numbers + [0.0] * (7 - len(numbers))
    if kind == 0:
        return np.asarray(level**g)
    power = np.maximum(a * level + b, 0) ** g
    if kind == 1:
        return np.asarray(np.where(level >= -b / a, power, 0))
    if kind == 2:
        return np.asarray(np.where(level >= -b / a, power + c, c))
    return np.asarray(np.where(level >= d, power + e, c * level + f))
