"""Colourfulness of a picture (Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003)."""

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.colour_error import strips


def opponent_sums(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sums over an 8-bit picture (h, w, 3): pixels, rg, rg², 2 yb, (2 yb)², with rg = R - G, yb = (R + G) / 2 - B."""
    sums = np.zeros(5, dtype=np.int64)
    for rows in strips(*rgb.shape[:2]):
        red, green, blue = np.moveaxis(rgb[rows], -1, 0).astype(np.int32)
        sums[0] += red.size
        for place, opponent in ((1, red - green), (3, red + green - 2 * blue)):
            sums[place] += opponent.sum(dtype=np.int64)
            sums[place + 1] += np.square(opponent).sum(dtype=np.int64)
    return sums


def colourfulness(sums: NDArray[np.int64]) -> float:
    """M3 = √(σ²rg + σ²yb) + 0.3 √(μ²rg + μ²yb), from `opponent_sums`.

    0 for a grey picture; the authors' scale calls 15 slightly, 45 averagely and 82 highly colourful.
    """
    pixels, rg, rg2, yb, yb2 = (int(value) for value in sums)
    mean_rg, mean_yb = rg / pixels, yb / (2 * pixels)
    variance_rg, variance_yb = rg2 / pixels - mean_rg**2, yb2 / (4 * pixels) - mean_yb**2
    return float(np.sqrt(max(variance_rg + variance_yb, 0.0)) + 0.3 * np.hypot(mean_rg, mean_yb))
