"""A photograph whose colours are still being chosen: the network has run once, all else answers at once."""

from collections.abc import Sequence
from functools import cached_property

from tintype.runtime.affinity import Affinity, affinity
from tintype.runtime.alternatives import alternatives
from tintype.runtime.buffers import Plane
from tintype.runtime.distribution import Distribution
from tintype.runtime.hints import Hint, with_hints
from tintype.runtime.merge import Merge
from tintype.runtime.model import Model
from tintype.runtime.photo import Photo
from tintype.runtime.predict import cells_of, network_size, predict_distribution
from tintype.runtime.reduce import GUIDE, reduce_lightness, reduction
from tintype.runtime.upsample import cell_means, upsample

# Chosen on photographs held out from training (bench/hints.py --choose).
NEAR, LIGHT, COLOUR = 0.4, 25.0, 12.0


class Draft:
    """A photograph and what a model thinks of its colours.

    Args:
        model: with a distribution.
        photo: as `read_photo` gives it.
        size: side of the square as large as what the network sees.
        threads: to use.

    Raises:
        ModelError: the model tells no distribution.
    """

    def __init__(self, model: Model, photo: Photo, size: int, threads: int = 1):
        self.photo, self._model, self._threads = photo, model, threads
        height, width = photo.codes.shape
        self.factor = reduction(height, width, GUIDE * size)
        self.guide = reduce_lightness(photo, self.factor, threads)
        self._extent = height / self.factor, width / self.factor
        self._seen = network_size(height, width, size, model.multiple)
        self._cells = cells_of(model, self._extent, self._seen)
        self._known: tuple[tuple[float, int], list[Plane]] = ((0.0, 0), [])
        self.distribution: Distribution = predict_distribution(model, self.guide, self._extent, self._seen)

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
    ) -> Plane:
        """Colours of the network's cells, (2, h, w), CIE units.

        Args:
            temperature: of the annealed mean; the model's own where None.
            hints: known colours, which hold whatever the rest.
            alternative: number of one of `alternatives`, in place of the usual colorization.
        """
        temperature = self._model.temperature if temperature is None else temperature
        if alternative is None:
            plain = self.distribution.mean(temperature)
        else:
            plain = self.alternatives(temperature)[alternative]
        return with_hints(plain, self.affinity, hints)

    def alternatives(self, temperature: float | None = None, count: int = 5) -> list[Plane]:
        """Colorizations that are unlike each other, (2, h, w) each."""
        wanted = self._model.temperature if temperature is None else temperature, count
        if self._known[0] != wanted:  # half a second's work
            self._known = wanted, alternatives(self.distribution, self.affinity, *wanted)
        return self._known[1]

    def suggestions(self, y: float, x: float, count: int = 5) -> list[tuple[float, float, float]]:
        """Colours that the network thinks possible at a place, (a, b, probability) each, the likeliest first.

        Args:
            y, x: shares of height and width, in [0, 1].
        """
        height, width = self.distribution.shape
        return self.distribution.likeliest(min(int(y * height), height - 1), min(int(x * width), width - 1), count)

    def coefficients(self, ab: Plane) -> tuple[Plane, Plane]:
        """A and B of ab = A L + B, (2, H, W) of the guide each: the cells' colours brought to the photograph's edges.

        They are linear in ab.
        """
        return upsample(ab, self.guide, self._extent, *self._cells, self._threads)

    def picture(self, ab: Plane, saturation: float = 1.0) -> Merge:
        """The photograph with these colours, at full resolution."""
        return Merge(self.photo, *self.coefficients(ab), self.factor, saturation)

    @cached_property
    def affinity(self) -> Affinity:
        """How much the colours of two cells have to do with each other."""
        lightness = cell_means(self.guide, self.distribution.shape, self._extent, *self._cells)
        mean = self.distribution.mean()
        return affinity(lightness, mean, self.distribution.spread, near=NEAR, light=LIGHT, colour=COLOUR)
