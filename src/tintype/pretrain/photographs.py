"""The photographs of a run: which are trained on, which are held out, and their batches."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import PurePath

from torch import Tensor

from tintype.data import Batches, Damaged, Labelled, Photos, batches, center_crops, fingerprint, open_photos
from tintype.data.labels import Labels
from tintype.pretrain.classification_recipe import ClassificationRecipe
from tintype.pretrain.recipe import Recipe

HELD_OUT_BATCH = 32


class Photographs:
    """The photographs of a run, as its recipe parts and crops them.

    Args:
        recipe: of the run.
        paths: sources, as `tintype.data.open_photos` takes them.
        rank, processes: which share of each batch is this process's.
        max_damaged: share of the photographs that may be damaged.
        label: parts the photographs and finds their classes, where batches are to have them.

    Attributes:
        fingerprint: their number and a hash of their keys, in order: equal for the same photographs wherever they lie.
        description: how many from where, in words, without the folders that lead there.
        labels: the classes, if any.
        damaged: those that this process has found damaged, in whatever batches.
    """

    def __init__(
        self,
        recipe: Recipe | ClassificationRecipe,
        paths: Sequence[str],
        rank: int = 0,
        processes: int = 1,
        *,
        max_damaged: float = 1.0,
        label: Callable[[Photos], Labels] | None = None,
    ):
        self._recipe, self._rank, self._processes = recipe, rank, processes
        photos = open_photos(paths, recipe.data.weights or None)
        self.labels = None if label is None else label(photos)
        if self.labels is None:
            self._train, self._held_out = photos.split(recipe.data.val_fraction)
        else:
            self._train, self._held_out = self.labels.train, self.labels.held_out
        self.damaged = Damaged(len(self._train) + len(self._held_out), max_damaged)
        self.fingerprint = fingerprint(self._train)
        self.description = f"{len(self._train)} photographs of {', '.join(PurePath(path).name for path in paths)}"

    def training(self, start: int = 0) -> Iterator[Tensor]:
        """This process's share of the batches from update `start` on, (batch, 3, crop, crop) uint8 RGB."""
        return chain.from_iterable(self._loaders(start, self._recipe.steps))

    def first(self, steps: int, whole: bool = False) -> Iterator[Tensor]:
        """This process's share of the batches of the first updates; or whole ones, the same for every process."""
        return chain.from_iterable(self._loaders(0, steps, whole))

    def labelled_training(self, start: int = 0) -> Iterator[Labelled]:
        """The same with their classes."""
        return chain.from_iterable(loader.labelled() for loader in self._loaders(start, self._recipe.steps))

    def names(self, step: int) -> list[str]:
        """Where the photographs of this process's share of update `step`, counted from 1, lie."""
        (loader,) = self._loaders(step - 1, step)
        return loader.paths(step - 1)

    def _loaders(self, start: int, stop: int, whole: bool = False) -> Iterator[Batches]:
        data = self._recipe.data
        change = min(stop, round(data.early * self._recipe.steps)) if data.early_crop else 0
        if start < change:
            yield self._batches(start, change, data.early_crop, whole)
        if max(start, change) < stop:
            yield self._batches(max(start, change), stop, data.crop, whole)

    def _batches(self, start: int, stop: int, crop: int, whole: bool) -> Batches:
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
            rank=0 if whole else self._rank,
            world_size=1 if whole else self._processes,
            damaged=self.damaged,
        )

    def held_out(self) -> Batches:
        """This process's share of the held-out photographs' batches, (up to 32, 3, crop, crop) uint8 RGB: always the
        same crops in the same order. A label study may hold out none."""
        data = self._recipe.data
        return center_crops(
            self._held_out,
            batch_size=HELD_OUT_BATCH,
            crop=data.crop,
            workers=data.workers,
            rank=self._rank,
            world_size=self._processes,
            damaged=self.damaged,
        )
