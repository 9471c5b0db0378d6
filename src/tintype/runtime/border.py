"""Where in a scan the picture lies: inside of paper borders and of the scanner's background.

A border is an even strip along an edge of the scan that ends at once, on a straight line. It is taken for one only
where there is little doubt: on two sides or more, of the same tone.
"""

import numpy as np

from tintype.runtime.buffers import Plane

Box = tuple[int, int, int, int]  # top, bottom, left, right

EVEN = 6.0  # L that a border's pixels may be off its tone
SHADED = 2.5  # L that the middle of its lines may be off: a picture that darkens towards its edges is off by more
STRAY = 0.06  # share of a line's pixels that may be off by more: dust, a date in pencil
ENDED = 0.5  # share of a line's pixels that are off, from which on it is picture
ABRUPT = 0.03  # of the side: how far it may be from the last line of border to the first of picture
NARROWEST, WIDEST = 0.01, 0.42  # of the side
LIGHT, DARK = 72.0, 30.0  # a border not on all sides is lighter or darker than this
ALIKE = 8.0  # L by which the tones of the sides may differ
SMALLEST = 24  # pixels along a side of a picture
_NESTED = 3  # a print with a border on a scanner's lid has two


def find_picture(lightness: Plane) -> Box:
    """The part of a scan that is picture: all of it, where no border is found.

    Args:
        lightness: CIE L, (h, w), of the scan, at a few hundred pixels a side.
    """
    box = (0, lightness.shape[0], 0, lightness.shape[1])
    for _ in range(_NESTED):
        top, bottom, left, right = box
        widths = _border(lightness[top:bottom, left:right])
        box = top + widths[0], bottom - widths[1], left + widths[2], right - widths[3]
        if not any(widths):
            break
    return box


def strip_width(side: Plane) -> int:
    """Width of an even strip at the edge of a picture, given as lines from the edge inward; 0 where there is none."""
    tone = float(np.median(side[:2]))
    return _width(side, tone, _even_lines(side, tone))


def _border(lightness: Plane) -> list[int]:
    """Widths of a border: top, bottom, left, right; all 0 where there is none."""
    none = [0, 0, 0, 0]
    height, width = lightness.shape
    if min(height, width) < SMALLEST:
        return none
    sides = [lightness, lightness[::-1], lightness.T, lightness.T[::-1]]
    tones = [float(np.median(side[: max(2, len(side) // 100)])) for side in sides]
    # First without regard to what lies across, as the other borders take part of every line.
    rough = [_even_lines(side, tone) for side, tone in zip(sides, tones, strict=True)]
    inside = [slice(rough[2], width - rough[3])] * 2 + [slice(rough[0], height - rough[1])] * 2
    widths = [
        _width(side[:, across], tone, lines)
        for side, tone, lines, across in zip(sides, tones, rough, inside, strict=True)
    ]
    found = [tone for tone, lines in zip(tones, widths, strict=True) if lines]
    if len(found) < 2 or max(found) - min(found) > ALIKE:
        return none
    if len(found) < 4 and DARK < np.median(found) < LIGHT:
        return none
    if height - widths[0] - widths[1] < SMALLEST or width - widths[2] - widths[3] < SMALLEST:
        return none
    return widths


def _off(side: Plane, tone: float) -> Plane:
    """For every line from the edge inward: the share of its pixels that are not of this tone."""
    return np.asarray((np.abs(side - np.float32(tone)) > EVEN).mean(axis=1), dtype=np.float32)


def _even_lines(side: Plane, tone: float) -> int:
    """How many lines from the edge on are even, at most."""
    reach = int(WIDEST * len(side)) + 1
    (other,) = np.nonzero(_off(side[:reach], tone) > STRAY)
    return int(other[0]) if len(other) else 0


def _width(side: Plane, tone: float, lines: int) -> int:
    """Width of the border on a side, with the seam between it and the picture; 0 where there is none.

    Args:
        side: lines from the edge inward, (h, w), only what lies between the borders across.
        tone: CIE L of the edge.
        lines: how many are even.
    """
    if lines < max(2, NARROWEST * len(side)) or side.shape[1] < SMALLEST:
        return 0
    medians = np.median(side[: max(2, lines - 2)], axis=1)
    if np.abs(medians - np.float32(tone)).max() > SHADED:
        return 0
    reach = lines + max(2, round(ABRUPT * len(side)))
    (picture,) = np.nonzero(_off(side[lines : reach + 1], tone) >= ENDED)
    return lines + int(picture[0]) + 1 if len(picture) else 0
