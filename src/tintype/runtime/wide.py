"""From lightness and colour to 16-bit sRGB: the maths of `paint`, to 1 of 65535, in more passes."""

import numpy as np
from numpy.typing import NDArray

from tintype.color.lab import WHITE, XYZ_TO_RGB, linear_to_srgb
from tintype.runtime.buffers import Codes, Plane
from tintype.runtime.paint import DARKEST, UNIT

Wide = NDArray[np.uint16]


class WidePainter:
    """Computes tiles of a picture of 16 bits a channel. One thread's own.

    Args:
        lightness: CIE L of each code.
    """

    def __init__(self, lightness: Plane):
        self._fy = ((lightness.astype(np.float64) + 16) / 116 * UNIT).astype(np.float32)
        # How far R, G and B are from the grey of the same luminance, by how far X and Z are: exactly 0 for grey.
        self._from_grey = (np.array(XYZ_TO_RGB) * WHITE)[:, [0, 2]].astype(np.float32)

    def __call__(self, codes: Codes, coefficients: Plane, alpha: NDArray[np.uint8] | None, out: Wide) -> None:
        """Paints a tile.

        Args:
            codes: (h, w).
            coefficients: (h, 4, w), from `Painter.coefficients`.
            alpha: (h, w), or None for opaque.
            out: (h, w, 4), R, G, B and alpha.
        """
        fy = self._fy[codes]
        f = coefficients[:, :2] * fy[:, None] + coefficients[:, 2:]
        y = _cubed(fy)
        away = np.stack([_cubed(f[:, 0]) - y, _cubed(f[:, 1]) - y], axis=-1) @ self._from_grey.T
        # Colours outside of the gamut are mixed with grey until they are in it.
        top, bottom = away.max(axis=-1), away.min(axis=-1)
        tiny = np.float32(1e-9)
        share = np.minimum((1 - y) / np.maximum(top, tiny), y / np.maximum(-bottom, tiny))
        linear = y[..., None] + np.clip(share, 0, 1)[..., None] * away
        out[..., :3] = np.rint(65535 * linear_to_srgb(linear.clip(0, 1)))
        out[..., 3] = 65535 if alpha is None else alpha.astype(np.uint16) * 257


def _cubed(f: Plane) -> Plane:
    """X, Y or Z over the white point's."""
    r = np.maximum(f, np.float32(DARKEST * UNIT))
    return (r * r * r + f - r) / np.float32(UNIT**3)
