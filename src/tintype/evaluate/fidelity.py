"""How near a picture is to the true one, value by value: PSNR and SSIM."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.colour_error import strips

_Whole = TypeVar("_Whole", np.uint16, np.int32)

SSIM_WINDOW = 7
_PAD = SSIM_WINDOW // 2
_STRIP = 1 << 13  # pixels in work at once: a dozen planes of them stay in a core's cache


def squared_error(true: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Mean squared error of two 8-bit pictures (h, w, 3), over pixels and channels, exact up to the last division."""
    total = 0
    for rows in strips(*true.shape[:2]):
        difference = true[rows].astype(np.int32) - picture[rows]
        total += int(np.square(difference).sum(dtype=np.int64))
    return total / true.size


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of 8-bit pictures; infinite for equal ones."""
    return float("inf") if mean_squared_error == 0 else float(10 * np.log10(255**2 / mean_squared_error))


def ssim(true: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Structural similarity of two 8-bit RGB pictures (Wang et al. 2004, eq. 13), as scikit-image's defaults have it.

    Windows of 7×7 with equal weights and sample covariance, K1 = 0.01, K2 = 0.03, each channel alone, then the mean
    over all whole windows and channels. Sums over windows are exact, as 8-bit pixels are whole numbers.

    Args:
        true: (h, w, 3), both sides at least 7.
        picture: likewise.

    Returns:
        At most 1, which only equal pictures reach.
    """
    height = true.shape[0]
    total, windows = 0.0, 0
    for rows in strips(height - 2 * _PAD, true.shape[1], least=4 * SSIM_WINDOW, pixels=_STRIP):
        window = slice(rows.start, rows.stop + 2 * _PAD)
        scores = _scores(*(np.ascontiguousarray(np.moveaxis(one[window], -1, 0), np.uint16) for one in (true, picture)))
        total += float(scores.sum(dtype=np.float64))
        windows += scores.size
    return total / windows


def _scores(x: NDArray[np.uint16], y: NDArray[np.uint16]) -> NDArray[np.float32]:
    """SSIM of every whole window: (3, h, w) to (3, h - 6, w - 6)."""
    pixels = SSIM_WINDOW**2
    sx, sy = (_window_sums(plane).astype(np.int32) for plane in (x, y))  # at most 49 · 255: 16 bits will do before
    a, b = (plane.astype(np.int32) for plane in (x, y))
    both, sxy = (_window_sums(plane) for plane in (a * a + b * b, a * b))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    # Means are sums / 49; sample covariances are (49 Σxy - Σx Σy) / (49 · 48). As sums, all of it fits into 32 bits.
    product, squares = sx * sy, sx * sx + sy * sy
    mean, covariance = pixels**2, pixels * (pixels - 1)
    ratios = (
        (2 * product, squares, c1 * mean),
        (2 * (pixels * sxy - product), pixels * both - squares, c2 * covariance),
    )
    luminance, contrast = ((a.astype(np.float32) + c) / (b.astype(np.float32) + c) for a, b, c in ratios)
    scores: NDArray[np.float32] = luminance * contrast
    return scores


def _window_sums(plane: NDArray[_Whole]) -> NDArray[_Whole]:
    """Sums over every whole 7×7 window of the last two axes, by 7 = 4 + 2 + 1."""
    two = plane[:, :-1] + plane[:, 1:]
    rows = two[:, :-5] + two[:, 2:-3] + two[:, 4:-1] + plane[:, 6:]
    two = rows[..., :-1] + rows[..., 1:]
    sums: NDArray[_Whole] = two[..., :-5] + two[..., 2:-3] + two[..., 4:-1] + rows[..., 6:]
    return sums
