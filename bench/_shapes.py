"""Things of any shape and material, and backgrounds for them."""

import numpy as np
from numpy.random import Generator

from _landscapes import Shape, below, sky
from _materials import (
    AUTUMN,
    BRICKS,
    COBBLES,
    CONCRETE,
    DENIM,
    DOTTED,
    FISH,
    GRASS,
    GREY_FUR,
    HAY,
    LEAVES,
    LEOPARD,
    MARBLE,
    PLAID,
    PLANKS,
    PLASTER,
    SAND,
    TIGER,
    WALLPAPER,
    WATER,
    WICKER,
    WOOLLEN,
    Material,
)
from _painting import (
    Field,
    Picture,
    Points,
    blend,
    ellipse,
    facing,
    ground,
    lay,
    outline,
    placed,
    polar,
    shadow,
    silhouette,
    solid,
    turned,
)

Outlines = tuple[list[Points], list[Points]]  # and holes


def _heart(turn: Points) -> Points:
    down = -0.8 * np.cos(turn) + 0.3 * np.cos(2 * turn) + 0.12 * np.cos(3 * turn)
    return np.stack([0.95 * np.sin(turn) ** 3, down], 1)


SHAPES: dict[str, Outlines] = {  # within -1..1
    "bell": ([turned((0.1, -0.9), (0.35, -0.75), (0.5, 0.1), (0.85, 0.6)), ellipse(0, 0.65, 0.2, 0.2)], []),
    "bottle": ([turned((0.17, -1), (0.17, -0.4), (0.42, -0.1), (0.42, 0.95))], []),
    "box": ([outline((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))], []),
    "butterfly": (
        [ellipse(s * 0.5, y, 0.5, h, s * t) for s in (-1, 1) for y, h, t in ((-0.4, 0.35, -0.6), (0.4, 0.28, 0.5))]
        + [ellipse(0, 0, 0.1, 0.7)],
        [],
    ),
    "crescent": ([ellipse(0, 0, 0.95, 0.95)], [ellipse(0.42, -0.1, 0.8, 0.8)]),
    "cross": ([outline((-0.9, -0.3), (0.9, -0.3), (0.9, 0.3), (-0.9, 0.3)), turned((0.3, -0.9), (0.3, 0.9))], []),
    "cup": (
        [outline((-0.8, -0.7), (0.4, -0.7), (0.35, 0.7), (-0.75, 0.7)), ellipse(0.45, -0.05, 0.45, 0.42)],
        [ellipse(0.55, -0.05, 0.22, 0.22)],
    ),
    "disc": ([ellipse(0, 0, 0.9, 0.9)], []),
    "drop": ([polar(lambda t: 0.55 + 0.45 * (np.abs(t - np.pi) / np.pi) ** 5)], []),
    "fir": (
        [turned((0, -1), (0.4, -0.4), (0.2, -0.4), (0.6, 0.1), (0.3, 0.1), (0.8, 0.7), (0.15, 0.7), (0.15, 1))],
        [],
    ),
    "fish": ([ellipse(-0.2, 0, 0.75, 0.4), outline((0.3, 0), (0.95, -0.45), (0.95, 0.45))], []),
    "goblet": ([turned((0.55, -0.9), (0.5, -0.3), (0.12, 0), (0.1, 0.7), (0.5, 0.9))], []),
    "heart": ([_heart(np.linspace(0, 2 * np.pi, 60))], []),
    "house": ([outline((-0.7, 0.9), (-0.7, -0.1), (-0.9, -0.1), (0, -0.9), (0.9, -0.1), (0.7, -0.1), (0.7, 0.9))], []),
    "key": (
        [
            ellipse(-0.55, 0, 0.42, 0.42),
            outline((-0.3, -0.12), (0.95, -0.12), (0.95, 0.45), (0.72, 0.45), (0.72, 0.12), (-0.3, 0.12)),
        ],
        [ellipse(-0.55, 0, 0.2, 0.2)],
    ),
    "mushroom": ([polar(lambda t: np.where(np.cos(t) > -0.25, 0.9, 0.3)), turned((0.22, 0), (0.3, 0.95))], []),
    "ring": ([ellipse(0, 0, 0.92, 0.92)], [ellipse(0, 0, 0.5, 0.5)]),
    "star": ([polar(lambda t: np.where(np.arange(len(t)) % 2, 0.42, 1.0), 10)], []),
    "triangle": ([outline((0, -0.85), (0.9, 0.75), (-0.9, 0.75))], []),
    "vase": ([turned((0.4, -0.95), (0.2, -0.65), (0.6, -0.05), (0.55, 0.4), (0.3, 0.95))], []),
}
MATERIALS = {
    "brick": BRICKS,
    "denim": DENIM,
    "foliage": LEAVES,
    "knitting": WOOLLEN,
    "leopard": LEOPARD,
    "marble": MARBLE,
    "scales": FISH,
    "tiger": TIGER,
    "wicker": WICKER,
    "wood": PLANKS,
}


# Backgrounds


def table(rng: Generator, shape: Shape) -> Picture:
    """A table before a wall."""
    height = shape[0]
    edge = height * rng.uniform(0.2, 0.5)
    wall = [WALLPAPER, WALLPAPER, PLASTER, BRICKS][rng.integers(4)]
    picture = wall.paint(rng, facing(rng, shape, height / rng.uniform(8, 14)))
    top = [PLANKS, PLANKS, MARBLE, PLAID, CONCRETE][rng.integers(5)]
    board = top.paint(rng, ground(rng, shape, edge - height * 0.3, height / 7, 0.6))
    blend(picture, board, below(shape, edge))
    return picture


def outdoors(rng: Generator, shape: Shape, floor: Material | None = None) -> Picture:
    """A sky, perhaps bushes, and a floor."""
    height, width = shape
    horizon = height * rng.uniform(0.15, 0.55)
    above = sky(rng, shape, horizon, (0.4, 0.4, 0.15, 0.05))
    floor = floor or [GRASS, GRASS, HAY, SAND, WATER, COBBLES][rng.integers(6)]
    picture = above.picture
    if rng.random() < 0.6:
        bushes = placed(ellipse(0, 0, 1, 0.4), (width * rng.uniform(0, 1), horizon), width * rng.uniform(0.3, 0.9))
        lay(picture, silhouette(shape, bushes), lambda part: LEAVES.paint(rng, facing(rng, part, height / 22)) * 0.85)
    land = floor.paint(rng, ground(rng, shape, horizon - height * 0.05, height / 9)) * above.light
    blend(picture, land, below(shape, horizon))
    return picture


def close(rng: Generator, shape: Shape) -> Picture:
    """One material, upright or lying, and nothing else."""
    every = [BRICKS, LEAVES, AUTUMN, GRASS, PLANKS, PLASTER, SAND, COBBLES, WATER, DENIM, PLAID, DOTTED, WICKER, MARBLE]
    unit = shape[0] / rng.uniform(5, 14)
    return every[rng.integers(len(every))].paint(rng, facing(rng, shape, unit, rng.normal(0, 0.15)))


def background(rng: Generator, shape: Shape) -> Picture:
    return [table, outdoors, close][rng.integers(3)](rng, shape)


# Things


def light_from(rng: Generator) -> tuple[float, float]:
    return float(rng.choice([-0.8, 0.8])), 0.8


def body(
    rng: Generator,
    picture: Picture,
    mask: Field,
    material: Material,
    unit: float,
    *,
    light: tuple[float, float],
    radius: float,
    vividly: float = 1,
    angle: float = 0,
) -> None:
    """Paint something solid, in place; its rounding reaches `radius` pixels inwards."""
    lit = solid(mask, max(radius, 3), light)
    lay(picture, mask, lambda part: material.paint(rng, facing(rng, part, unit, angle), vividly), lit)


def shape_of(rng: Generator, shape: Shape, kind: str, material: str) -> Picture:
    """A thing of that shape and material, anywhere before anything."""
    picture = background(rng, shape)
    side = min(shape)
    radius = side * rng.uniform(0.27, 0.46)
    y, x = (length / 2 + rng.normal(0, 0.2) * (length / 2 - radius * 0.8) for length in shape)
    squeeze = np.array([rng.choice([-1, 1]) * rng.uniform(0.75, 1), rng.uniform(0.8, 1)])
    turn = rng.normal(0, 0.3)
    drawn, holes = ([placed(points * squeeze, (x, y), radius, turn) for points in part] for part in SHAPES[kind])
    mask, light = silhouette(shape, *drawn, holes=holes), light_from(rng)
    shadow(picture, mask, (-light[0] * radius * 0.25, radius * 0.2), radius * 0.35)
    unit = radius / rng.uniform(2.2, 4.5)
    body(
        rng, picture, mask, MATERIALS[material], unit, light=light, radius=radius * 0.4, angle=turn + rng.normal(0, 0.2)
    )
    if rng.random() < 0.25:  # something before it
        centre = rng.uniform(0, shape[1]), shape[0] * rng.uniform(0.9, 1.1)
        bush = silhouette(shape, placed(ellipse(0, 0, 1, 0.8, points=9), centre, radius * rng.uniform(0.4, 0.8)))
        lay(picture, bush, lambda part: [LEAVES, GREY_FUR][rng.integers(2)].paint(rng, facing(rng, part, unit)))
    return picture
