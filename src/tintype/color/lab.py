"""CIE Lab, D65 white, 2 degree observer: the matrices of scikit-image, which both papers' code used.

Written against the array API: the same code serves numpy and torch, keeps the input's float type and device,
and is differentiable in torch.
"""

from typing import Any

from tintype.color.arrays import array_namespace

RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
XYZ_TO_RGB = (
    (3.240481343200527, -1.5371515162713187, -0.49853632616888785),
    (-0.9692549499965687, 1.8759900014898907, 0.04155592655829284),
    (0.05564663913517717, -0.20404133836651123, 1.0573110696453443),
)
WHITE = (0.95047, 1.0, 1.08883)


def _channels(x: Any, axis: int) -> tuple[Any, Any, Any]:
    if x.shape[axis] != 3:
        raise ValueError(f"expected 3 channels along axis {axis}, got shape {tuple(x.shape)}")
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise TypeError(f"expected floats in [0, 1] (colour) or CIE units (Lab), got {x.dtype}; divide 8-bit by 255")
    first, second, third = (xp.take(x, xp.asarray([i], **_on(x)), axis=axis) for i in range(3))
    return first, second, third


def _on(x: Any) -> dict[str, Any]:
    return {"device": x.device} if hasattr(x, "device") else {}


def srgb_to_linear(v: Any) -> Any:
    """Undo the sRGB transfer curve. Any shape, [0, 1] in and out (IEC 61966-2-1)."""
    xp = array_namespace(v)
    # The max keeps the power's base positive, so that its unused branch has no NaN gradient.
    return xp.where(v > 0.04045, ((xp.clip(v, 0.04045, None) + 0.055) / 1.055) ** 2.4, v / 12.92)


def linear_to_srgb(v: Any) -> Any:
    """Apply the sRGB transfer curve. Any shape; values outside [0, 1] pass through and stay outside."""
    xp = array_namespace(v)
    return xp.where(v > 0.0031308, 1.055 * xp.clip(v, 0.0031308, None) ** (1 / 2.4) - 0.055, v * 12.92)


def _f(t: Any) -> Any:
    xp = array_namespace(t)
    return xp.where(t > 0.008856, xp.clip(t, 0.008856, None) ** (1 / 3), 7.787 * t + 16 / 116)


def _f_inverse(t: Any) -> Any:
    xp = array_namespace(t)
    return xp.where(t > 0.2068966, t**3, (t - 16 / 116) / 7.787)


def luminance_to_lightness(y: Any) -> Any:
    """L of CIE Lab, in [0, 100], from luminance Y in [0, 1]. Any shape."""
    return 116 * _f(y) - 16


def lightness_to_grey(light: Any) -> Any:
    """The sRGB value, in [0, 1], of the grey whose L of CIE Lab is given, in [0, 100]. Any shape."""
    return linear_to_srgb(_f_inverse((light + 16) / 116))


def lightness(rgb: Any, axis: int = -3) -> Any:
    """L of CIE Lab alone.

    Args:
        rgb: sRGB floats in [0, 1], three channels along `axis`.

    Returns:
        L in [0, 100]; `axis` is kept with length 1.
    """
    r, g, b = (srgb_to_linear(c) for c in _channels(rgb, axis))
    wr, wg, wb = RGB_TO_XYZ[1]
    return luminance_to_lightness(wr * r + wg * g + wb * b)


def rgb_to_lab(rgb: Any, axis: int = -3) -> Any:
    """Convert sRGB to CIE Lab (PAPERS A1: skimage's rgb2lab).

    Args:
        rgb: floats in [0, 1] (not 0-255), three channels along `axis`.

    Returns:
        Same shape: L in [0, 100], a in [-86.2, 98.3], b in [-107.9, 94.5].

    Raises:
        TypeError: integers, such as 8-bit pixels that were not divided by 255.
        ValueError: `axis` does not have length 3.
    """
    xp = array_namespace(rgb)
    r, g, b = (srgb_to_linear(c) for c in _channels(rgb, axis))
    fx, fy, fz = (
        _f((row[0] / white) * r + (row[1] / white) * g + (row[2] / white) * b)
        for row, white in zip(RGB_TO_XYZ, WHITE, strict=True)
    )
    return xp.concat([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=axis)


def lab_to_rgb(lab: Any, axis: int = -3, clip: bool = True) -> Any:
    """Convert CIE Lab to sRGB.

    Args:
        lab: L in [0, 100], a and b in CIE units, three channels along `axis`.
        clip: clip to [0, 1]. Colours outside sRGB's gamut are otherwise returned as they come out,
            below 0 or above 1.

    Returns:
        sRGB floats, same shape.
    """
    xp = array_namespace(lab)
    light, a, b = _channels(lab, axis)
    fy = (light + 16) / 116
    x, y, z = (_f_inverse(f) * white for f, white in zip((fy + a / 500, fy, fy - b / 200), WHITE, strict=True))
    rgb = xp.concat(
        [linear_to_srgb(row[0] * x + row[1] * y + row[2] * z) for row in XYZ_TO_RGB],
        axis=axis,
    )
    return xp.clip(rgb, 0, 1) if clip else rgb
