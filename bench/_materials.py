"""Materials: a pattern of light and dark each, and the colours that things of this pattern have.

A pattern is a function of a plane (`_painting.Plane`), of which one unit is its period: a course of bricks, a stripe, a
leaf. So it can be laid on walls and floors in perspective as on flat things.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from _painting import Field, Picture, Plane, Stops, cells, levels, lookup, noise, tint, vary

Pattern = Callable[[Generator, Plane], Field]


@dataclass(frozen=True)
class Material:
    """A pattern and palettes, from dark to light, of which each thing has one."""

    pattern: Pattern
    palettes: tuple[Stops, ...]

    def paint(self, rng: Generator, plane: Plane, vividly: float = 1) -> Picture:
        palette = self.palettes[rng.integers(len(self.palettes))]
        return tint(self.pattern(rng, plane), vary(rng, palette, vividly))

    def in_one_colour(self, rng: Generator) -> "Material":
        """With one of the palettes alone, for things of several parts."""
        return Material(self.pattern, (self.palettes[rng.integers(len(self.palettes))],))


def _waves(at: Field) -> Field:
    return 0.5 + 0.5 * np.sin(np.float32(2 * np.pi) * at)


def _step(at: Field, width: float = 0.1) -> Field:
    """0 below 0, 1 above, smooth between."""
    return (at / np.float32(width) + 0.5).clip(0, 1)


def plain(*palettes: Stops) -> Material:
    return Material(smooth, palettes)


def smooth(rng: Generator, plane: Plane) -> Field:
    return 0.55 + 0.1 * noise(rng, plane, 1.6, 8)


def grain(rng: Generator, plane: Plane) -> Field:
    return 0.5 + 0.16 * noise(rng, plane, 0.4) + 0.08 * noise(rng, plane, 1.4)


def grass(rng: Generator, plane: Plane) -> Field:
    return 0.45 + 0.2 * noise(rng, plane, 0.6, 20, 4) + 0.1 * noise(rng, plane, 1.4, 6)


def leaves(rng: Generator, plane: Plane) -> Field:
    u, v = plane[0] + np.float32(rng.uniform(0, 32)), plane[1]
    centre, _, level = cells()
    fine = 0.7 * level + 0.9 * (0.5 - centre)
    lit = 0.3 + 0.12 * noise(rng, plane, 1.2, 6)
    return lit + 0.5 * lookup(fine, (u, v)) - 0.25 * lookup(centre, (u, v), 7)


def bricks(rng: Generator, plane: Plane) -> Field:
    row = np.floor(plane[1])
    across = plane[0] / 2.3 + 0.5 * (row % 2)
    column = np.floor(across)
    mortar = np.maximum(_step(0.09 - (plane[1] - row)), _step(0.04 - (across - column), 0.05))
    brick = 0.22 + 0.35 * levels(row, column) + 0.07 * noise(rng, plane, 0.5)
    return brick + mortar * (0.9 - brick)


def planks(rng: Generator, plane: Plane) -> Field:
    board = np.floor(plane[0] / 3)
    moved = plane[0] + 7 * levels(board, board), plane[1] / 9 + 5 * levels(board, board + 1)
    rings = _waves(2 * moved[0] + 0.7 * noise(rng, moved, 1.8, 12))
    gap = _step(0.03 - (plane[0] / 3 - board), 0.03)
    return (0.35 + 0.25 * rings + 0.2 * levels(board, board) + 0.05 * noise(rng, moved, 0.3, 40)) * (1 - 0.8 * gap)


def stripes(rng: Generator, plane: Plane) -> Field:
    warp = 0.25 * noise(rng, plane, 1.6, 6)
    return 0.15 + 0.7 * _step(_waves(0.6 * plane[0] + warp) - 0.45, 0.3) + 0.04 * noise(rng, plane, 0.3)


def spots(rng: Generator, plane: Plane) -> Field:
    centre, _, level = cells()
    at = plane[0] + np.float32(rng.uniform(0, 32)), plane[1]
    near = lookup(centre, at) + 0.06 * noise(rng, plane, 1, 20)
    ring = _step(0.36 - near, 0.1) * (1 - 0.5 * _step(0.17 - near, 0.1))
    return 0.78 - 0.65 * ring + 0.08 * lookup(level, at, 4) + 0.04 * noise(rng, plane, 0.3)


def patches(rng: Generator, plane: Plane) -> Field:
    border, level = cells()[1:]
    at = plane[0] * np.float32(0.6) + np.float32(rng.uniform(0, 32)), plane[1] * np.float32(0.6)
    patch = 0.25 + 0.2 * lookup(level, at) + 0.04 * noise(rng, plane, 0.3)
    return 0.9 + _step(lookup(border, at) - 0.17, 0.08) * (patch - 0.9)


def blotches(rng: Generator, plane: Plane) -> Field:
    return 0.12 + 0.75 * _step(noise(rng, plane, 1.6, 24), 0.2) + 0.03 * noise(rng, plane, 0.3)


def twill(rng: Generator, plane: Plane) -> Field:
    thread = _waves(2 * (plane[0] + plane[1])) * (0.6 + 0.4 * _waves(2 * plane[0]))
    return 0.22 + 0.33 * thread + 0.1 * noise(rng, plane, 1.2, 8)


def wicker(rng: Generator, plane: Plane) -> Field:
    column, row = np.floor(plane[0]), np.floor(plane[1])
    over = (column + row) % 2
    fu, fv = plane[0] - column - 0.5, plane[1] - row - 0.5
    along, across = np.where(over == 1, fu, fv), np.where(over == 1, fv, fu)
    return 0.95 - 1.5 * along**2 - 2.2 * across**2 + 0.2 * levels(row, column) - 0.15 + 0.04 * noise(rng, plane, 0.4)


def marble(rng: Generator, plane: Plane) -> Field:
    vein = np.abs(noise(rng, plane, 1.4, 20))
    return 0.9 - 0.6 * np.exp(-5 * vein) + 0.05 * noise(rng, plane, 1.2, 8)


def knitting(rng: Generator, plane: Plane) -> Field:
    column = np.floor(plane[0])
    slant = np.abs(plane[0] - column - 0.5)
    return 0.2 + 0.5 * _waves(plane[1] - 1.2 * slant) * _step(slant - 0.06, 0.15) + 0.2 * _step(0.42 - slant, 0.15)


def scales(rng: Generator, plane: Plane) -> Field:
    """Roof tiles and fish: each row's round ends lie over the next row."""
    row = np.floor(plane[1])
    column = np.floor(plane[0] + 0.5 * (row % 2))
    fu, fv = plane[0] + 0.5 * (row % 2) - column - 0.5, plane[1] - row
    inside = fv - 1 + 1.6 * fu**2
    upper = _step(-inside, 0.12)
    level = 0.3 * levels(row, column) + 0.25
    return (0.15 + 0.4 * fv + level) * upper + (1 - upper) * 0.12 + 0.03 * noise(rng, plane, 0.4)


def dots(rng: Generator, plane: Plane) -> Field:
    row = np.floor(plane[1])
    fu, fv = (plane[0] + 0.5 * (row % 2)) % 1 - 0.5, plane[1] - row - 0.5
    return 0.35 + 0.55 * _step(0.27 - np.hypot(fu, fv), 0.1) + 0.04 * noise(rng, plane, 1.2, 8)


def plaid(rng: Generator, plane: Plane) -> Field:
    across, down = (_step(_waves(part / 2) - 0.5) + 0.5 * _step(_waves(part) - 0.93) for part in plane)
    return 0.15 + 0.28 * (across + down) + 0.03 * noise(rng, plane, 0.2)


def fur(rng: Generator, plane: Plane) -> Field:
    return 0.5 + 0.16 * noise(rng, plane, 0.8, 24, 5) + 0.1 * noise(rng, plane, 1.4, 8)


def wool(rng: Generator, plane: Plane) -> Field:
    return 0.95 - 0.8 * lookup(cells()[0], (plane[0] + np.float32(rng.uniform(0, 32)), plane[1]))


def bark(rng: Generator, plane: Plane) -> Field:
    return 0.6 - 0.3 * np.exp(-3 * np.abs(noise(rng, plane, 1.0, 16, 4))) + 0.12 * noise(rng, plane, 0.8, 16, 3)


def rock(rng: Generator, plane: Plane) -> Field:
    return 0.75 - 0.45 * np.exp(-2.5 * np.abs(noise(rng, plane, 1.3, 10))) + 0.14 * noise(rng, plane, 0.9)


def cobbles(rng: Generator, plane: Plane) -> Field:
    border, level = cells()[1:]
    at = plane[0] + np.float32(rng.uniform(0, 32)), plane[1]
    return _step(lookup(border, at) - 0.1, 0.2) * (0.45 + 0.35 * lookup(level, at)) + 0.05 * noise(rng, plane, 0.4)


def ripples(rng: Generator, plane: Plane) -> Field:
    wave = noise(rng, plane, 1.1, 10, 0.25)
    return 0.42 + 0.15 * wave + 0.25 * _step(wave - 1.7, 0.8) + 0.05 * noise(rng, plane, 0.6, 16, 0.4)


def dunes(rng: Generator, plane: Plane) -> Field:
    wave = _waves(plane[1] + 0.4 * noise(rng, plane, 1.8, 6))
    return 0.5 + 0.12 * wave + 0.07 * noise(rng, plane, 0.2, 32)


def cracks(rng: Generator, plane: Plane) -> Field:
    at = plane[0] + 0.15 * noise(rng, plane, 1.2), plane[1] + 0.15 * noise(rng, plane, 1.2)
    return 0.45 + 0.5 * _step(lookup(cells()[1], at) - 0.12, 0.25) * lookup(cells()[2], at) ** 0.3


def seeds(rng: Generator, plane: Plane) -> Field:
    row = np.floor(plane[1])
    fu, fv = (plane[0] + 0.5 * (row % 2)) % 1 - 0.5, plane[1] - row - 0.5
    return smooth(rng, plane) - 0.15 + 0.5 * (np.hypot(1.6 * fu, fv) < 0.22)


GRASS = Material(grass, (("#141f09", "#45601f", "#86a047", "#c6cd85"), ("#1c2a10", "#3d6b2a", "#74a350", "#b9d690")))
HAY = Material(grass, (("#3a2f15", "#8c7840", "#c2ac6c", "#e8d9a6"),))
LEAVES = Material(leaves, (("#0b1407", "#2d4a1a", "#5f8432", "#b4c874"), ("#0a1a10", "#214d2a", "#4c8a48", "#a5cf90")))
AUTUMN = Material(leaves, (("#1c0d05", "#7a3410", "#c8701e", "#f0c25a"), ("#1a1206", "#7a5a14", "#c79a2a", "#f2dc80")))
BRICKS = Material(bricks, (("#4a1f16", "#8f4330", "#b3604a", "#cfc5b8"), ("#4c2c1c", "#95603c", "#bb855a", "#d5cbb6")))
PLANKS = Material(planks, (("#2a1609", "#7c4a24", "#b27a44", "#deb583"), ("#23140c", "#5f3a22", "#95633c", "#c99c6c")))
TIGER = Material(stripes, (("#140c08", "#5c3010", "#c9731f", "#efb565"),))
ZEBRA = Material(stripes, (("#131211", "#514e4b", "#b9b6b0", "#f2efe9"),))
LEOPARD = Material(spots, (("#180f08", "#6e4a1e", "#c3964a", "#e9cd8c"),))
GIRAFFE = Material(patches, (("#4c230c", "#8c4a1c", "#b97436", "#f0dfb8"),))
COW = Material(blotches, (("#14110f", "#4d443d", "#b9b1a8", "#f3eee6"), ("#3a1a0c", "#6e3a1e", "#c9ab90", "#f3eadf")))
DENIM = Material(twill, (("#10182c", "#2b4270", "#5a7cb0", "#b4c9e6"),))
WICKER = Material(wicker, (("#382407", "#8c6a1e", "#cda545", "#f4dd92"),))
MARBLE = Material(marble, (("#3a3c40", "#8a8c90", "#cccdcd", "#f6f5f2"),))
WOOLLEN = Material(
    knitting, (("#3a0f2c", "#7c2c62", "#b85c98", "#ecb4d8"), ("#2c1238", "#5c3478", "#9466b4", "#d6bcec"))
)
FISH = Material(scales, (("#06221f", "#1c6660", "#4aa89c", "#bcecdc"),))
ROOF = Material(scales, (("#35120a", "#8a3a20", "#bc6440", "#e6a884"),))
DOTTED = Material(dots, (("#4c0c14", "#b01e2c", "#d8707a", "#fdf2ee"), ("#0c1c4c", "#1e3cac", "#708cd8", "#f2f4fd")))
PLAID = Material(plaid, (("#180808", "#7c1418", "#c0302c", "#e8b0a0"), ("#08140c", "#14482c", "#38804c", "#c0d8b0")))
FUR = Material(fur, (("#1c100a", "#6a4426", "#a87c50", "#dec29c"), ("#2c1608", "#8c5020", "#c88a48", "#f0cc94")))
GREY_FUR = Material(fur, (("#161616", "#56534f", "#94908a", "#d6d2cc"),))
WOOL = Material(wool, (("#4c463c", "#a49c8c", "#dcd6c8", "#faf7ee"),))
BARK = Material(bark, (("#120d09", "#43352a", "#7c6a58", "#bcaa94"), ("#1a110a", "#54382a", "#8c6a50", "#c8a888")))
ROCK = Material(rock, (("#1c1b1c", "#57534f", "#8c867e", "#c9c3b9"), ("#221a15", "#65503f", "#9a8068", "#d0b89c")))
COBBLES = Material(cobbles, (("#1e1d1c", "#5c5954", "#949088", "#ccc8bf"),))
ASPHALT = Material(grain, (("#1d1e20", "#55565a", "#86878a", "#c2c2c2"),))
SAND = Material(dunes, (("#5c4426", "#b39264", "#d9bd8c", "#f6e7c4"),))
WATER = Material(ripples, (("#051a2c", "#1a4f74", "#4f8cae", "#d8ecf4"), ("#06201f", "#1c585c", "#58989a", "#d8eeea")))
ICE = Material(cracks, (("#12405c", "#4c94b4", "#a8d4e4", "#f2fafc"),))
PLASTER = Material(
    smooth,
    (
        ("#6a5c44", "#b4a07a", "#d9c8a4", "#f4ead2"),
        ("#5c5a56", "#9c9892", "#c8c4bc", "#eeebe4"),
        ("#6a4438", "#b0806c", "#d8ac98", "#f2d8cc"),
        ("#4a5560", "#7c8c9a", "#aebcc6", "#dfe6ea"),
    ),
)
WALLPAPER = Material(
    smooth,
    (
        ("#5a5040", "#a8987c", "#d6c8ae", "#f2e8d8"),
        ("#505a50", "#8ca08c", "#bccab8", "#e4ecdf"),
        ("#404a5a", "#7a8aa4", "#b0bccc", "#dde4ec"),
        ("#5a5654", "#9a9592", "#c8c4c0", "#efedea"),
    ),
)
CONCRETE = Material(grain, (("#3c3b38", "#7f7c77", "#a9a59f", "#d5d1ca"),))
