"""Where one shot ends and the next begins.

Two things are true of a cut and of little else. The picture is not the one before, even where the motion of large parts
is followed; exposure does not count. And what block matching finds is no motion: neighbours come from all over.

Measured at half of what the network sees, on photographs and smooth test pictures: cuts from one to another had a
product of both of 0.23 to 1.3; motion, zoom and grain of up to 15 levels stayed below 0.05.
"""

import numpy as np

from tintype.runtime.buffers import Plane
from tintype.video.motion import half, sample, smooth

_UNLIKE = 0.12  # the least difference that can be a cut
_SURE = 0.4  # that is one in any case
_TIMES = 4.0  # by how much others must stand out of the frames before
_LARGE, _NEAR = 25, 9  # sides of squares, in pixels: of what moves together, and of neighbours


def difference(before: Plane, now: Plane, flow: Plane) -> float:
    """How unlike two frames are: 0 for the same, more than 0.2 for different scenes.

    Args:
        before, now: normalized pictures.
        flow: from `motion`.
    """
    old, new = half(before), half(now)
    rows, columns = np.mgrid[0 : new.shape[0], 0 : new.shape[1]]
    y, x = (smooth(plane, _LARGE) for plane in flow)
    followed = sample(old[None], rows + y, columns + x)[0]
    followed, new = followed - followed.mean(), new - new.mean()
    scale = float(np.sqrt((followed * followed).sum() * (new * new).sum()))
    correlation = float((followed * new).sum()) / scale if scale > 0 else 1.0
    roughness = float(np.mean([np.abs(plane - smooth(plane, _NEAR)).mean() for plane in flow]))
    return roughness * (1 - correlation)


def is_cut(value: float, history: list[float]) -> bool:
    """Whether a difference stands out of those before it: films with much grain or motion differ more at all times."""
    usual = float(np.median(history)) if history else 0.0
    return value > max(_UNLIKE, min(_SURE, _TIMES * usual))
