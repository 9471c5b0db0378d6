"""The photographs of a run: which are trained on, which are held out, and their batches."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from torch import Tensor

from tintype.data import Batches, batches, center_crops, fingerprint, open_photos
from tintype.pretrain.recipe import Recipe

HELD_OUT_BATCH = 32


class Photographs:
    """The photographs of a run, as its recipe parts and crops them.

    Attributes:
        fingerprint: their number and a hash of their keys, in order: equal for the same photographs wherever they lie.
        description: how many from where, in words, without the folders that lead there.
    """

    def __init__(self, recipe: Recipe, paths: Sequence[str], rank: int = 0, processes: int = 1):
        self._recipe, self._rank, self._processes = recipe, rank, processes
        self._train, self._held_out = open_photos(paths, recipe.data.weights or None).split(recipe.data.val_fraction)
        self.fingerprint = fingerprint(self._train)
        self.description = f"{len(self._train)} photographs of {', '.join(PurePath(path).name for path in paths)}"

    def training(self, start: int = 0, steps: int | None = None) -> Iterator[Tensor]:
        """This process's share of the batches from update `start` on, (batch, 3, crop, crop) uint8 RGB."""
        data, steps = self._recipe.data, self._recipe.steps if steps is None else steps
        change = min(steps, round(data.early * self._recipe.steps)) if data.early_crop else 0
        if start < change:
            yield from self._batches(start, change, data.early_crop)
        yield from self._batches(max(start, change), steps, data.crop)

    def _batches(self, start: int, stop: int, crop: int) -> Batches:
        recipe = self._recipe
        low, high = recipe.data.scale
        return batches(
            self._train,
            batch_size=recipe.batch_size,
            crop=crop,
            seed=recipe.seed,
            steps=stop,
            start_step=start,
            scale=(low, high),
            flip=recipe.data.flip,
            workers=recipe.data.workers,
            rank=self._rank,
            world_size=self._processes,
        )

    def held_out(self) -> Batches:
        """All held-out photographs, always the same crops in the same order, (up to 32, 3, crop, crop) uint8 RGB."""
        data = self._recipe.data
        return center_crops(self._held_out, batch_size=HELD_OUT_BATCH, crop=data.crop, workers=data.workers)
