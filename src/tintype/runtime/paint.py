"""From lightness and colour to 8-bit sRGB, in few passes of numpy.

CIE Lab's curve is a cube for light colours and its tangent for dark ones. So X comes from fx without a branch, and
likewise Z from fz:

    X = r^3 + s (fx - r),   r = max(fx, t0),   t0 = 6 / 29,   s = 3 t0^2.

Y comes from a table. Linear R, G, B then index tables of sRGB bytes.

A colour outside sRGB's gamut is mixed with the grey of its luminance until it is inside: lightness stays what it was,
and so does hue, in the sense of the CIE xy diagram; chroma gives way.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tintype.color.lab import WHITE, XYZ_TO_RGB, linear_to_srgb
from tintype.runtime.buffers import Buffers, Codes, Lookup, Plane, multiply

Pixels = NDArray[np.uint32]

DARKEST = 6 / 29  # t0
UNIT = 1 / np.sqrt(3 * DARKEST**2)  # f is counted in units in which s is 1, and X, Y, Z in their cubes

# Linear values index a table, in which 0 stands at _BLACK and 1 at _WHITE. What lies beyond, but in the table, is
# clipped without a look: by less than half an 8-bit level, though not so far that black or white would take a tint.
_LEVELS = 1 << 15
_BLACK, _WHITE = 3, _LEVELS - 17
_FIRST_OUTSIDE = np.float32(_LEVELS).view(np.uint32)
_SCALE = (_WHITE - _BLACK) / UNIT**3


def _to_levels() -> Plane:
    """(3, 4): R, G, B in levels, ready to be cut off to whole numbers, from X, Z, Y over the white point's, and 1."""
    matrix = np.array(XYZ_TO_RGB) * WHITE * _SCALE
    return np.column_stack([matrix[:, [0, 2, 1]], np.full(3, _BLACK + 0.5)]).astype(np.float32)


class Painter:
    """Computes tiles of a picture, in memory that is used again. One thread's own.

    Args:
        lightness: CIE L of each code.
    """

    def __init__(self, lightness: Plane):
        fy = (lightness.astype(np.float64) + 16) / 116 * UNIT
        r = np.maximum(fy, DARKEST * UNIT)
        self._fy, self._y = Lookup(fy), Lookup(r**3 + fy - r)
        self._to_levels = _to_levels()
        self._buffers = Buffers()

    @staticmethod
    def coefficients(slope: Plane, offset: Plane) -> Plane:
        """From A and B of ab = A L + B, (2, h, w), to what painting takes: (h, 4, w).

        They are Px, Pz, Qx, Qz such that fx = Px fy + Qx and fz = Pz fy + Qz.
        """
        a, b = np.array([1 / 500, -1 / 200]).reshape(2, 1, 1) * np.stack([slope, offset])
        p = 1 + 116 * a
        return np.concatenate([p, UNIT * (b - 16 * a)]).astype(np.float32).transpose(1, 0, 2)

    def __call__(self, codes: Codes, coefficients: Plane, alpha: NDArray[np.uint8] | None, out: Pixels) -> None:
        """Paints a tile.

        Args:
            codes: (h, w).
            coefficients: (h, 4, w), contiguous; they are overwritten.
            alpha: (h, w), or None for opaque.
            out: (h, w), bytes R, G, B and alpha.
        """
        shape, size = codes.shape, codes.size
        fy = self._fy(codes, self._buffers("fy", shape))
        xzy1 = self._buffers("xzy1", (4, size))
        self._y(codes, xzy1[2].reshape(shape))
        xzy1[3] = 1

        f, r = coefficients[:, :2], coefficients[:, 2:]
        f *= fy[:, None]
        f += r
        np.maximum(f, np.float32(DARKEST * UNIT), out=r)
        f -= r
        xz = xzy1[:2].reshape(2, *shape).transpose(1, 0, 2)
        np.multiply(r, r, out=xz)
        xz *= r
        xz += f

        # What has served its purpose is written over, so that a tile stays in the second-level cache.
        rgb = multiply(self._to_levels, xzy1, out=coefficients.reshape(-1)[: 3 * size].reshape(3, size))
        self._into_gamut(rgb, xzy1[2], largest=fy.reshape(-1).view(np.uint32))
        indices = xzy1[:2].reshape(-1).view(np.intp)[:size]
        pixels, part = xzy1[2:].view(np.uint32)
        for channel, (levels, encoding) in enumerate(zip(rgb, _encodings(), strict=True)):
            np.copyto(indices, levels, casting="unsafe")
            encoding.take(indices, out=part if channel else pixels, mode="clip")
            if channel == 1:
                pixels |= part
        np.bitwise_or(pixels.reshape(shape), part.reshape(shape), out=out)
        if alpha is not None:
            out.view(np.uint8).reshape(*shape, 4)[..., 3] = alpha

    @staticmethod
    def _into_gamut(rgb: Plane, y: Plane, largest: NDArray[np.uint32]) -> None:
        """Brings levels, (3, n), that are outside of the table inside, in place, with Y given, (n,)."""
        # As whole numbers without sign, the bits of floats are in the order of the floats, with those below 0 on top.
        red, green, blue = rgb.view(np.uint32)
        np.maximum(red, green, out=largest)
        np.maximum(largest, blue, out=largest)
        (outside,) = np.nonzero(largest >= _FIRST_OUTSIDE)
        if len(outside) > len(y) // 3:
            _mix_with_grey(rgb, y)
        elif len(outside):
            mixed = rgb.take(outside, axis=1)
            _mix_with_grey(mixed, y.take(outside))
            for channel, values in zip(rgb, mixed, strict=True):
                channel[outside] = values


def _mix_with_grey(rgb: Plane, y: Plane) -> None:
    """Moves colours, (3, n) in levels, in place toward greys of the same Y, (n,), until they are in the table."""
    grey = y * np.float32(_SCALE)
    grey += np.float32(_BLACK + 0.5)
    tiny = np.float32(1e-3)
    share = np.maximum(rgb.max(axis=0) - grey, tiny)
    np.divide(np.float32(_LEVELS - 0.5) - grey, share, out=share)
    under = np.maximum(grey - rgb.min(axis=0), tiny)
    np.minimum(share, np.divide(grey, under, out=under), out=share)
    np.clip(share, 0, 1, out=share)
    rgb -= grey
    rgb *= share
    rgb += grey


@cache
def _encodings() -> NDArray[np.uint32]:
    """(3, levels): the sRGB bytes of R, G and B at their places in a pixel of four bytes; that of B has alpha 255."""
    linear = (np.arange(_LEVELS) - _BLACK) / (_WHITE - _BLACK)
    encoded = np.rint(255 * linear_to_srgb(linear.clip(0, 1))).astype(np.uint8)
    tables = np.zeros((3, _LEVELS, 4), np.uint8)
    for channel in range(3):
        tables[channel, :, channel] = encoded
    tables[2, :, 3] = 255
    return tables.view(np.uint32)[..., 0]
