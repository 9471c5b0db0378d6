"""The ground, the houses and the fences of a street as a driver sees it, with the class of every pixel.

The camera stands above the road and looks along it. A point x metres to the right, y above the road and z ahead is at
column `vanishing[0] + focal x / z` and row `vanishing[1] + focal (eye - y) / z`; so each pixel of the road, and of the
house fronts beside it, knows how far away it is.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from _landscapes import Shape, Sky, facade, sky
from _materials import (
    ASPHALT,
    COBBLES,
    CONCRETE,
    GRASS,
    LEAVES,
    PLANKS,
    ROOF,
    Material,
)
from _painting import (
    Box,
    Colour,
    Field,
    Picture,
    blend,
    bounds,
    colour,
    facing,
    lay,
    noise,
    silhouette,
)

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, VOID = range(12)
FAR = 80.0  # metres


class Road:
    """A picture in the making.

    Attributes:
        picture: (h, w, 3), twice as large as the photograph will be.
        ids: the class of every pixel, (h, w).
    """

    def __init__(self, rng: Generator, shape: Shape):
        self.rng, self.shape = rng, shape
        height, width = shape
        self.focal = width * rng.uniform(0.75, 1.0)
        self.eye = rng.uniform(1.3, 1.8)
        self.vanishing = width * (0.5 + rng.normal(0, 0.08)), height * rng.uniform(0.4, 0.52)
        self.half = rng.uniform(3.2, 5.0)  # of the road, metres
        self.paved = self.half + rng.uniform(1.5, 3.0)  # as far as houses
        self.above: Sky = sky(rng, shape, self.vanishing[1] * 1.15, (0.3, 0.35, 0.3, 0.05))
        self.picture, self.ids = self.above.picture, np.full(shape, SKY, np.uint8)
        self.rows, self.columns = np.indices(shape, np.float32)

    def at(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Where a point is: column and row."""
        return self.vanishing[0] + self.focal * x / z, self.vanishing[1] + self.focal * (self.eye - y) / z

    def put(
        self, mask: Field, paint: Callable[[Shape], Picture], kind: int, z: float, lit: Field | None = None
    ) -> None:
        """Lay something over all that is behind it."""
        haze = min(z / FAR, 1) * 0.4
        lay(self.picture, mask, lambda part: self.above.far(paint(part) * self.above.light, haze), lit)
        self.ids[mask > 0] = kind

    def cover(self, mask: NDArray[np.bool_], paint: Callable[[Box], Picture], kind: int, z: Field | float) -> None:
        """As `put`, of something that is at another distance in each pixel."""
        if box := bounds(mask):
            within = mask[box]
            haze = np.minimum((z if isinstance(z, float) else z[box][within]) / FAR, 1) * np.float32(0.4)
            haze = np.reshape(haze, (-1, 1))
            self.picture[box][within] = paint(box)[within] * self.above.light * (1 - haze) + self.above.haze * haze
            self.ids[box][within] = kind

    def floor(self) -> None:
        rng, below = self.rng, self.rows > self.vanishing[1]
        z = self.focal * self.eye / np.maximum(self.rows - self.vanishing[1], 1)
        x = (self.columns - self.vanishing[0]) * z / self.focal
        green = rng.random() < 0.2  # and grass is none of the classes
        verge = GRASS if green else [COBBLES, CONCRETE, CONCRETE][rng.integers(3)]

        def paint(material: Material, light: float, box: Box) -> Picture:
            return material.paint(rng, (x[box] * 3, z[box] * 3), 0.4) * np.float32(light)

        self.cover(below, partial(paint, verge, 0.95), VOID if green else PAVEMENT, z)
        if green:
            self.cover(below & (np.abs(x) < self.half + 1.5), partial(paint, CONCRETE, 1), PAVEMENT, z)
        self.cover(below & (np.abs(x) < self.half + 0.16), lambda box: flat("#a8a69f", box), PAVEMENT, z)
        road = below & (np.abs(x) < self.half)
        self.cover(road, partial(paint, ASPHALT, rng.uniform(0.7, 1.0)), ROAD, z)
        marks = (np.abs(x + rng.normal(0, 0.2)) < 0.08) & ((z + rng.uniform(0, 6)) % 6 < 2.5)
        if rng.random() < 0.6:
            marks |= np.abs(np.abs(x) - self.half + 0.35) < 0.06
        if rng.random() < 0.25:  # a crossing
            begin = rng.uniform(5, 12)
            marks |= (z > begin) & (z < begin + 3) & (x % 1.0 < 0.5)
        blend(
            self.picture, self.above.far(colour("#dcdcd8") * self.above.light, 0.1), (marks & road) * np.float32(0.85)
        )

    def horizon(self) -> None:
        """What closes the street far away."""
        rng, height = self.rng, self.shape[0]
        outline = self.vanishing[1] - height * rng.uniform(0.02, 0.1)
        bumps = noise(rng, (self.columns[:1] / height, self.rows[:1] * 0), 1.3, 60)[0]
        mask = (self.rows > outline + height * 0.02 * bumps) & (self.rows <= self.vanishing[1] + 2)
        green = rng.random() < 0.6
        material = LEAVES if green else CONCRETE
        plane = facing(rng, self.shape, height / 50)
        self.cover(
            mask, lambda box: material.paint(rng, (plane[0][box], plane[1][box])), TREE if green else BUILDING, FAR
        )

    def houses(self, side: int) -> None:
        """A row of fronts along one side, with gaps."""
        rng = self.rng
        z, y = self.wall(side, self.paved)
        drawn = np.zeros(self.shape, bool)
        begin = rng.uniform(-4, 8)
        while begin < FAR:
            deep, tall = rng.uniform(7, 18), rng.uniform(5, 14)
            here = (z > begin) & (z <= begin + deep) & (y >= 0)
            if rng.random() < 0.88:
                front = here & (y < tall)
                self.cover(front, partial(self.front, z, y), BUILDING, z)
                drawn |= front
                if rng.random() < 0.5:
                    roof = here & (y >= tall) & (y < tall + 1.2)
                    self.cover(roof, lambda box: ROOF.paint(rng, (z[box] * 2, -y[box] * 2)) * 0.7, BUILDING, z)
                    drawn |= roof
                self.gable(side, begin, tall, drawn)
            begin += deep + (rng.uniform(1, 6) if rng.random() < 0.2 else 0)

    def wall(self, side: int, away: float) -> tuple[Field, Field]:
        """Of an upright plane along the street, so far from its middle: how far ahead each pixel is, and how high."""
        towards = (self.columns - self.vanishing[0]) * side
        z = np.where(towards > 0, self.focal * away / np.maximum(towards, 0.5), np.float32(1e4))
        return z, self.eye - (self.rows - self.vanishing[1]) * z / self.focal

    def front(self, z: Field, y: Field, box: Box) -> Picture:
        rng = self.rng
        bay, floor = rng.uniform(2, 3.5), rng.uniform(2.6, 3.4)
        picture = facade(rng, (z[box] / bay, -y[box] / floor), glass=float(rng.random() < 0.1))
        picture *= np.float32(rng.uniform(0.55, 1))
        if rng.random() < 0.35:  # a shop
            band = ((y[box] > 2.5) & (y[box] < 3.3)).astype(np.float32)
            blend(picture, colour(str(rng.choice(["#7c1c20", "#1c3c6c", "#1c4c34", "#c8c0b0"]))), band)
        return picture

    def gable(self, side: int, z: float, tall: float, nearer: NDArray[np.bool_]) -> None:
        """The wall of a house that is turned to the camera."""
        if z < 3:
            return
        rng, away = self.rng, self.paved * side
        corners = [(away, tall), (away + side * 10, tall), (away + side * 10, 0), (away, 0)]
        mask = silhouette(self.shape, np.array([self.at(x, y, z) for x, y in corners])) * ~nearer
        shade = np.float32(rng.uniform(0.5, 0.9))
        self.put(mask, lambda part: CONCRETE.paint(rng, facing(rng, part, 10)) * shade, BUILDING, z)

    def fence(self, side: int) -> None:
        rng = self.rng
        z, y = self.wall(side, 0.5 * (self.half + self.paved) if rng.random() < 0.5 else self.paved - 0.2)
        begin, tall = rng.uniform(3, 15), rng.uniform(0.9, 1.6)
        here = (z > begin) & (z < begin + rng.uniform(8, 30)) & (y > 0) & (y < tall)
        if rng.random() < 0.5:
            self.cover(here, lambda box: PLANKS.paint(rng, (z[box] * 8, -y[box] * 4)), FENCE, z)
        else:
            bars = here & ((z * 3 % 1 < 0.35) | (y > tall - 0.12) | (np.abs(y - 0.2) < 0.06))
            self.cover(bars, lambda box: flat("#2c3034", box), FENCE, z)


def evenly(paint: Colour, shape: Shape) -> Picture:
    """One colour."""
    return np.broadcast_to(paint, (*shape, 3))


def flat(code: str, box: Box) -> Picture:
    return evenly(colour(code), (box[0].stop - box[0].start, box[1].stop - box[1].start))
