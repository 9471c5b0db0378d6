"""What time, printing and scanning do to photographs, done on purpose: borders, fading, screens, scratches."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tintype.color.lab import linear_to_srgb, srgb_to_linear
from tintype.evaluate.photograph import grey_of

Grey = NDArray[np.uint8]
Damage = Callable[[Grey, np.random.Generator], Grey]


def faded(grey: Grey, rng: np.random.Generator) -> Grey:
    """Blacks gone grey and whites yellowed: contrast falls to between 30 and 50 %."""
    contrast = rng.uniform(0.3, 0.5)
    black = rng.uniform(0.2, 0.9 - contrast)
    return _bytes(255 * black + contrast * grey.astype(float))


def halftone(grey: Grey, rng: np.random.Generator) -> Grey:
    """Printed by a screen of dots, 2.5 to 5 pixels apart, at 45 degrees or so, and scanned."""
    fine, period, angle = 4, rng.uniform(2.5, 5), np.deg2rad(rng.uniform(35, 55))
    luminance = srgb_to_linear(grey / 255)
    y, x = np.mgrid[0 : fine * grey.shape[0], 0 : fine * grey.shape[1]] * (2 * np.pi / (fine * period))
    waves = np.cos(x * np.cos(angle) + y * np.sin(angle)) + np.cos(y * np.cos(angle) - x * np.sin(angle))
    level = np.argsort(np.argsort(waves.ravel())).reshape(waves.shape) / waves.size  # even, so that tones stay
    paper = luminance.repeat(fine, 0).repeat(fine, 1) > level
    scanned = paper.reshape(grey.shape[0], fine, grey.shape[1], fine).mean(axis=(1, 3))
    return _bytes(255 * linear_to_srgb(0.04 + 0.9 * scanned))


def scratched(grey: Grey, rng: np.random.Generator) -> Grey:
    """Eight to twenty thin lines, bright or dark, most of them steep, and as many specks."""
    image = Image.fromarray(grey)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(rng.integers(8, 21)):
        x, top, length = rng.uniform(0, width), rng.uniform(-0.3, 0.8) * height, rng.uniform(0.3, 1.2) * height
        lean, tone = rng.normal(0, 0.2), int(rng.choice([245, 250, 255, 10]))
        bend = rng.normal(0, 0.03 * height, 5).cumsum()
        line = [(x + lean * length * t / 4 + bend[t], top + length * t / 4) for t in range(5)]
        draw.line(line, fill=tone, width=int(rng.choice([1, 1, 2])))
        sx, sy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.5, 2)
        draw.ellipse([sx - r, sy - r, sx + r, sy + r], fill=tone)
    return np.asarray(image)


def margins(grey: Grey, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Widths of a border: top, bottom, left and right, each 5 to 25 % of the picture's side."""
    height, width = grey.shape
    top, bottom, left, right = rng.uniform(0.05, 0.25, 4) * (height, height, width, width)
    return round(top), round(bottom), round(left), round(right)


def bordered(grey: Grey, widths: tuple[int, int, int, int], rng: np.random.Generator) -> Grey:
    """Laid on paper, light or (one time in four) dark, with its grain."""
    top, bottom, left, right = widths
    tone = rng.uniform(5, 40) if rng.random() < 0.25 else rng.uniform(200, 250)
    shape = grey.shape[0] + top + bottom, grey.shape[1] + left + right
    sheet = _bytes(tone + rng.normal(0, rng.uniform(0.5, 2.5), shape))
    sheet[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
    return sheet


def _bytes(values: NDArray[np.floating]) -> Grey:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def stereo(rgb: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Grey, NDArray[np.uint8], NDArray[np.intp]]:
    """A stereo card: two views, in which things lie apart by their depth, which is made up and smooth.

    Args:
        rgb: (h, w, 3), of which the middle is taken.

    Returns:
        The card, grey, (h, 2 w'); the true colours of its left view, (h, w', 3); and, for each pixel of it, the column
        of the right view that shows the same, (h, w').
    """
    height, width = rgb.shape[:2]
    side = min(height, width)
    start = (width - side) // 2
    depth = Image.fromarray(rng.random((5, 5), dtype=np.float32)).resize((side, height), Image.Resampling.BICUBIC)
    # The right view's column x shows what is at x + apart in the picture.
    apart = rng.uniform(-0.06, 0.06) * side + rng.uniform(0.01, 0.05) * side * (np.asarray(depth) - 0.5)
    columns = np.arange(side) + start
    source = np.clip(np.rint(columns + apart).astype(int), 0, width - 1)
    margin, rows = side // 16, np.arange(height)[:, None]
    inner = slice(margin, side - margin)
    left, right = rgb[:, columns[inner]], rgb[rows, source[:, inner]]
    same = np.abs(source[:, None, inner] - columns[inner][None, :, None]).argmin(axis=2)
    tone = rng.uniform(0.9, 1.0)
    views = [_grey(left).astype(float), tone * _grey(right)]
    return _bytes(np.concatenate(views, axis=1) + rng.normal(0, 2, (height, 2 * left.shape[1]))), left, same


def _grey(rgb: NDArray[np.uint8]) -> Grey:
    return grey_of(np.ascontiguousarray(rgb))
