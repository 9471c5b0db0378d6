"""What colour is: CIE Lab, the 313 bins, encodings of colour as distributions, and how rare each colour is.

`encoding` and `hue_chroma` need torch and are not imported here, so that colorizing does without it.
"""

from tintype.color.gamut import bin_centres, nearest_bin
from tintype.color.lab import lab_to_rgb, lightness, lightness_to_grey, rgb_to_lab
from tintype.color.rarity import rebalancing_weights, smoothed_prior

__all__ = [
    "bin_centres",
    "lab_to_rgb",
    "lightness",
    "lightness_to_grey",
    "nearest_bin",
    "rebalancing_weights",
    "rgb_to_lab",
    "smoothed_prior",
]
