"""Leakage of colour over edges, from its definition, one pixel at a time."""

import math

from reference.lab import rgb_to_lab

EDGE, BAND, FLAT = 8.0, 3, 2.0


def _slope(values, here):
    """Of a row of numbers at a place: half the difference of its neighbours, or to the only one that there is."""
    low, high = max(here - 1, 0), min(here + 1, len(values) - 1)
    return (values[high] - values[low]) / (high - low) if high > low else 0.0


def steepness(picture, channels, y, x):
    total = 0.0
    for channel in channels:
        total += _slope([row[x][channel] for row in picture], y) ** 2
        total += _slope([pixel[channel] for pixel in picture[y]], x) ** 2
    return math.sqrt(total)


def leakage(pairs):
    """Of pairs of a true and a colorized picture, 8-bit RGB: error near edges; over that elsewhere; change astray."""
    near, far, astray = [], [], []
    for pair in pairs:
        true, picture = ([[rgb_to_lab(*(float(v) / 255 for v in p)) for p in row] for row in one] for one in pair)
        height, width = len(true), len(true[0])
        places = [(y, x) for y in range(height) for x in range(width)]
        edges = [(y, x) for y, x in places if steepness(true, [0], y, x) >= EDGE]
        for y, x in places:
            error = math.dist(true[y][x][1:], picture[y][x][1:])
            close = any(max(abs(y - v), abs(x - u)) <= BAND for v, u in edges)
            (near if close else far).append(error)
            if close and steepness(true, [1, 2], y, x) < FLAT:
                astray.append(steepness(picture, [1, 2], y, x))
    band, elsewhere = sum(near) / len(near), sum(far) / len(far)
    return band, band / elsewhere, sum(astray) / len(astray)
