"""Leakage of colour over edges, from its definition, one pixel at a time."""

import math

from reference.lab import rgb_to_lab

REACH, CONTRAST, STEP, EVEN = 4, 30.0, 10.0, 4.0


def leakage(pairs):
    """Of pairs of a true and a colorized picture, 8-bit RGB: error on edges, over that elsewhere, % kept, false."""
    near, far, false, kept, steps = [], [], [], 0.0, 0.0
    for pair in pairs:
        true, picture = ([[rgb_to_lab(*(float(v) / 255 for v in p)) for p in row] for row in one] for one in pair)
        height, width = len(true), len(true[0])
        band = set()
        for y in range(height):
            for x in range(width):
                for down, across in ((0, 1), (1, 0)):
                    v, u = y + REACH * down, x + REACH * across
                    if v >= height or u >= width or abs(true[v][u][0] - true[y][x][0]) < CONTRAST:
                        continue
                    band |= {(y + k * down, x + k * across) for k in range(REACH + 1)}
                    expected, found = ([one[v][u][c] - one[y][x][c] for c in (1, 2)] for one in (true, picture))
                    if math.hypot(*expected) >= STEP:
                        kept += sum(a * b for a, b in zip(expected, found, strict=True))
                        steps += sum(a * a for a in expected)
                    elif math.hypot(*expected) < EVEN:
                        false.append(math.hypot(*found))
        for y in range(height):
            for x in range(width):
                error = math.dist(true[y][x][1:], picture[y][x][1:])
                (near if (y, x) in band else far).append(error)
    on, elsewhere = sum(near) / len(near), sum(far) / len(far)
    return on, on / elsewhere, 100 * kept / steps, sum(false) / len(false)
