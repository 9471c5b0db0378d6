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
from tintype.runtime.buffers import Buffers, Lookup
from tintype.runtime.photo import Codes, Plane

Pixels = NDArray[np.uint32]

_T0 = 6 / 29
_UNIT = 1 / np.sqrt(3 * _T0**2)  # f is counted in units in which s is 1, and X, Y, Z in their cubes

# Linear values index a table, in which 0 stands at _BLACK and 1 at _WHITE. What lies beyond, but in the table, is
# clipped without a look: by less than half an 8-bit level, though not so far that black or white would take a tint.
_LEVELS = 1 << 15
_BLACK, _WHITE = 3, _LEVELS - 17
_SCALE = (_WHITE - _BLACK) / _UNIT**3


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
        fy = (lightness.astype(np.float64) + 16) / 116 * _UNIT
        r = np.maximum(fy, _T0 * _UNIT)
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
        return np.concatenate([p, _UNIT * (b - 16 * a)]).astype(np.float32).transpose(1, 0, 2)

    def __call__(self, codes: Codes, coefficients: Plane, alpha: NDArray[np.uint8] | None, out: Pixels) -> None:
        """Paints a tile.

        Args:
            codes: (h, w).
            coefficients: (h, 4, w).
            alpha: (h, w), or None for opaque.
            out: (h, w), bytes R, G, B and alpha.
        """
        shape, size = codes.shape, codes.size
        fy = self._fy(codes, self._buffers("fy", shape))
        xzy1 = self._buffers("xzy1", (4, size))
        self._y(codes, xzy1[2].reshape(shape))
        xzy1[3] = 1

        f = self._buffers("f", (2, *shape))
        for channel in range(2):
            np.multiply(coefficients[:, channel], fy, out=f[channel])
            f[channel] += coefficients[:, 2 + channel]
        f = f.reshape(2, size)
        r = np.maximum(f, np.float32(_T0 * _UNIT), out=self._buffers("r", f.shape))
        f -= r
        xz = np.multiply(r, r, out=xzy1[:2])
        xz *= r
        xz += f

        rgb = np.matmul(self._to_levels, xzy1, out=self._buffers("rgb", (3, size)))
        levels = self._buffers("levels", rgb.shape, np.int32)
        np.copyto(levels, rgb, casting="unsafe")
        self._into_gamut(levels, rgb, xzy1[2])

        indices = self._buffers("indices", levels.shape, np.intp)
        np.copyto(indices, levels)
        red, green, blue = _encodings()
        pixels, part = (self._buffers(name, (size,), np.uint32) for name in ("pixels", "part"))
        red.take(indices[0], out=pixels, mode="clip")
        pixels |= green.take(indices[1], out=part, mode="clip")
        blue.take(indices[2], out=part, mode="clip")
        np.bitwise_or(pixels.reshape(shape), part.reshape(shape), out=out)
        if alpha is not None:
            out.view(np.uint8).reshape(*shape, 4)[..., 3] = alpha

    def _into_gamut(self, levels: NDArray[np.int32], rgb: Plane, y: Plane) -> None:
        """Brings levels outside of the table inside, in place: (3, n), (3, n), (n,)."""
        bits = self._buffers("bits", y.shape, np.int32)
        np.bitwise_or(levels[0], levels[1], out=bits)
        bits |= levels[2]
        (outside,) = np.nonzero(bits.view(np.uint32) >= _LEVELS)  # as unsigned, what is below 0 is above it too
        if len(outside) > len(y) // 3:
            np.copyto(levels, _mixed_with_grey(rgb.copy(), y), casting="unsafe")
        elif len(outside):
            mixed = _mixed_with_grey(np.stack([channel.take(outside) for channel in rgb]), y.take(outside))
            for channel, values in zip(levels, mixed, strict=True):
                channel[outside] = values.astype(np.int32)


def _mixed_with_grey(rgb: Plane, y: Plane) -> Plane:
    """Colours, (3, n) in levels, moved in place toward greys of the same Y, (n,), until they are in the table."""
    grey = y * np.float32(_SCALE) + np.float32(_BLACK + 0.5)
    tiny = np.float32(1e-3)
    over = np.maximum(rgb.max(axis=0) - grey, tiny)
    under = np.maximum(grey - rgb.min(axis=0), tiny)
    share = np.minimum((np.float32(_LEVELS - 0.5) - grey) / over, grey / under)
    np.clip(share, 0, 1, out=share)
    rgb -= grey
    rgb *= share
    rgb += grey
    return rgb


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
