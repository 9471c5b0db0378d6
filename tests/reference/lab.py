"""sRGB and CIE Lab, one colour at a time: IEC 61966-2-1 and CIE 15, with scikit-image's matrix and white."""

import numpy as np

RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ).tolist()
WHITE = (0.95047, 1.0, 1.08883)


def rgb_to_lab(r: float, g: float, b: float) -> tuple[float, float, float]:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (r, g, b)]
    xyz = [sum(m * v for m, v in zip(row, linear, strict=True)) for row in RGB_TO_XYZ]
    fx, fy, fz = (_f(v / w) for v, w in zip(xyz, WHITE, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def lab_to_rgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Not clipped; below zero the transfer curve goes on as a straight line."""
    fy = (lightness + 16) / 116
    xyz = [w * _f_inverse(t) for w, t in zip(WHITE, (fy + a / 500, fy, fy - b / 200), strict=True)]
    linear = [sum(m * v for m, v in zip(row, xyz, strict=True)) for row in XYZ_TO_RGB]
    r, g, b = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in linear)
    return r, g, b


def _f(t: float) -> float:
    return t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29


def _f_inverse(t: float) -> float:
    return t**3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29)
