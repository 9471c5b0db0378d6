"""What painted pictures are made of: noise, planes to lay textures on, palettes, solid shapes, and a camera.

A field is (h, w) float32, a picture (h, w, 3) float32, sRGB in 0..1. Pictures are painted at twice their size, so that
edges are smooth once `photograph` has halved them.
"""

import io
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.floating]
Picture = NDArray[np.floating]
Colour = NDArray[np.floating]  # (3,), or (n, 3) for several
Plane = tuple[Field, Field]  # where each pixel lies on a surface: across and down
Box = tuple[slice, slice]
Stops = Sequence[str]  # colours from dark to light, "#rrggbb"
Points = NDArray[np.floating]  # (n, 2), x and y

SIDE = 512  # of tiles of noise
GREY = np.array([0.299, 0.587, 0.114], np.float32)


# Noise


@cache
def fractal(falloff: float) -> Field:
    """A tile of noise of mean 0 and deviation 1, whose amplitudes fall with frequency to that power; 0 is white."""
    rng = np.random.default_rng(round(100 * falloff))
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) / frequency**falloff)
    return (field / field.std()).astype(np.float32)


@cache
def cells() -> tuple[Field, Field, Field]:
    """A tile of Voronoi cells, 16 pixels across: distance to their centres, to their borders, and a level of each."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(1)
    centres = (np.indices((32, 32)).reshape(2, -1).T + rng.uniform(0.1, 0.9, (1024, 2))) * 16 % SIDE
    distance, nearest = cKDTree(centres, boxsize=SIDE).query(np.indices((SIDE, SIDE)).reshape(2, -1).T, k=2)
    made = distance[:, 0] / 16, (distance[:, 1] - distance[:, 0]) / 16, rng.random(1024)[nearest[:, 0]]
    first, second, third = (field.reshape(SIDE, SIDE).astype(np.float32) for field in made)
    return first, second, third


def lookup(tile: Field, plane: Plane, unit: float = 16) -> Field:
    """A tile, repeated for ever, on a plane of which one unit is so many of its pixels; bilinear."""
    u, v = plane[0] * np.float32(unit), plane[1] * np.float32(unit)
    left, top = np.floor(u), np.floor(v)
    du, dv = u - left, v - top
    x, y = left.astype(np.int32) & (SIDE - 1), top.astype(np.int32) & (SIDE - 1)
    x1, y1 = (x + 1) & (SIDE - 1), ((y + 1) & (SIDE - 1)) * SIDE
    y *= SIDE
    flat = tile.ravel()
    above = flat[y + x] * (1 - du) + flat[y + x1] * du
    below = flat[y1 + x] * (1 - du) + flat[y1 + x1] * du
    return above * (1 - dv) + below * dv


def noise(rng: Generator, plane: Plane, falloff: float = 1.0, unit: float = 16, stretch: float = 1.0) -> Field:
    """Fractal noise somewhere else each time; `stretch` times as long down as across."""
    du, dv = rng.uniform(0, SIDE, 2) / unit
    return lookup(fractal(falloff), (plane[0] + np.float32(du), plane[1] / np.float32(stretch) + np.float32(dv)), unit)


def levels(rows: Field, columns: Field) -> Field:
    """A level in 0..1, for each pair of whole numbers another."""
    place = rows.astype(np.int64) * 7919 + columns.astype(np.int64) * 104729
    return np.random.default_rng(2).random(4096).astype(np.float32)[place & 4095]


# Planes


def facing(rng: Generator, shape: tuple[int, int], unit: float, angle: float = 0) -> Plane:
    """A plane parallel to the picture's, of which a unit is so many pixels."""
    y, x = np.indices(shape, np.float32) / np.float32(unit)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    du, dv = rng.uniform(0, 64, 2).astype(np.float32)
    return cos * x + sin * y + du, cos * y - sin * x + dv


def ground(rng: Generator, shape: tuple[int, int], horizon: float, unit: float, flatness: float = 0.3) -> Plane:
    """A plane that recedes to a horizon (row) from the lowest row, where a unit is so many pixels."""
    y, x = np.indices(shape, np.float32)
    near = max(shape[0] - horizon, 1)
    depth = near / np.maximum(y - horizon, near * np.float32(0.04))
    du, dv = rng.uniform(0, 64, 2).astype(np.float32)
    u = (x - shape[1] / 2) * depth / unit + du
    return u.astype(np.float32), (-depth * near / flatness / unit + dv).astype(np.float32)


def rows(shape: tuple[int, int]) -> Field:
    """Row numbers, (h, 1)."""
    return np.arange(shape[0], dtype=np.float32)[:, None]


# Colour


def colour(code: str) -> Colour:
    return np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)], np.float32)


def vary(rng: Generator, stops: Stops, amount: float = 1.0) -> Colour:
    """Colours of the same levels, somewhat paler or stronger and somewhat off in hue, all alike."""
    colours = np.stack([colour(code) for code in stops])
    grey = colours @ GREY
    off = rng.normal(0, 0.012 * amount, 3)
    chroma = (colours - grey[:, None]) * rng.lognormal(0, 0.2 * amount) + (off - off @ GREY)
    return (grey[:, None] + chroma).clip(0, 1).astype(np.float32)


def tint(field: Field, colours: Colour) -> Picture:
    """Levels in 0..1 as colours, of which the first stands for 0 and the last for 1."""
    at = np.linspace(0, 1, len(colours))
    table = np.stack([np.interp(np.linspace(0, 1, 256), at, channel) for channel in colours.T], 1).astype(np.float32)
    return table[(field * 255).clip(0, 255).astype(np.uint8)]


def blend(picture: Picture, other: Picture | Colour, mask: Field) -> None:
    """Lay a picture or a colour over another where the mask is, in place."""
    picture += mask[..., None] * (other - picture)


# Shapes


def silhouette(shape: tuple[int, int], *outlines: Points, holes: Sequence[Points] = ()) -> Field:
    """1 inside of polygons of pixels, else 0."""
    mask = Image.new("L", shape[::-1])
    draw = ImageDraw.Draw(mask)
    for points, level in [*((points, 1) for points in outlines), *((points, 0) for points in holes)]:
        draw.polygon([(float(x), float(y)) for x, y in points], fill=level)
    return np.asarray(mask).astype(np.float32)


def placed(points: Points, centre: tuple[float, float], radius: float, angle: float = 0) -> Points:
    """An outline of about -1..1, turned and enlarged about a place."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(turned * radius + centre)


def outline(*points: tuple[float, float]) -> Points:
    return np.array(points, np.float64)


def turned(*profile: tuple[float, float]) -> Points:
    """The outline of a body of revolution: half widths and heights, from above downwards."""
    right = outline(*profile)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def polar(radius: Callable[[Points], Points], points: int = 72) -> Points:
    """The outline at a radius that follows from the angle, which is 0 above."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.asarray(radius(turn)[:, None] * np.stack([np.sin(turn), -np.cos(turn)], 1))


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0, points: int = 40) -> Points:
    """Half widths and heights."""
    return placed(polar(np.ones_like, points) * (width, height), (x, y), 1, angle)


def blurred(field: Field, radius: float) -> Field:
    """Reduced and enlarged again."""
    height, width = field.shape
    small = max(2, round(width / radius)), max(2, round(height / radius))
    image = Image.fromarray(field).resize(small, Image.Resampling.HAMMING)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def solid(mask: Field, radius: float, light: tuple[float, float], strength: float = 0.5) -> Field:
    """How bright a body of that silhouette is, lit from a side: about 1; its rounding reaches `radius` inwards."""
    height = np.sqrt((2 * blurred(mask, radius) - 1).clip(0.02, 1)) * radius
    down, across = np.gradient(height)
    steep = np.sqrt(1 + down**2 + across**2)
    lit = (light[0] * across + light[1] * down) / steep + 0.35 / steep
    return (1 - strength / 3 + strength * lit).clip(0.25, 1.6).astype(np.float32)


def bounds(mask: Field | NDArray[np.bool_]) -> Box | None:
    """The smallest rectangle with all that is not 0."""
    down, across = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return (slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1)) if len(down) else None


def lay(picture: Picture, mask: Field, paint: Callable[[tuple[int, int]], Picture], light: Field | None = None) -> None:
    """Lay over a picture, where the mask is, what `paint` makes of a shape: no more than is wanted. In place."""
    if box := bounds(mask):
        part = mask[box]
        painted = paint((part.shape[0], part.shape[1]))
        blend(picture[box], painted if light is None else painted * light[box][..., None], part)


def shadow(picture: Picture, mask: Field, offset: tuple[float, float], radius: float, depth: float = 0.5) -> None:
    """Darken where a shape's shadow falls, in place."""
    moved = np.roll(mask, (round(offset[1]), round(offset[0])), (0, 1))
    picture *= 1 - depth * blurred(moved, radius).clip(0, 1)[..., None]


# The camera


def photograph(rng: Generator, picture: Picture) -> Image.Image:
    """The picture at half its size: lit unevenly, exposed and white-balanced not quite right, and with noise."""
    height, width = picture.shape[:2]
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    across, down = rng.normal(0, 0.07), rng.normal(0, 0.07)
    light = rng.lognormal(0, 0.12) * (1 + across * x + down * y - rng.uniform(0, 0.12) * (x**2 + y**2))
    balance = 1 + rng.normal(0, 0.03) * np.array([1, 0, -1]) + rng.normal(0, 0.01, 3)
    seen = (picture * light[..., None] * balance.astype(np.float32)).clip(0.002, 1) ** np.float32(rng.lognormal(0, 0.1))
    half = np.asarray(Image.fromarray((seen * 255).astype(np.uint8)).reduce(2)).astype(np.float32)
    size = half.shape[:2]
    grain = rng.standard_normal((*size, 1), np.float32) * rng.uniform(0.5, 4) + rng.standard_normal(
        (*size, 3), np.float32
    )
    return Image.fromarray((half + grain + 0.5).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()
