"""Fruits on tables, people, animals and flowers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from _landscapes import Shape
from _materials import (
    COW,
    DENIM,
    DOTTED,
    FUR,
    GIRAFFE,
    GRASS,
    GREY_FUR,
    HAY,
    LEAVES,
    LEOPARD,
    PLAID,
    TIGER,
    WOOL,
    WOOLLEN,
    ZEBRA,
    Material,
    grain,
    grass,
    plain,
    seeds,
)
from _painting import (
    Field,
    Picture,
    Points,
    blend,
    colour,
    ellipse,
    facing,
    lay,
    outline,
    placed,
    polar,
    shadow,
    silhouette,
    turned,
    vary,
)
from _shapes import background, body, close, light_from, outdoors, table


@dataclass(frozen=True)
class Fruit:
    """How a fruit is shaped, its colours, its size, and the unit of its skin's pattern relative to its radius."""

    outline: Points
    material: Material
    size: float = 1.0
    skin: float = 0.2
    top: str = ""  # "stem" or "leaves"


FRUITS = {
    "apple": Fruit(
        polar(lambda t: 0.9 - 0.28 * np.exp(-6 * np.minimum(t, 2 * np.pi - t) ** 2) + 0.06 * np.sin(t) ** 2),
        plain(("#3a0508", "#a01a1c", "#d84038", "#f8b49c"), ("#2c3a08", "#7c9c1e", "#b4cc48", "#eef4b4")),
        top="stem",
    ),
    "orange": Fruit(
        ellipse(0, 0, 0.9, 0.87), Material(grain, (("#5c2604", "#d86c0c", "#f49428", "#fdd69c"),)), 0.95, 0.07
    ),
    "lemon": Fruit(
        polar(lambda t: 0.62 + 0.3 * np.abs(np.sin(t)) ** 3 + 0.12 * np.abs(np.sin(t)) ** 24),
        Material(grain, (("#5c4804", "#d4b010", "#f0d838", "#fdf6b8"),)),
        0.8,
        0.08,
    ),
    "lime": Fruit(
        ellipse(0, 0, 0.85, 0.7), Material(grain, (("#142c04", "#4c8418", "#80b03c", "#d0e8a0"),)), 0.65, 0.08
    ),
    "pear": Fruit(
        turned((0.15, -1), (0.32, -0.8), (0.38, -0.4), (0.62, 0), (0.72, 0.35), (0.6, 0.7), (0.3, 0.9)),
        plain(("#3c3c08", "#98983c", "#c8c45c", "#f2eeb8")),
        1.1,
        top="stem",
    ),
    "plum": Fruit(ellipse(0, 0, 0.72, 0.88), plain(("#12061c", "#3c1c50", "#644080", "#b8a4cc")), 0.65),
    "tomato": Fruit(
        polar(lambda t: 0.88 + 0.03 * np.cos(5 * t)) * (1, 0.82),
        plain(("#480804", "#c42414", "#e84c30", "#fcbca4")),
        0.9,
        top="leaves",
    ),
    "banana": Fruit(
        np.concatenate([ellipse(0, -0.4, 1, 1)[10:31], ellipse(0, -0.4, 1, 0.5)[30:9:-1]]),
        plain(("#4c3804", "#c89c14", "#f0d040", "#fcf0b0")),
        1.4,
    ),
    "strawberry": Fruit(
        polar(lambda t: 0.72 + 0.2 * np.cos(t - np.pi) ** 8 * (np.cos(t) < 0)),
        Material(seeds, (("#48040c", "#b81824", "#dc3c3c", "#f8d488"),)),
        0.7,
        0.25,
        "leaves",
    ),
    "aubergine": Fruit(
        polar(lambda t: 0.6 + 0.4 * np.cos(t) ** 2) * (0.8, 1),
        plain(("#08040c", "#20102c", "#402850", "#b0a0bc")),
        1.3,
    ),
    "carrot": Fruit(
        turned((0.1, -0.9), (0.3, -0.8), (0.26, -0.3), (0.12, 0.5), (0.01, 1)),
        Material(lambda rng, plane: grass(rng, (plane[1], plane[0])), (("#5c2004", "#d46414", "#ec8c38", "#f8c894"),)),
        1.2,
        top="leaves",
    ),
    "blueberry": Fruit(ellipse(0, 0, 0.8, 0.78), plain(("#080c1c", "#22305c", "#485c94", "#b0c0dc")), 0.4),
}
GREEN = ("#1c3408", "#4c7424", "#7ca844", "#c8dc98")


def fruits(rng: Generator, shape: Shape) -> Picture:
    """A few kinds of fruit on a table."""
    picture = table(rng, shape)
    side, light = min(shape), light_from(rng)
    kinds = rng.choice(list(FRUITS), rng.integers(1, 4), replace=False)
    count = rng.integers(1, 8)
    size = side * rng.uniform(0.2, 0.34) / count**0.35
    for y in np.sort(rng.uniform(0.4, 0.95, count)) * shape[0]:
        fruit = FRUITS[str(kinds[rng.integers(len(kinds))])]
        radius, angle = size * fruit.size * rng.uniform(0.85, 1.15), rng.normal(0, 0.5)
        centre = rng.uniform(0.1, 0.9) * shape[1], y - radius * 0.4
        mask = silhouette(shape, placed(fruit.outline, centre, radius, angle))
        shadow(picture, mask, (-light[0] * radius * 0.4, radius * 0.3), max(radius * 0.4, 3), 0.55)
        body(rng, picture, mask, fruit.material, radius * fruit.skin, light=light, radius=radius * 0.8, vividly=0.6)
        if fruit.top == "stem":
            stalk = placed(outline((-0.06, -0.95), (0.06, -0.98), (0.05, -0.5), (-0.05, -0.5)), centre, radius, angle)
            blend(picture, colour("#4c3820"), silhouette(shape, stalk))
        elif fruit.top == "leaves":
            leaf = placed(polar(lambda t: 0.2 + 0.2 * np.cos(5 * t) ** 2) - (0, 0.75), centre, radius, angle)
            body(rng, picture, silhouette(shape, leaf), plain(GREEN), radius / 4, light=light, radius=radius * 0.1)
        shine = placed(
            ellipse(0, 0, 0.16, 0.1), (centre[0] + light[0] * -0.35 * radius, centre[1] - 0.4 * radius), radius
        )
        blend(picture, colour("#fffdf8"), 0.5 * rng.random() * silhouette(shape, shine) * mask)
    return picture


SKIN = plain(
    ("#5a2c1c", "#c08468", "#e4b498", "#f8dcc8"),
    ("#4c2414", "#a8704c", "#d09c78", "#f0ccac"),
    ("#341808", "#805030", "#ac7850", "#d8ac88"),
    ("#1c0c06", "#4c2c1c", "#785038", "#b08868"),
)
HAIR = Material(
    grass,
    (
        ("#080605", "#1c1613", "#38302a", "#786c62"),
        ("#140a06", "#3c2416", "#64442e", "#a8846a"),
        ("#3c2a10", "#94743c", "#c4a468", "#ecd8a8"),
        ("#38383a", "#808082", "#b0b0b0", "#e4e4e2"),
        ("#2c0e04", "#743010", "#a85428", "#dca078"),
    ),
)
SHIRT = plain(
    ("#3c3e44", "#a8aab0", "#dcdee2", "#fafafa"),
    ("#08080a", "#1e1e22", "#38383e", "#84848c"),
    ("#0c1830", "#20406c", "#44689c", "#a8bcdc"),
    ("#380408", "#8c141c", "#b83c40", "#e8a8a8"),
    ("#0c2410", "#285434", "#507c5c", "#b0ccb4"),
)


def people(rng: Generator, shape: Shape) -> Picture:
    """Heads and shoulders of one or two."""
    height, width = shape
    picture = [outdoors, close, background][rng.integers(3)](rng, shape)
    count, light = 1 + (rng.random() < 0.25), light_from(rng)
    for number in range(count):
        radius = min(shape) * rng.uniform(0.17, 0.3) / count**0.5
        at = width * (number + 0.5 + rng.normal(0, 0.08)) / count, height * rng.uniform(0.3, 0.48)
        person(rng, picture, radius, light, partial(placed, centre=at, radius=radius, angle=rng.normal(0, 0.1)))
    return picture


def person(
    rng: Generator, picture: Picture, radius: float, light: tuple[float, float], put: Callable[[Points], Points]
) -> None:
    """Someone whose head is put where outlines about 0 are put."""
    shape = picture.shape[0], picture.shape[1]
    skin, hair, shade = SKIN.in_one_colour(rng), HAIR.in_one_colour(rng), partial(body, rng, picture, light=light)

    def mask(*points: Points, holes: Sequence[Points] = ()) -> Field:
        return silhouette(shape, *map(put, points), holes=[*map(put, holes)])

    if rng.random() < 0.5:  # long hair, behind the rest
        shade(mask(ellipse(0, 0.35, 1.05, 1.65)), hair, radius / 8, radius=radius * 0.4)
    neck = mask(outline((-0.4, 0.6), (0.4, 0.6), (0.5, 1.7), (-0.5, 1.7)))
    shade(neck, skin, radius / 3, radius=radius * 0.3, vividly=0.3)
    picture *= 1 - 0.25 * neck[..., None]
    trunk = turned((0, 1.75), (0.5, 1.35), (1.5, 1.7), (2.0, 2.4), (2.2, 6))
    cloth = [SHIRT, SHIRT, DENIM, PLAID, WOOLLEN, DOTTED][rng.integers(6)]
    shade(mask(trunk), cloth, radius / 6, radius=radius * 0.6)
    face = mask(polar(lambda t: 0.98 + 0.17 * np.cos(t) ** 2 - 0.2 * np.sin(t) ** 2))
    shade(face, skin, radius / 3, radius=radius * 0.8, vividly=0.3)
    if rng.random() < 0.9:
        upper = outline((-2, -2), (2, -2), (2, 0.2), (-2, 0.2))
        cap = mask(ellipse(0, 0, 1.2, 1.2), holes=[ellipse(0, 0.75, 1.05, 1.25)]) * mask(upper)
        shade(cap, hair, radius / 8, radius=radius * 0.3)
    dark = colour("#180c08")
    for x in (-1, 1):
        blend(picture, colour("#f0ece6"), 0.8 * mask(ellipse(x * 0.36, -0.05, 0.17, 0.1)))
        blend(picture, dark, mask(ellipse(x * 0.36, -0.05, 0.09, 0.1)))
        blend(picture, dark, 0.7 * mask(ellipse(x * 0.36, -0.27, 0.22, 0.05)))
        blend(picture, colour("#c83c30"), 0.12 * mask(ellipse(x * 0.5, 0.3, 0.22, 0.18)))
    blend(picture, colour("#000000"), 0.25 * mask(outline((0, 0.1), (0.13, 0.36), (-0.1, 0.36))))
    blend(picture, colour("#a82c30"), 0.65 * mask(ellipse(0, 0.62, rng.uniform(0.22, 0.36), rng.uniform(0.06, 0.12))))


@dataclass(frozen=True)
class Animal:
    """Its coat, where it stands, how long its legs and neck are relative to its body, and its size."""

    coat: Material
    floor: Material
    leg: float
    neck: float
    unit: float = 0.2


ANIMALS = (
    Animal(TIGER, GRASS, 0.6, 0.15, 0.22),
    Animal(LEOPARD, HAY, 0.6, 0.15, 0.16),
    Animal(ZEBRA, HAY, 0.85, 0.5, 0.25),
    Animal(GIRAFFE, HAY, 1.3, 1.6, 0.2),
    Animal(COW, GRASS, 0.7, 0.3, 0.5),
    Animal(WOOL, GRASS, 0.5, 0.2, 0.16),
    Animal(FUR, GRASS, 0.6, 0.3, 0.12),
    Animal(GREY_FUR, HAY, 0.7, 0.1, 0.12),
)


def animals(rng: Generator, shape: Shape) -> Picture:
    """Beasts from the side, on what they live on."""
    kind = ANIMALS[rng.integers(len(ANIMALS))]
    picture = outdoors(rng, shape, kind.floor)
    side, light, count = min(shape), light_from(rng), rng.integers(1, 4)
    for y in np.sort(rng.uniform(0.65, 0.95, count)) * shape[0]:
        size = side * rng.uniform(0.22, 0.34) / count**0.4 / (1 + 0.4 * kind.neck)
        ahead = float(rng.choice([-1, 1]))
        legs = [
            outline((x - 0.1, 0), (x + 0.1, 0), (x + 0.06 + step, kind.leg + 0.4), (x - 0.06 + step, kind.leg + 0.4))
            for x, step in zip((-0.72, -0.5, 0.5, 0.72), rng.normal(0, 0.08, 4), strict=True)
        ]
        head = 1.0 + 0.25 * kind.neck, -0.35 - kind.neck
        parts = [
            ellipse(0, 0, 0.95, 0.46),
            *legs,
            outline((0.55, -0.3), (head[0] - 0.2, head[1]), (head[0] + 0.1, head[1] + 0.1), (0.9, 0.15)),
            ellipse(head[0] + 0.1, head[1], 0.36, 0.23, 0.35),
            outline((head[0] - 0.15, head[1] - 0.1), (head[0] - 0.1, head[1] - 0.42), (head[0] + 0.05, head[1] - 0.15)),
            outline((-0.85, -0.25), (-1.2, 0.4), (-1.12, 0.42), (-0.8, -0.05)),
        ]
        centre = rng.uniform(0.2, 0.8) * shape[1], y - size * (kind.leg + 0.4)
        mask = silhouette(shape, *(placed(part * (ahead, 1), centre, size) for part in parts))
        shade = silhouette(shape, placed(ellipse(0, 0, 1.1, 0.16), (centre[0], y), size))
        shadow(picture, shade, (0, 0), max(size * 0.2, 3), 0.5)
        body(rng, picture, mask, kind.coat, size * kind.unit, light=light, radius=size * 0.35, vividly=0.6)
        eye = placed(ellipse((head[0] + 0.12) * ahead, head[1] - 0.06, 0.05, 0.05), centre, size)
        blend(picture, colour("#0c0806"), silhouette(shape, eye))
    return picture


@dataclass(frozen=True)
class Flower:
    """How many petals it has, how wide they are, its colours, and its heart's and how large that is."""

    petals: int
    wide: float
    petal: Material
    heart: Material
    inner: float


YELLOW = plain(("#7c5404", "#dca010", "#f8cc38", "#fcec9c"))
BLACK = plain(("#040404", "#140c0c", "#241c18", "#605850"))
FLOWERS = (
    Flower(13, 0.06, plain(("#7c7c80", "#d4d4d0", "#f4f4f0", "#ffffff")), YELLOW, 0.3),
    Flower(4, 0.4, plain(("#480406", "#c0181c", "#e83c34", "#f8a090")), BLACK, 0.25),
    Flower(17, 0.06, YELLOW, Material(seeds, (("#140a04", "#3c2210", "#644020", "#9c7448"),)), 0.45),
    Flower(5, 0.36, plain(("#181848", "#4444a0", "#7478cc", "#c4c8f0")), YELLOW, 0.15),
    Flower(6, 0.28, plain(("#5c1838", "#c4547c", "#e88cac", "#fcd8e4")), plain(GREEN), 0.18),
)


def flowers(rng: Generator, shape: Shape) -> Picture:
    """One kind of flower before leaves."""
    picture = [LEAVES, GRASS][rng.integers(2)].paint(rng, facing(rng, shape, shape[0] / rng.uniform(8, 20)))
    picture *= np.float32(rng.uniform(0.6, 0.95))
    kind = FLOWERS[rng.integers(len(FLOWERS))]
    light, count = light_from(rng), rng.integers(1, 16)
    size = min(shape) * rng.uniform(0.25, 0.42) / count**0.45
    flat, lean = rng.uniform(0.6, 1), rng.normal(0, 0.3)
    for y in np.sort(rng.uniform(0.1, 0.9, count)) * shape[0]:
        radius, angle = size * rng.uniform(0.8, 1.2), rng.uniform(0, 2 * np.pi)
        centre = rng.uniform(0.1, 0.9) * shape[1], y
        leaf = ellipse(0, -0.6, kind.wide, 0.42)
        around = [placed(leaf, (0, 0), 1, angle + turn * np.pi / kind.petals) for turn in range(0, 2 * kind.petals, 2)]
        stem = outline((-0.05, 0), (0.05, 0), (0.3, 4), (0.2, 4))
        blend(picture, vary(rng, GREEN)[1], silhouette(shape, placed(stem, centre, radius, lean)))
        lower, upper = (
            silhouette(shape, *(placed(petal * (1, flat), centre, radius, lean) for petal in around[k::2]))
            for k in (0, 1)
        )
        mask = np.maximum(lower, upper)
        shadow(picture, mask, (-light[0] * radius * 0.2, radius * 0.25), max(radius * 0.3, 3), 0.4)
        petals = partial(_petals, rng, kind.petal, radius / 3)
        lay(picture, mask, petals, 0.82 + 0.18 * upper)
        disc = silhouette(shape, placed(ellipse(0, 0, kind.inner, kind.inner * flat), centre, radius, lean))
        body(rng, picture, disc, kind.heart, radius * 0.12, light=light, radius=radius * kind.inner * 0.6, vividly=0.5)
    return picture


def _petals(rng: Generator, material: Material, unit: float, shape: Shape) -> Picture:
    return material.paint(rng, facing(rng, shape, unit), 0.6)
