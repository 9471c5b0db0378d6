"""Where one shot ends and the next begins."""

import numpy as np

from tintype.runtime.buffers import Plane

_UNLIKE = 0.45  # the least difference that can be a cut
_TIMES = 3.0  # by how much a cut must stand out of the frames before it
_BINS = 32


def difference(before: Plane, now: Plane, followed: Plane) -> float:
    """How unlike two frames are, from 0 to about 1.

    What counts is the structure, not the exposure: the correlation of the frame with the one before, motion followed.

    Args:
        before, now: normalized pictures.
        followed: `before`, moved to where its parts are in `now`.
    """
    old, new = followed - followed.mean(), now - now.mean()
    scale = float(np.sqrt((old * old).sum() * (new * new).sum()))
    correlation = float((old * new).sum()) / scale if scale > 0 else 1.0
    return 1 - max(0.0, correlation)


def is_cut(value: float, history: list[float]) -> bool:
    """Whether a difference stands out of those before it: films with much grain or motion differ more at all times."""
    usual = float(np.median(history)) if history else 0.0
    return value > max(_UNLIKE, min(0.8, _TIMES * usual))
