"""Images with masks to train on and to test on: a VOC devkit, or folders and tars."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tintype.data import DataError
from tintype.data.masks import Segmented, open_segmented
from tintype.data.voc import CLASSES, Devkit, is_devkit
from tintype.recipes import RecipeError
from tintype.transfer import early_stopping
from tintype.transfer.segment.recipe import SegmentRecipe
from tintype.transfer.segment.samples import crop_pair
from tintype.transfer.sources import Sources
from tintype.transfer.subject import PICTURES

SHOWN = 224  # pixels a side of what weights are rebalanced on, where images are whole


@dataclass(frozen=True)
class SegmentData:
    """Images with masks.

    Attributes:
        train, test: of them.
        names: of the classes, by id.
    """

    train: Segmented
    test: Segmented
    names: tuple[str, ...]

    @property
    def described(self) -> dict[str, str | int]:
        """What they are, for the results."""
        return {"train": _fingerprint(self.train), "test": _fingerprint(self.test), "classes": len(self.names)}

    def pictures(self, crop: int, seed: int) -> Tensor:
        """Random squares of some of the images that are trained on, (N, 3, h, w) uint8."""
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(len(self.train))[:PICTURES]
        squares = []
        for number in chosen.tolist():
            pixels, mask = self.train.read(number)
            square, _ = crop_pair(pixels, mask, rng, side=crop or SHOWN, flip=False, void=self.train.void)
            squares.append(torch.from_numpy(square.copy()).permute(2, 0, 1))
        return torch.stack(squares)


def open_data(sources: Sources, recipe: SegmentRecipe) -> SegmentData:
    """Open a task's images.

    A path is a VOC devkit, of which the recipe names the splits; a folder or tar of photographs with their masks
    beside them; or two of these, of photographs and of masks: `IMAGES,MASKS`. Several paths are joined. Without test
    paths a devkit's own test split is tested on, and of others a share of the training images is held out.

    Raises:
        DataError: something is missing or wrong.
        RecipeError: the recipe's number of classes or void id is another than the devkit's.
    """
    train = _join([_open(path, recipe.train_split, recipe) for path in sources.train])
    if sources.test:
        test = _join([_open(path, recipe.test_split, recipe) for path in sources.test])
    elif all(map(is_devkit, sources.train)):
        test = _join([_open(path, recipe.test_split, recipe) for path in sources.train])
    else:
        train, test = _split(train, recipe.val_fraction)
    if not len(train) or not len(test):
        raise DataError(f"there are {len(train)} images to train on and {len(test)} to test on: --data test=PATH")
    names = recipe.class_names or tuple(map(str, range(recipe.classes)))
    if not recipe.class_names and all(map(is_devkit, sources.train)):
        names = ("background", *CLASSES)
    return SegmentData(train, test, names)


def without_held_out(images: Segmented, schedule: object) -> tuple[Segmented, Segmented]:
    """Images without those that early stopping holds out, and these; all, and none, without it."""
    less, held_out = early_stopping.without_held_out([pair.name for pair in images.pairs], schedule)
    return _choose(images, less), _choose(images, held_out)


def _split(images: Segmented, share: float) -> tuple[Segmented, Segmented]:
    """Images without a share of them, and these, by their names alone."""
    digests = [hashlib.sha256(pair.name.encode()).digest() for pair in images.pairs]
    order = sorted(range(len(images)), key=digests.__getitem__)
    return _part(images, order[: round(share * len(images))])


def _part(images: Segmented, chosen: Sequence[int]) -> tuple[Segmented, Segmented]:
    return _choose(images, sorted(set(range(len(images))) - set(chosen))), _choose(images, sorted(chosen))


def _choose(images: Segmented, chosen: Sequence[int]) -> Segmented:
    return Segmented([images.pairs[number] for number in chosen], images.classes, images.void)


def _open(path: str, part: str, recipe: SegmentRecipe) -> Segmented:
    if is_devkit(path):
        found = Devkit(path, recipe.year).segmentation(part)
        if (found.classes, found.void) != (recipe.classes, recipe.void):
            raise RecipeError(
                f"keys 'classes' and 'void' are {recipe.classes} and {recipe.void}; a VOC devkit has {found.classes} "
                f"classes and void {found.void}"
            )
        return found
    images, comma, masks = path.partition(",")
    if not comma or Path(path).exists():
        return open_segmented(path, classes=recipe.classes, void=recipe.void)
    return open_segmented(images, masks, classes=recipe.classes, void=recipe.void)


def _join(parts: list[Segmented]) -> Segmented:
    return Segmented([pair for part in parts for pair in part.pairs], parts[0].classes, parts[0].void)


def _fingerprint(images: Segmented) -> str:
    names = "\n".join(pair.name for pair in images.pairs)
    return f"{len(images)} images, {hashlib.sha256(names.encode()).hexdigest()[:16]}"
