"""The 313 bins, written out from PAPERS A2, and the rule of corners that nearly gives them."""

import numpy as np
from skimage.color import rgb2lab

FIRST_AND_LAST_B = {
    -90: (50, 90),
    -80: (20, 90),
    -70: (0, 90),
    -60: (-20, 90),
    -50: (-30, 100),
    -40: (-40, 100),
    -30: (-50, 100),
    -20: (-50, 100),
    -10: (-60, 100),
    0: (-70, 100),
    10: (-80, 90),
    20: (-80, 90),
    30: (-90, 90),
    40: (-100, 90),
    50: (-100, 80),
    60: (-110, 80),
    70: (-110, 80),
    80: (-110, 70),
    90: (-110, 70),
    100: (-90, 0),
}


def bin_centres() -> np.ndarray:
    """(313, 2): a ascending, then b ascending."""
    return np.array([(a, b) for a, (first, last) in FIRST_AND_LAST_B.items() for b in range(first, last + 1, 10)])


def corners_of_the_cells_that_srgb_reaches() -> set[tuple[int, int]]:
    """All four corners of every 10x10 cell of the ab plane that holds a colour of sRGB.

    The faces of the RGB cube are enough: a straight line along L through any colour of the solid leaves it somewhere,
    so the ab projection of the solid is that of its surface.
    """
    level = np.linspace(0, 1, 256)
    u, v = np.meshgrid(level, level)
    faces = []
    for constant in (np.zeros_like(u), np.ones_like(u)):
        faces += [np.stack(order, -1) for order in ((constant, u, v), (u, constant, v), (u, v, constant))]
    ab = rgb2lab(np.stack(faces))[..., 1:].reshape(-1, 2)
    cells = np.unique(np.floor(ab / 10).astype(int), axis=0) * 10
    return {(int(a) + da, int(b) + db) for a, b in cells for da in (0, 10) for db in (0, 10)}
