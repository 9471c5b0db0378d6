"""Streets as a driver sees them: what stands and moves on a road, drawn from far to near."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from _landscapes import Shape
from _materials import AUTUMN, BARK, DENIM, LEAVES, Material
from _painting import (
    Colour,
    Field,
    Picture,
    Points,
    bounds,
    colour,
    ellipse,
    facing,
    noise,
    outline,
    placed,
    shadow,
    silhouette,
    vary,
)
from _road import BICYCLIST, CAR, PEDESTRIAN, POLE, SIGN, TREE, VOID, Road, evenly
from _things import HAIR, SHIRT, SKIN

PAINTS = (
    ("#5c5e62", "#a4a7ab", "#cfd1d4"),
    ("#08090b", "#191b1f", "#34373c"),
    ("#34373b", "#6a6e73", "#94989d"),
    ("#34060a", "#8c1218", "#b43036"),
    ("#081430", "#183870", "#3c609c"),
)


class Spot:
    """A place on the road, x metres to the right and z ahead, where something is drawn.

    Outlines are in metres, to the right of it and below it, so that what is above the ground is below 0.
    """

    def __init__(self, road: Road, x: float, z: float):
        self.road, self.rng, self.x, self.z = road, road.rng, x, z
        self.scale = road.focal / z
        self.put = partial(placed, centre=road.at(x, 0, z), radius=self.scale)

    def mask(self, *outlines: Points, holes: Sequence[Points] = ()) -> Field:
        return silhouette(self.road.shape, *map(self.put, outlines), holes=[*map(self.put, holes)])

    def plain(self, kind: int, paint: str | Colour, *outlines: Points, holes: Sequence[Points] = ()) -> None:
        """Of one colour, a little lighter above than below."""
        colours = colour(paint) if isinstance(paint, str) else paint

        def shaded(part: Shape) -> Picture:
            return colours * np.linspace(1.08, 0.92, part[0], dtype=np.float32)[:, None, None] + np.zeros(
                (*part, 1), np.float32
            )

        self.road.put(self.mask(*outlines, holes=holes), shaded, kind, self.z)

    def of(self, kind: int, material: Material, unit: float, *outlines: Points) -> None:
        """Of a material whose unit is so many metres, all in one palette."""
        pixels = max(unit * self.scale, 2)
        self.road.put(
            self.mask(*outlines),
            lambda part: material.paint(self.rng, facing(self.rng, part, pixels), 0.6),
            kind,
            self.z,
        )

    def one_of(self, *codes: str) -> str:
        return str(self.rng.choice(codes))

    def shade(self, wide: float) -> None:
        """Darken the ground below."""
        shadow(self.road.picture, self.mask(ellipse(0, 0, wide, 0.18 * wide)), (0, 0), max(0.15 * wide * self.scale, 2))


def box(lower: float, bottom: float, upper: float, top: float) -> Points:
    """Half widths below and above."""
    return outline((-lower, bottom), (lower, bottom), (upper, top), (-upper, top))


def bar(x0: float, y0: float, x1: float, y1: float, thick: float = 0.035) -> Points:
    across = np.array([y0 - y1, x1 - x0]) / np.hypot(x1 - x0, y1 - y0) * thick
    ends = np.array([(x0, y0), (x1, y1)])
    return np.concatenate([ends + across, (ends - across)[::-1]])


def mirrored(*points: tuple[float, float]) -> list[Points]:
    return [outline(*points), outline(*points) * (-1, 1)]


def tree(spot: Spot) -> None:
    rng, road = spot.rng, spot.road
    tall, spread = rng.uniform(4, 8), rng.uniform(1.3, 2.6)
    leaf = AUTUMN if rng.random() < 0.15 else LEAVES
    spot.shade(spread * 0.7)
    spot.of(TREE, BARK, 0.16, box(0.16, 0, 0.08, -tall))
    reach, top = spread * spot.scale, road.at(spot.x, tall, spot.z)
    if around := bounds(spot.mask(ellipse(0, -tall, 1.2 * spread, 1.1 * spread))):
        across, down = (road.columns[around] - top[0]) / reach, (road.rows[around] - top[1]) / reach
        lumps = noise(rng, (across, down), 1.2, 24)
        crown, lit = np.zeros(road.shape, np.float32), np.ones(road.shape, np.float32)
        crown[around] = np.hypot(across, down * 1.1) + 0.16 * lumps < 0.9
        lit[around] = 1 - 0.35 * down + 0.1 * lumps
        road.put(crown, lambda part: leaf.paint(rng, facing(rng, part, max(reach / 9, 2.5))), TREE, spot.z, lit)


def post(spot: Spot, tall: float, thick: float = 0.06) -> None:
    wide = max(thick, 0.8 / spot.scale)
    spot.plain(POLE, spot.one_of("#3c4044", "#7c8084", "#2c4438"), box(wide, 0, wide, -tall))


def lamp(spot: Spot) -> None:
    tall, end = spot.rng.uniform(5, 7), -1.4 * np.sign(spot.x)
    post(spot, tall)
    spot.plain(POLE, "#54585c", outline((0, -tall), (end, -tall - 0.15), (end, -tall), (0, 0.15 - tall)))


def sign(spot: Spot) -> None:
    tall, size = spot.rng.uniform(2.2, 3.2), spot.rng.uniform(0.35, 0.55)
    post(spot, tall, 0.04)
    board, codes = [
        (ellipse(0, 0, 1, 1), ["#b01c20"]),
        (outline((0, -1), (0.95, 0.7), (-0.95, 0.7)), ["#b01c20"]),
        (box(0.8, 0.8, 0.8, -0.8), ["#1c4c94", "#1c6c3c"]),
    ][spot.rng.integers(3)]
    spot.plain(SIGN, spot.one_of(*codes), placed(board, (0, -tall), size))
    spot.plain(SIGN, "#ecece8", placed(board * 0.65, (0, -tall), size))


def traffic_lights(spot: Spot) -> None:
    post(spot, 3.4)
    spot.plain(SIGN, "#16181a", box(0.18, -2.5, 0.18, -3.5))
    up, code = [(3.3, "#f03020"), (2.7, "#30d080")][spot.rng.integers(2)]
    spot.plain(SIGN, code, ellipse(0, -up, 0.12, 0.12))


def car(spot: Spot) -> None:
    """From behind on our side of the road, from before on the other."""
    rng, road, x, z = spot.rng, spot.road, spot.x, spot.z
    wide, tall = rng.uniform(0.85, 0.98), rng.uniform(1.4, 1.8)
    dark, middle, light = vary(rng, PAINTS[rng.integers(len(PAINTS))], 0.7)
    spot.shade(1.1)
    spot.plain(CAR, "#101114", *mirrored((wide, 0), (wide - 0.22, 0), (wide - 0.22, -0.5), (wide, -0.5)))
    side = x - np.sign(x) * wide  # that is turned to the middle of the road
    pillar = x - np.sign(x) * 0.8 * wide
    roof = [(side, 0.95, 0.0), (pillar, tall - 0.1, 0.8), (pillar, tall - 0.1, 2.6), (side, 0.9, 4.0)]
    flank = [(side, 0.25, 0.0), (side, 0.95, 0.0), (side, 0.9, 4.0), (side, 0.25, 4.0)]
    for points, paint in ((roof, dark * np.float32(0.8)), (flank, middle * np.float32(0.75))):
        mask = silhouette(road.shape, outline(*(road.at(u, v, z + w) for u, v, w in points)))
        road.put(mask, partial(evenly, paint), CAR, z)
    spot.plain(CAR, light, box(wide * 0.95, -0.9, wide * 0.72, -tall))
    spot.plain(CAR, 0.6 * middle + 0.4 * light, box(wide, -0.25, wide * 0.98, -0.95))
    spot.plain(CAR, spot.one_of("#1c242c", "#3c4c58", "#6c7c88"), box(wide * 0.84, -0.98, wide * 0.66, 0.12 - tall))
    outer, inner = wide * 0.95, wide * 0.62
    lamps = mirrored((outer, -0.85), (inner, -0.85), (inner, -0.68), (outer, -0.68))
    spot.plain(CAR, "#d42018" if x < 0 else "#f4f2e4", *lamps)
    spot.plain(CAR, "#e4dca0", box(0.26, -0.42, 0.26, -0.56))
    spot.plain(CAR, "#24262a", box(wide, -0.25, wide, -0.36))


def person(spot: Spot, kind: int = PEDESTRIAN, up: float = 0.0) -> None:
    """Walking; or, of bicyclists, sitting so much higher."""
    rng = spot.rng
    size, step = rng.uniform(0.88, 1.05), rng.uniform(0.05, 0.28)
    if not up:
        spot.shade(0.4)

    def put(material: Material, unit: float, *outlines: Points) -> None:
        spot.of(kind, material.in_one_colour(rng), unit, *(placed(part, (0, -up), size) for part in outlines))

    put([DENIM, SHIRT][rng.integers(2)], 0.08, *mirrored((0.02, -0.9), (0.2, -0.9), (0.1 + step, -0.02), (step, -0.02)))
    arms = mirrored((0.2, -1.45), (0.27, -1.4), (0.3, -0.8), (0.22, -0.8))
    put(SHIRT, 0.08, box(0.2, -0.82, 0.24, -1.47), *arms)
    put(SKIN, 0.1, ellipse(0, -1.6, 0.1, 0.13))
    put(HAIR, 0.03, ellipse(0, -1.68, 0.115, 0.09))


def bicyclist(spot: Spot) -> None:
    """From the side."""
    spot.shade(0.8)
    for x in (-0.52, 0.52):
        spot.plain(BICYCLIST, "#18191b", ellipse(x, -0.34, 0.34, 0.34), holes=[ellipse(x, -0.34, 0.27, 0.27)])
    joints = {
        "back": (-0.52, -0.34),
        "seat": (-0.2, -0.84),
        "bars": (0.42, -0.84),
        "front": (0.52, -0.34),
        "feet": (0.0, -0.34),
    }
    tubes = ("back", "seat"), ("seat", "bars"), ("bars", "front"), ("seat", "feet"), ("feet", "bars")
    code = spot.one_of("#b01c20", "#1c4c94", "#2c2e30")
    spot.plain(BICYCLIST, code, *(bar(*joints[one], *joints[other]) for one, other in tubes))
    person(Spot(spot.road, spot.x - 0.08, spot.z), BICYCLIST, 0.22)


def dustbin(spot: Spot) -> None:
    """None of the classes."""
    spot.plain(VOID, spot.one_of("#2c5c34", "#3c3f44", "#8c5c24"), box(0.3, 0, 0.36, -1))


def street(rng: Generator, shape: Shape) -> tuple[Picture, NDArray[np.uint8]]:
    """A street at twice its size, and the class of every pixel (`_road`)."""
    road = Road(rng, shape)
    road.horizon()
    road.floor()
    built = rng.random(2) < 0.85
    for side, houses in zip((-1, 1), built, strict=True):
        if houses:
            road.houses(side)
        if rng.random() < 0.4:
            road.fence(side)
    kerb = road.half + 0.35 * (road.paved - road.half)
    kinds: list[tuple[Callable[[Spot], None], int, float, bool]] = [  # how many at most, how near, on the road or not
        (tree, 4, 8, False),
        (lamp, 3, 6, False),
        (sign, 3, 5, False),
        (traffic_lights, 2, 6, False),
        (car, 5, 7, True),
        (person, 4, 5, False),
        (bicyclist, 2, 6, True),
        (dustbin, 1, 5, False),
    ]
    spots = []
    for draw, most, nearest, on_road in kinds:
        for _ in range(rng.integers(0, most + 1)):
            away = road.half * rng.uniform(0.4, 0.75) if on_road else kerb + rng.uniform(-0.3, 0.5)
            z = rng.uniform(nearest, rng.choice([18, 45]))
            spots.append((z, draw, Spot(road, rng.choice([-1, 1]) * away, z)))
    for _, draw, spot in sorted(spots, key=lambda each: -each[0]):
        draw(spot)
    return road.picture, road.ids


def halved(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The class that has most of each pixel's four quarters."""
    quarters = np.stack([ids[y::2, x::2] for y in (0, 1) for x in (0, 1)])
    return np.stack([(quarters == kind).sum(0) for kind in range(VOID + 1)]).argmax(0).astype(np.uint8)
