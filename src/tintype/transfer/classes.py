"""Photographs with a class each, to train on and to test on: ImageNet, Places205, any set of class folders or tars."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from tintype.data import DataError, Labelled, Photos, batches, center_crops, fingerprint, open_photos, studies
from tintype.data.labels import labels_of, sort_classes
from tintype.recipes import Range
from tintype.recipes.blocks import Fraction, check_scale
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.sources import Sources
from tintype.transfer.subject import PICTURES

TEST_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class CropsRecipe(TransferRecipe):
    """A task on random crops of photographs with a class each.

    Attributes:
        crop: side of the trunk's input.
        scale: of random crops, relative to the short side (227 of 256 in the papers); tests cut the larger one.
        flip: whether half of the crops are mirrored.
    """

    crop: Annotated[int, Range(8)] = 224
    scale: tuple[Fraction, ...] = (0.875, 0.875)
    flip: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_scale(self.scale, "scale")


@dataclass(frozen=True)
class ClassData:
    """Photographs with classes.

    Attributes:
        train, test: with the numbers of their classes.
        names: of the classes, by number.
    """

    train: Photos
    test: Photos
    names: tuple[str, ...]

    @property
    def described(self) -> dict[str, str | int]:
        """What they are, for the results."""
        return {
            "train": fingerprint(self.train),
            "test": fingerprint(self.test),
            "classes": len(self.names),
        }

    def pictures(self, crop: int) -> Tensor:
        """Some of the photographs that are trained on, (N, 3, crop, crop) uint8."""
        return torch.cat(list(center_crops(self.train, batch_size=16, crop=crop, count=PICTURES)))


def open_classes(sources: Sources, val_fraction: float, per_class: int = 0, seed: int = 0) -> ClassData:
    """Photographs and their classes; where there is no test set, a share of the others, by the hash of their keys.

    Photographs without a class are left out, as in tars that hold some of another kind.

    Args:
        sources: where they lie.
        val_fraction: that share.
        per_class: train on exactly this many of each class, drawn by `seed`; 0: on all.

    Raises:
        DataError: there are none, a class of the test set is not trained on, or has too few photographs.
    """
    train = _with_class(open_photos(sources.train))
    if sources.test:
        test = _with_class(open_photos(sources.test))
    else:
        train, test = train.split(val_fraction)
    labels, others = (list(labels_of(photos)) for photos in (train, test))
    names = sort_classes(labels)
    number = {name: place for place, name in enumerate(names)}
    strange = next((label for label in others if label not in number), None)
    if strange is not None:
        raise DataError(f"the test set has the class {strange}, which the training set lacks")
    train = train.labelled(np.array([number[label] for label in labels], np.int64))
    test = test.labelled(np.array([number[label] for label in others], np.int64))
    return ClassData(subset(train, per_class, names, seed) if per_class else train, test, names)


def subset(photos: Photos, per_class: int, names: tuple[str, ...], seed: int) -> Photos:
    """Exactly `per_class` photographs of each class, as `tintype labels subset` draws them (Larsson17, section 4.2).

    Raises:
        DataError: a class has fewer, or two photographs have the same key.
    """
    assert photos.classes is not None
    labels = {photo.key: names[number] for photo, number in zip(photos, photos.classes, strict=True)}
    if len(labels) < len(photos):
        raise DataError(f"{len(photos) - len(labels)} photographs have the same name as another")
    chosen = set(studies.subset(studies.Known(labels, {}), seed, per_class=per_class).images)
    return photos.choose(np.flatnonzero(np.array([photo.key in chosen for photo in photos])))


def test_batches(
    photos: Photos, crop: int, inside: float, workers: int, rank: int, world_size: int
) -> Iterator[Labelled]:
    """This process's share of all photographs, each once, in batches of centred crops.

    Args:
        inside: side of the square that is cut out, relative to the short side; 227 of 256 in the papers.
    """
    photos = photos.choose(np.arange(rank, len(photos), world_size))
    if not len(photos):
        return
    for batch in center_crops(photos, batch_size=TEST_BATCH, crop=crop, side=inside, workers=workers).labelled():
        if len(batch):  # not every photograph of it was damaged
            yield batch


def train_batches(photos: Photos, start: int, recipe: CropsRecipe, rank: int, world_size: int) -> Iterator[Labelled]:
    """This process's share of the batches of random crops from update `start` on; see `tintype.data.batches`."""
    low, high = recipe.scale
    yield from batches(
        photos,
        batch_size=recipe.batch_size,
        crop=recipe.crop,
        seed=recipe.seed,
        steps=recipe.steps,
        start_step=start,
        scale=(low, high),
        flip=recipe.flip,
        workers=recipe.workers,
        rank=rank,
        world_size=world_size,
    ).labelled()


def _with_class(photos: Photos) -> Photos:
    have = np.array([photo.label is not None for photo in photos])
    if not have.any():
        raise DataError("no photograph has a class: no folder of its class, and no .cls beside it in a tar")
    return photos if have.all() else photos.choose(np.flatnonzero(have))
