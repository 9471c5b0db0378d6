"""Slow, obvious versions of what runtime does between the network's cells and the pixels of a photograph."""

import math

import numpy as np


def cell_mean(plane, top, bottom, left, right):
    """Mean of a picture of unit squares over a rectangle, by the area that each square shares with it."""
    total = area = 0.0
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            shared = max(0.0, min(bottom, y + 1) - max(top, y)) * max(0.0, min(right, x + 1) - max(left, x))
            total += shared * plane[y, x]
            area += shared
    return total / area


def cell_means(plane, shape, extent, origin, stride):
    """Means over all cells: cell (i, j) is centred on origin + stride (i, j), and cut off at the picture's extent."""
    means = np.empty(shape)
    for i, j in np.ndindex(*shape):
        borders = []
        for axis, number in ((0, i), (1, j)):
            middle = origin[axis] + stride[axis] * number
            borders += [max(0.0, middle - stride[axis] / 2), min(extent[axis], middle + stride[axis] / 2)]
        means[i, j] = cell_mean(plane, *borders)
    return means


def joint_bilateral(values, cells, guide, origin, stride, nearness, deviation, unlike):
    """Joint bilateral upsampling (Kopf et al. 2007): values of cells at every pixel of the guide."""
    out = np.empty(guide.shape)
    for y, x in np.ndindex(*guide.shape):
        v, u = (y + 0.5 - origin[0]) / stride[0], (x + 0.5 - origin[1]) / stride[1]
        total = weights = 0.0
        for i in (round(v) - 1, round(v), round(v) + 1):
            for j in (round(u) - 1, round(u), round(u) + 1):
                inside = min(max(i, 0), cells.shape[0] - 1), min(max(j, 0), cells.shape[1] - 1)
                distance = ((v - i) ** 2 + (u - j) ** 2) / (2 * nearness**2)
                difference = (guide[y, x] - cells[inside]) ** 2 / (2 * deviation**2)
                weight = math.exp(-distance - min(difference, unlike))
                total += weight * values[inside]
                weights += weight
        out[y, x] = total / weights
    return out


def guided_fit(guide, p, regularization):
    """A and B of the guided filter (He, Sun and Tang 2013, eq. 5, 6 and 8), 3x3 windows, border pixels repeated."""

    def windows(plane):
        padded = np.pad(np.asarray(plane, dtype=np.float64), 1, mode="edge")
        for y, x in np.ndindex(*plane.shape):
            yield (y, x), padded[y : y + 3, x : x + 3]

    slope, offset = np.empty(guide.shape), np.empty(guide.shape)
    for (place, i), (_, q) in zip(windows(guide), windows(p), strict=True):
        slope[place] = ((i * q).mean() - i.mean() * q.mean()) / (i.var() + regularization)
        offset[place] = q.mean() - slope[place] * i.mean()
    return tuple(np.array([w.mean() for _, w in windows(plane)]).reshape(guide.shape) for plane in (slope, offset))
