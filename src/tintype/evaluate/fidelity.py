"""How near a picture is to the true one, value by value: PSNR and SSIM."""

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.colour_error import strips

SSIM_WINDOW = 7
_PAD = SSIM_WINDOW // 2


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
    """Structural similarity of two 8-bit RGB pictures, by scikit-image with its standard settings.

    Windows of 7×7 with equal weights and sample covariance, K1 = 0.01, K2 = 0.03, each channel alone, then the mean.

    Args:
        true: (h, w, 3), both sides at least 7.
        picture: likewise.

    Returns:
        At most 1, which only equal pictures reach.
    """
    from skimage.metrics import structural_similarity

    if np.array_equal(true, picture):
        return 1.0
    height, width = true.shape[:2]
    total = 0.0
    # scikit-image leaves a border as wide as half a window out of its mean, so strips that overlap by a window add up
    # to the whole picture. float32 halves its time, and changes the sixth decimal.
    for rows in strips(height - 2 * _PAD, width, least=4 * SSIM_WINDOW):
        window = slice(rows.start, rows.stop + 2 * _PAD)
        score = structural_similarity(  # type: ignore[no-untyped-call]
            true[window].astype(np.float32),
            picture[window].astype(np.float32),
            win_size=SSIM_WINDOW,
            data_range=255,
            channel_axis=-1,
        )
        total += float(score) * (rows.stop - rows.start)
    return float(total / (height - 2 * _PAD))
