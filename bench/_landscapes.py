"""Skies, houses' fronts, and landscapes: mountains, glaciers, seas, forests, buildings."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from _materials import (
    ASPHALT,
    AUTUMN,
    BARK,
    BRICKS,
    COBBLES,
    CONCRETE,
    GRASS,
    HAY,
    ICE,
    LEAVES,
    PLASTER,
    ROCK,
    SAND,
    WATER,
    Material,
)
from _painting import (
    Colour,
    Field,
    Picture,
    Plane,
    blend,
    bounds,
    colour,
    ellipse,
    facing,
    ground,
    lay,
    levels,
    noise,
    placed,
    rows,
    silhouette,
    tint,
    vary,
)

Shape = tuple[int, int]
SNOW = Material(
    lambda rng, plane: 0.75 + 0.12 * noise(rng, plane, 1.4), (("#5a7490", "#a8bccf", "#e4ecf2", "#fbfcfc"),)
)
CRAG = Material(
    lambda rng, plane: 0.6 + 0.2 * noise(rng, plane, 1.2, 24, 2), (("#123c5a", "#4a90b4", "#a4d2e4", "#f4fbfd"),)
)


class Sky(NamedTuple):
    """A sky, and what it does to the land: the light on it, and the haze before what is far away."""

    picture: Picture
    light: Colour
    haze: Colour

    def far(self, picture: Picture, share: float) -> Picture:
        """How something looks through so much of the haze."""
        return picture * (1 - np.float32(share)) + self.haze * np.float32(share)


_SKIES = {  # from the zenith down; clouds, from dark to light; light on the land
    "clear": (("#2a5f9e", "#5c92c6", "#a9cbe4", "#d3e3ee"), ("#c8d2dc", "#ffffff"), "#ffffff"),
    "clouded": (("#3a6ca8", "#6c9ccb", "#a4c6e0", "#ccdde8"), ("#8c96a2", "#ffffff"), "#f4f4f2"),
    "overcast": (("#9ea3a8", "#b0b4b7", "#c4c7c9", "#d8dadb"), ("#7c8288", "#d0d3d5"), "#cdd0d2"),
    "sunset": (("#2c3a64", "#7a6484", "#d98a5c", "#f6cd86"), ("#5a4658", "#f6b884"), "#8c6c5c"),
}


def sky(rng: Generator, shape: Shape, horizon: float, kinds: tuple[float, ...] = (0.35, 0.4, 0.15, 0.1)) -> Sky:
    """Above a row; `kinds`: how likely it is to be clear, clouded, overcast, or sunset."""
    kind = rng.choice(list(_SKIES), p=kinds)
    air, cloud, light = _SKIES[kind]
    down = (rows(shape) / max(horizon, 1)).clip(0, 1) ** np.float32(0.8)
    picture = np.ascontiguousarray(np.broadcast_to(tint(down, vary(rng, air, 0.7)), (*shape, 3)))
    if kind != "clear" or rng.random() < 0.4:
        plane = facing(rng, shape, max(horizon, 30) / rng.uniform(0.6, 2))
        billows = noise(rng, (plane[0], plane[1]), 1.5, 32, rng.uniform(0.3, 0.8))
        cover = rng.uniform(0.6, 1.6) if kind == "clear" else rng.uniform(-0.6, 0.7)
        density = ((billows - cover) * np.float32(0.9)).clip(0, 1) * (0.9 if kind != "clear" else 0.6)
        lit = 0.8 - 0.35 * density + 0.15 * noise(rng, plane, 1.3, 48)
        blend(picture, tint(lit, vary(rng, cloud, 0.4)), density)
    return Sky(picture, colour(light), picture[min(int(max(horizon, 1)) - 1, shape[0] - 1)].mean(0))


def below(shape: Shape, line: Field | float) -> Field:
    """1 below a line that is given by column, or below a row."""
    return np.broadcast_to((rows(shape) - line).clip(0, 1), shape)


def ridge(rng: Generator, shape: Shape, base: float, height: float, sharp: float) -> Field:
    """A skyline by column: rows, of which the highest are about `height` above `base`."""
    u = np.arange(shape[1], dtype=np.float32)[None] / shape[0]
    line = noise(rng, (u, np.zeros_like(u)), 1.5, 24)
    fine = noise(rng, (u, np.zeros_like(u)), 1.2, 90)
    peaks = sharp * (1 - np.abs(line)) + (1 - sharp) * (0.4 + 0.4 * line) + 0.05 * fine
    return (base - height * peaks.clip(-0.2, 1.2))[0]


def facade(rng: Generator, plane: Plane, wall: Material | None = None, glass: float = 0.0) -> Picture:
    """A house's front: one unit is a window's share of the wall, down and across."""
    wall = wall or [BRICKS, PLASTER, PLASTER, CONCRETE][rng.integers(4)]
    picture = wall.paint(rng, (plane[0] * 8, plane[1] * 10) if wall is BRICKS else plane)
    column, row = np.floor(plane[0]), np.floor(plane[1])
    across, down = np.abs(plane[0] - column - 0.5), np.abs(plane[1] - row - 0.5)
    half = (0.47, 0.42) if glass else (rng.uniform(0.16, 0.34), rng.uniform(0.22, 0.36))
    frame = rng.uniform(0.03, 0.06)
    white = colour("#e8e6e0") if rng.random() < 0.6 else colour("#3c342e")
    blend(picture, white, ((across < half[0] + frame) & (down < half[1] + frame)).astype(np.float32))
    panes = tint(
        0.5 * levels(row, column) + 0.25 + 0.3 * (plane[1] - row - 0.5),
        vary(rng, ("#0e1216", "#2c3a46", "#5c7286", "#a8bccc"), 0.5),
    )
    blend(picture, panes, ((across < half[0]) & (down < half[1])).astype(np.float32))
    if not glass:
        bar = (across < 0.02) | (np.abs(down) < 0.02)
        blend(picture, white, (bar & (across < half[0]) & (down < half[1])).astype(np.float32))
    return picture


def mountains(rng: Generator, shape: Shape) -> Picture:
    height, _ = shape
    horizon = height * rng.uniform(0.5, 0.8)
    above = sky(rng, shape, horizon)
    picture = above.picture
    count, snowy = rng.integers(2, 4), rng.random() < 0.6
    for number in range(count):
        near = (number + 1) / count
        base = horizon + (number - count + 1) * height * 0.07
        line = ridge(rng, shape, base, height * rng.uniform(0.35, 0.6) * (1.1 - 0.5 * near), 0.9 - 0.5 * (near == 1))
        plane = facing(rng, shape, height / 12, rng.choice([-0.5, 0.5]))
        if near == 1 and rng.random() < 0.5:
            land = (LEAVES if rng.random() < 0.85 else AUTUMN).paint(rng, (plane[0] * 2, plane[1] * 3)) * 0.75
        else:
            land = ROCK.paint(rng, plane)
            if snowy:
                snow = SNOW.paint(rng, plane)
                level = rng.uniform(0.12, 0.3) * height + line.min()
                cap = (level - rows(shape)) / (0.05 * height) + noise(rng, plane, 1.1, 12)
                blend(land, snow, cap.clip(0, 1))
        slope = 1 + 0.22 * noise(rng, plane, 1.5, 10, 1.5).clip(-2, 1.5)
        blend(picture, above.far(land * slope[..., None] * above.light, 0.6 * (1 - near)), below(shape, line))
    lower = horizon + height * rng.uniform(-0.02, 0.08)
    kind = rng.choice(["meadow", "lake", "hay"], p=[0.5, 0.3, 0.2])
    material = {"meadow": GRASS, "lake": WATER, "hay": HAY}[kind]
    front = material.paint(rng, ground(rng, shape, lower, height / 10)) * above.light
    if kind == "lake":
        mirror = picture[(2 * int(lower) - np.arange(height)).clip(0, height - 1)]
        front = 0.45 * front + 0.5 * mirror
    blend(picture, front, below(shape, lower))
    return picture


def glacier(rng: Generator, shape: Shape) -> Picture:
    height, width = shape
    horizon = height * rng.uniform(0.35, 0.6)
    above = sky(rng, shape, horizon, (0.35, 0.35, 0.27, 0.03))
    picture = above.picture
    for near in (0.4, 1.0):
        line = ridge(rng, shape, horizon + 2, height * rng.uniform(0.15, 0.35), 0.8)
        plane = facing(rng, shape, height / 12, rng.choice([-0.6, 0.6]))
        land = ROCK.paint(rng, plane) * 0.8
        blend(land, SNOW.paint(rng, plane), (0.3 + noise(rng, plane, 1.2, 10)).clip(0, 1))
        blend(picture, above.far(land * above.light, 0.5 * (1 - near)), below(shape, line))
    floor = rows(shape) > horizon
    kind = rng.choice(["tongue", "front", "floes"])
    if kind == "tongue":
        plane = ground(rng, shape, horizon, height / rng.uniform(4, 9), 0.4)
        ice = (ICE if rng.random() < 0.6 else SNOW).paint(rng, plane)
        ice *= (1 + 0.1 * noise(rng, plane, 1.4, 6))[..., None]
        blend(picture, ice * above.light, np.broadcast_to(floor.astype(np.float32), shape))
        return picture
    water = WATER.paint(rng, ground(rng, shape, horizon, height / 8)) * above.light
    blend(picture, water, np.broadcast_to(floor.astype(np.float32), shape))
    if kind == "front":
        foot = horizon + height * rng.uniform(0.15, 0.4)
        wall = CRAG.paint(rng, facing(rng, shape, height / 10)) * above.light
        top = ridge(rng, shape, horizon, height * 0.1, 0.3)
        blend(picture, wall, below(shape, top) * (rows(shape) < foot))
        return picture
    for y in np.sort(rng.uniform(horizon + 4, height, rng.integers(5, 14))):
        size = (y - horizon) / (height - horizon) * width * rng.uniform(0.08, 0.25) + 3
        points = ellipse(0, 0, 1, rng.uniform(0.2, 0.5), points=11) * rng.uniform(0.6, 1.2, (11, 1))
        mask = silhouette(shape, placed(points, (rng.uniform(0, width), y), size))
        lay(picture, mask, lambda part: CRAG.paint(rng, facing(rng, part, height / 12)) * above.light)
    return picture


def sea(rng: Generator, shape: Shape) -> Picture:
    height, width = shape
    horizon = height * rng.uniform(0.25, 0.6)
    above = sky(rng, shape, horizon, (0.35, 0.35, 0.12, 0.18))
    picture = above.picture
    if rng.random() < 0.4:  # a coast far away
        line = ridge(rng, shape, horizon + 1, height * rng.uniform(0.03, 0.15), 0.4)
        land = (LEAVES if rng.random() < 0.5 else ROCK).paint(rng, facing(rng, shape, height / 24)) * above.light
        side = np.arange(width) < width * rng.uniform(0.2, 0.8)
        blend(picture, above.far(land * 0.8, 0.35), below(shape, line) * (side if rng.random() < 0.5 else ~side))
    plane = ground(rng, shape, horizon, height / rng.uniform(5, 10), 0.25)
    water = WATER.paint(rng, plane) * above.light
    depth = ((rows(shape) - horizon) / (height - horizon)).clip(0, 1)[..., None]
    water = water * (0.55 + 0.45 * depth) + above.haze * (0.45 - 0.45 * depth)
    blend(picture, water, below(shape, horizon))
    front = rng.choice(["none", "beach", "rocks"], p=[0.45, 0.35, 0.2])
    if front == "beach":
        slope = np.linspace(-0.5, 0.5, width, dtype=np.float32) * rng.uniform(-0.4, 0.4) * height
        line = ridge(rng, shape, height * rng.uniform(0.6, 0.85), height * 0.04, 0) + slope
        foam = np.exp(-np.abs(rows(shape) - line + 3) / 4) * (noise(rng, plane, 0.8, 20) + 1).clip(0, 1)
        blend(picture, SAND.paint(rng, ground(rng, shape, horizon, height / 14)) * above.light, below(shape, line))
        blend(picture, above.light, foam.astype(np.float32))
    elif front == "rocks":
        line = ridge(rng, shape, height * rng.uniform(0.85, 1.1), height * 0.3, 0.7)
        blend(picture, ROCK.paint(rng, facing(rng, shape, height / 7)) * above.light * 0.8, below(shape, line))
    elif rng.random() < 0.5:
        boat(rng, picture, horizon, above.light)
    return picture


def boat(rng: Generator, picture: Picture, horizon: float, light: Colour) -> None:
    shape = picture.shape[:2]
    size = shape[0] * rng.uniform(0.06, 0.16)
    at = rng.uniform(0.15, 0.85) * shape[1], horizon + size * rng.uniform(0.1, 0.9)
    hull = silhouette(shape, placed(np.array([(-1, 0), (1, 0), (0.7, 0.35), (-0.7, 0.35)]), at, size))
    sails = [[(0.05, -1.9), (0.05, -0.1), (0.85, -0.1)], [(-0.05, -1.7), (-0.05, -0.1), (-0.7, -0.1)]]
    sail = silhouette(shape, *(placed(np.array(points), at, size) for points in sails))
    blend(picture, colour(str(rng.choice(["#7a2c1e", "#20344c", "#e4e0d8"]))) * light, hull)
    blend(picture, colour("#f2efe6") * light, sail)


def forests(rng: Generator, shape: Shape) -> Picture:
    height, width = shape
    kind = rng.choice(["broad", "conifers", "autumn", "birches"], p=[0.4, 0.25, 0.2, 0.15])
    crown = AUTUMN if kind == "autumn" else LEAVES
    horizon = height * rng.uniform(0.45, 0.75)
    plane = facing(rng, shape, height / rng.uniform(14, 30))
    light = rng.uniform(0.5, 1.1) + 0.25 * noise(rng, plane, 1.6, 4)
    picture = crown.paint(rng, plane) * light.clip(0.2, 1.5)[..., None]
    gap = rng.uniform(0.4, 1.8)  # where the sky shows between leaves
    shining = (noise(rng, plane, 1.3, 20) - gap - 1.5 * (rows(shape) / horizon - 0.6)).clip(0, 1)
    blend(picture, colour("#dfe8ea"), shining)
    floor = [GRASS, AUTUMN, LEAVES, HAY][
        rng.choice(4, p=[0.4, 0.1, 0.3, 0.2] if kind != "autumn" else [0.1, 0.8, 0, 0.1])
    ]
    sunny = noise(rng, ground(rng, shape, horizon, height / 3), 1.4)
    soil = floor.paint(rng, ground(rng, shape, horizon, height / 14)) * (0.75 + 0.25 * sunny)[..., None].clip(0.3, 1.2)
    blend(picture, soil, np.broadcast_to(((rows(shape) - horizon) / 4).clip(0, 1), shape))
    if kind == "conifers" and rng.random() < 0.6:
        for base in np.sort(rng.uniform(horizon, height * 1.1, rng.integers(6, 16))):
            fir(rng, picture, (rng.uniform(0, width), base), base * rng.uniform(0.5, 0.95))
        return picture
    for near in np.sort(rng.uniform(0.05, 1, rng.integers(7, 22))):
        thick, base = width * 0.07 * near * rng.uniform(0.6, 1.4) + 1, horizon + (height - horizon) * near * 1.05
        x, lean = rng.uniform(0, width), rng.normal(0, 0.06) * height
        trunk = np.array(
            [(x + lean - thick * 0.6, -2), (x + lean + thick * 0.6, -2), (x + thick, base), (x - thick, base)]
        )
        mask = silhouette(shape, trunk)
        birch, lit = kind == "birches", rng.choice([-0.45, 0.45])
        lay(picture, mask, partial(_stem, rng, thick, birch, lit, 0.55 + 0.3 * near))
    leaf = facing(rng, shape, height / 12)
    hanging = (noise(rng, leaf, 1.2, 12) - 0.4 - 4 * (rows(shape) / height - rng.uniform(0, 0.35))).clip(0, 0.25) * 4
    blend(picture, crown.paint(rng, leaf), hanging)
    return picture


def _stem(rng: Generator, thick: float, birch: bool, lit: float, light: float, shape: Shape) -> Picture:
    picture = BARK.paint(rng, facing(rng, shape, max(thick, 3)))
    if birch:
        picture = picture * 0.25 + colour("#b8b4a8")
        marks = noise(rng, facing(rng, shape, max(thick, 3)), 0.8, 16, 0.3) > 1.1
        blend(picture, colour("#2a2622"), marks.astype(np.float32))
    across = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :, None]
    return picture * (1 - lit * across) * light + 0.02


def fir(rng: Generator, picture: Picture, foot: tuple[float, float], tall: float) -> None:
    shape = picture.shape[:2]
    down = np.linspace(0, 1, 26)
    half = down * 0.32 * (0.7 + 0.3 * (np.arange(26) % 2)) * rng.uniform(0.7, 1.1)
    outline = np.concatenate([np.stack([half, down], 1), np.stack([-half, down], 1)[::-1]])
    mask = silhouette(shape, outline * tall + (foot[0], foot[1] - tall))

    def needles(part: Shape) -> Picture:
        side = np.linspace(1, 0.4, part[1], dtype=np.float32)[None, :, None]
        return LEAVES.paint(rng, facing(rng, part, max(tall / 22, 2))) * side

    lay(picture, mask, needles)


def buildings(rng: Generator, shape: Shape) -> Picture:
    height = shape[0]
    above = sky(rng, shape, height, (0.35, 0.35, 0.22, 0.08))
    picture = above.picture
    if rng.random() < 0.4:
        line = ridge(rng, shape, height * 0.9, height * 0.3, 0)
        blend(picture, LEAVES.paint(rng, facing(rng, shape, height / 20)) * above.light * 0.8, below(shape, line))
    for number in range(rng.integers(1, 4)):
        block(rng, above, 0.0 if number else 0.2)
    if rng.random() < 0.5:
        foot = height * rng.uniform(0.85, 0.97)
        paving = [GRASS, ASPHALT, COBBLES][rng.integers(3)]
        front = paving.paint(rng, ground(rng, shape, foot - height * 0.1, height / 10)) * above.light
        blend(picture, front, below(shape, foot))
    return picture


def block(rng: Generator, above: Sky, haze: float) -> None:
    """A building's two fronts before a sky, in place; its uprights come together above."""
    height, width = above.picture.shape[:2]
    y, x = np.indices((height, width), np.float32)
    spread = 1 + rng.uniform(0, 0.35) * (1 - y / height)
    u, v = (x - width / 2) * spread, (y - height) * spread
    long, corner = width * rng.uniform(0.4, 1.0), width * rng.uniform(-0.1, 0.6)
    tall, bay = height * rng.uniform(0.5, 1.1), height / rng.uniform(4, 9)
    shade, glass, same = rng.uniform(0.7, 1.05), float(rng.random() < 0.25), rng.integers(2**32)
    for begin, end, slope, narrow, lit in (
        (corner - long, corner, rng.uniform(-0.3, 0.1), rng.uniform(0.8, 1.4), shade),
        (corner, corner + 0.4 * width, rng.uniform(0.2, 0.5), 1.8, shade * 0.65),
    ):
        down = v - slope * (u - corner)
        mask = (u > begin) & (u < end) & (down > -tall)
        if box := bounds(mask):
            front = facade(np.random.default_rng(same), (u[box] / bay * narrow, down[box] / bay), glass=glass)
            blend(above.picture[box], above.far(front * above.light * lit, haze), mask[box].astype(np.float32))


LANDSCAPES: dict[str, Callable[[Generator, Shape], Picture]] = {
    "buildings": buildings,
    "forests": forests,
    "glacier": glacier,
    "mountains": mountains,
    "sea": sea,
}
