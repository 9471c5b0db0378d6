"""Where each part of a picture was in the frame before: block matching, coarse to fine."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.buffers import Plane

_LEVELS = 3  # halvings; the motion that can be followed is up to REACH pixels of the coarsest level, and more per level
_REACH = 2
_STILL = 0.02  # what a step away from the neighbours' motion costs, as a share of the picture's contrast
_DEVIATION = 20.0  # what contrast is brought to


def normalized(lightness: Plane) -> Plane:
    """The same picture with mean 0 and a fixed contrast, so that exposure that pumps or fades does not matter."""
    spread = max(float(lightness.std()), 1.5)  # a picture with less contrast than this shows nothing
    return np.asarray((lightness - lightness.mean()) * (_DEVIATION / spread), np.float32)


def motion(before: Plane, now: Plane) -> Plane:
    """How far back each pixel came from.

    Args:
        before, now: normalized pictures, (H, W).

    Returns:
        (2, H // 2, W // 2): for each pixel of `now` at half the size, the way (dy, dx) to its place in `before`, in
        pixels at half the size, with fractions.
    """
    pyramid = [(half(before), half(now))]
    while len(pyramid) < _LEVELS and min(pyramid[-1][1].shape) >= 16:
        pyramid.append((half(pyramid[-1][0]), half(pyramid[-1][1])))
    flow = np.zeros((2, *pyramid[-1][1].shape), np.float32)
    for level, (old, new) in reversed(list(enumerate(pyramid))):
        height, width = new.shape
        if flow.shape[1:] != new.shape:
            flow = 2 * flow.repeat(2, axis=1).repeat(2, axis=2)
            flow = np.pad(
                flow, ((0, 0), (0, max(0, height - flow.shape[1])), (0, max(0, width - flow.shape[2]))), "edge"
            )
            flow = flow[:, :height, :width]
        flow = _refine(old, new, flow, _REACH if level == len(pyramid) - 1 else 1, fraction=level == 0)
    return flow


def _refine(old: Plane, new: Plane, flow: Plane, reach: int, *, fraction: bool) -> Plane:
    height, width = new.shape
    rows, columns = np.mgrid[0:height, 0:width]
    start = np.rint(flow).astype(np.intp)
    steps = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    costs = np.empty((len(steps), height, width), np.float32)
    for cost, (dy, dx) in zip(costs, steps, strict=True):
        y = np.clip(rows + start[0] + dy, 0, height - 1)
        x = np.clip(columns + start[1] + dx, 0, width - 1)
        cost[:] = smooth(np.abs(old[y, x] - new))
        cost += np.float32(_STILL * _DEVIATION * (abs(dy) + abs(dx)))
    best = costs.argmin(axis=0)
    found = start + np.array(steps).T[:, best]
    way: Plane = found.astype(np.float32)
    if fraction:
        side = 2 * reach + 1
        inside = best.reshape(height, width)
        for axis, step in ((0, side), (1, 1)):
            place = inside // side if axis == 0 else inside % side
            least, less, more = (
                np.take_along_axis(costs, np.clip(inside + shift, 0, len(steps) - 1)[None], axis=0)[0]
                for shift in (0, -step, step)
            )
            bend = np.maximum(less + more - 2 * least, 1e-3)
            part = np.clip((less - more) / (2 * bend), -0.5, 0.5)
            way[axis] += np.where((place > 0) & (place < side - 1), part, 0)
    return np.stack([_median(plane) for plane in way])


def sample(planes: Plane, y: NDArray[np.floating[Any]], x: NDArray[np.floating[Any]]) -> Plane:
    """Values of (n, H, W) at places (y, x), by cubic convolution (Catmull-Rom), which keeps detail over many frames."""
    height, width = planes.shape[1:]
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    across, down = _cubic(x - left), _cubic(y - top)
    out = np.zeros((len(planes), *y.shape), np.float32)
    for j, v in enumerate(down):
        row = np.clip(top + j - 1, 0, height - 1)
        for i, h in enumerate(across):
            out += planes[:, row, np.clip(left + i - 1, 0, width - 1)] * (v * h)
    return out


def _cubic(t: NDArray[np.floating[Any]]) -> list[Plane]:
    weights = [
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ]
    return [np.asarray(weight, np.float32) for weight in weights]


def half(plane: Plane) -> Plane:
    height, width = (length // 2 * 2 for length in plane.shape)
    part = plane[:height, :width]
    return np.asarray((part[::2, ::2] + part[1::2, ::2] + part[::2, 1::2] + part[1::2, 1::2]) / 4, np.float32)


def smooth(plane: Plane, side: int = 5) -> Plane:
    """Mean over squares of an odd side, the border's pixels repeated."""
    half_side = side // 2
    for axis in (0, 1):
        wide = [(half_side + 1, half_side) if number == axis else (0, 0) for number in (0, 1)]
        sums = np.pad(plane, wide, "edge").cumsum(axis=axis, dtype=np.float64)
        length = plane.shape[axis]
        high, low = (sums.take(range(at, at + length), axis=axis) for at in (side, 0))
        plane = np.asarray((high - low) / side, np.float32)
    return plane


def _median(plane: Plane) -> Plane:
    padded = np.pad(plane, 1, "edge")
    height, width = plane.shape
    around = [padded[j : j + height, i : i + width] for j in range(3) for i in range(3)]
    return np.asarray(np.partition(np.stack(around), 4, axis=0)[4], np.float32)
