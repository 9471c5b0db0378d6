"""A photograph whose colours are still being chosen: the network has run, all else answers at once."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tintype.color import bin_centres
from tintype.runtime.affinity import Affinity, affinity
from tintype.runtime.alternatives import preferences
from tintype.runtime.buffers import Plane
from tintype.runtime.distribution import Distribution
from tintype.runtime.hints import Hint, with_hints
from tintype.runtime.layout import lay_out
from tintype.runtime.merge import Merge
from tintype.runtime.model import Model
from tintype.runtime.photo import Photo
from tintype.runtime.predict import predict_distribution
from tintype.runtime.reduce import guide_of
from tintype.runtime.upsample import cell_means

# Chosen on photographs held out from training (bench/hints.py --choose).
NEAR, LIGHT, COLOUR = 0.4, 25.0, 12.0

_GREY = np.where(bin_centres().any(axis=1), -100, 0)[:, None, None]  # logits of certainty

Colours = list[Plane]  # ab of the network's cells, (2, h, w), CIE units, of each region


class Draft:
    """A photograph and what a model thinks of its colours.

    Undecided, it is what `Colorizer` gives: a scan's border stays grey, and the views of a stereo card share their
    colours, so that a hint in one of them is one in both.

    Args:
        model: with a distribution.
        photo: as `read_photo` gives it.
        size: side of the square as large as what the network sees.
        threads: to use.
        as_is: whether to look for no border, no views and nothing to restore.

    Attributes:
        photo: that was given.
        guide: its lightness, CIE L, (H, W): means over blocks of `factor` x `factor` pixels.
        factor: side of the blocks.
        distributions: of each region: of all of the photograph, of what is inside of its border, or of each view.

    Raises:
        ModelError: the model tells no distribution.
    """

    def __init__(self, model: Model, photo: Photo, size: int, threads: int = 1, as_is: bool = False):
        self.photo, self._usual = photo, model.temperature
        self._layout = lay_out(model, guide_of(photo, size, threads), size, as_is)
        self.guide, self.factor = self._layout.guide.lightness, self._layout.guide.factor
        self.distributions = [predict_distribution(model, region) for region in self._layout.regions]
        self._upsample = self._layout.upsampler(threads)
        self._plain: tuple[float, Colours] = 0.0, []

    @property
    def shape(self) -> tuple[int, int]:
        """Of the photograph, in pixels."""
        height, width = self.photo.codes.shape
        return height, width

    def ab(
        self,
        temperature: float | None = None,
        hints: Sequence[Hint] = (),
        alternative: int | None = None,
    ) -> Colours:
        """Colours of the network's cells, for `coefficients` and `picture`.

        Args:
            temperature: of the annealed mean; the model's own where None.
            hints: known colours, which hold whatever the rest. Those in a border say nothing.
            alternative: number of one of `alternatives`, in place of the usual colorization.
        """
        temperature = self._usual if temperature is None else temperature
        if alternative is not None:
            plain = self._mean(temperature, self._preferences[alternative])
        else:
            if (last := self._plain)[0] != temperature:
                last = self._plain = temperature, self._mean(temperature)
            plain = last[1]
        found = [(self._layout.cell(hint.y, hint.x), (hint.a, hint.b)) for hint in hints]
        inside = [(self._number(*cell), colour) for cell, colour in found if cell]
        if not inside:
            return plain
        cells, known = zip(*inside, strict=True)
        return self._split(with_hints(_flat(plain), self._affinity, cells, np.array(known, np.float32)))

    def alternatives(self, temperature: float | None = None) -> list[Colours]:
        """Five colorizations that are unlike each other, each as of `ab`; the same ones at every temperature."""
        temperature = self._usual if temperature is None else temperature
        return [self._mean(temperature, tilt) for tilt in self._preferences]

    def suggestions(self, y: float, x: float, count: int = 5) -> list[tuple[float, float, float]]:
        """Colours that the network thinks possible at a place, (a, b, probability) each, the likeliest first; none in
        a border.

        Args:
            y, x: shares of height and width, in [0, 1].
        """
        if (found := self._layout.cell(y, x)) is None:
            return []
        region, row, column = found
        return self.distributions[region].likeliest(row, column, count)

    def coefficients(self, ab: Colours) -> tuple[Plane, Plane]:
        """A and B of ab = A L + B, (2, H, W) of the guide each: the cells' colours brought to the photograph's edges.

        They are linear in ab, and 0 in a border.
        """
        return self._upsample(ab)

    def picture(self, ab: Colours, saturation: float = 1.0) -> Merge:
        """The photograph with these colours, at full resolution."""
        return Merge(self.photo, *self.coefficients(ab), self.factor, saturation)

    @cached_property
    def entropy(self) -> Plane:
        """Of the cells of all of the photograph, (h, w), in nats; 0 in a border."""
        return self._layout.whole(self._layout.shared([one.entropy for one in self.distributions]))

    @cached_property
    def distribution(self) -> Distribution:
        """Of the cells of all of the photograph, as many as `entropy` has; in a border, certain of grey."""
        logits = self._layout.whole([one.logits.transpose(2, 0, 1) for one in self.distributions], _GREY)
        return Distribution(np.ascontiguousarray(logits.transpose(1, 2, 0)))

    @cached_property
    def _preferences(self) -> list[Plane]:
        """Of the alternatives."""
        return preferences(lambda tilt: self._mean(self._usual, tilt), self._affinity)

    @cached_property
    def _affinity(self) -> Affinity:
        """How much the colours of two cells have to do with each other; what two views share is one point."""
        lightness, mean, spread = (
            _flat(self._layout.shared(planes))
            for planes in (
                [cell_means(one.shown, one.cells, one.extent, one.origin, one.stride) for one in self._layout.regions],
                [one.mean() for one in self.distributions],
                [one.spread for one in self.distributions],
            )
        )
        places = _flat(self._layout.places()) / np.float32(max(self._layout.regions[0].cells))
        return affinity(places, lightness[:, 0], mean, spread[:, 0], near=NEAR, light=LIGHT, colour=COLOUR)

    def _mean(self, temperature: float, tilt: Plane | None = None) -> Colours:
        """Annealed means of all cells. `tilt`, (n, 2), is as of `Distribution.mean`."""
        tilts = [None] * len(self.distributions) if tilt is None else self._split(tilt)
        return self._layout.shared(
            [
                one.mean(temperature, None if way is None else way.transpose(1, 2, 0))
                for one, way in zip(self.distributions, tilts, strict=True)
            ]
        )

    def _number(self, region: int, row: int, column: int) -> int:
        """Of a cell among all."""
        before = sum(rows * columns for rows, columns in (one.cells for one in self._layout.regions[:region]))
        return before + row * self._layout.regions[region].cells[1] + column

    def _split(self, flat: Plane) -> list[Plane]:
        """What stands for all cells, (n, c), as (c, h, w) of each region."""
        sizes = [rows * columns for rows, columns in (one.cells for one in self._layout.regions)]
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [
            np.ascontiguousarray(part.T).reshape(-1, *one.cells)
            for part, one in zip(parts, self._layout.regions, strict=True)
        ]


def _flat(planes: Sequence[Plane]) -> Plane:
    """(h, w) or (c, h, w) of each region as (n, c) for all cells."""
    return np.concatenate([plane.reshape(-1, plane.shape[-2] * plane.shape[-1]).T for plane in planes])
