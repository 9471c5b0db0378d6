"""Classification of VOC by fine-tuning: which of 20 classes a picture shows (Krähenbühl's train_cls.py; PAPERS B3, C5).

tintype transfer classify --weights runs/color --data VOCdevkit/ --set train_from=fc6 --out runs/voc07
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tintype.data import Labelled
from tintype.data.loader import planes
from tintype.recipes import Range, RecipeError
from tintype.recipes.blocks import Count, Positive
from tintype.transfer.early_stopping import without_held_out
from tintype.transfer.feed import in_order
from tintype.transfer.multilabel_scores import class_precisions, class_table, mean_precision
from tintype.transfer.pictures import Pictures, fingerprint, open_devkit
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.rescaled_crop import centre_crop, random_crop
from tintype.transfer.session import Session
from tintype.transfer.voc_classifier import VocClassifier, crop_side, freeze_before, sigmoid_loss

_TEST_BATCH = 8  # pictures, of each of which there are many crops
_TESTING = 1  # a stream of random numbers, beside the training's


@dataclass(frozen=True, kw_only=True)
class ClassifyRecipe(TransferRecipe):
    """Fine-tuning on pictures that show several classes.

    Attributes:
        train_from: the first layer that is trained: `fc8`, `fc6` or `all`, see `freeze_before`.
        crop: side of the trunk's input; 0: 227 for AlexNet, 224 for others.
        scale: of random crops, lowest and highest.
        rescale: what the scale is of, `window` or `picture`; see `rescaled_crop.random_crop`.
        crops: random ones of each test picture, whose scores are averaged.
        year: of the devkit.
        train, test: names of its lists.
    """

    task: Literal["classify"] = "classify"
    train_from: Literal["fc8", "fc6", "all"] = "all"
    crop: Annotated[int, Range(0)] = 0
    scale: tuple[Positive, ...] = (0.5, 2.0)
    rescale: Literal["window", "picture"] = "window"
    crops: Count = 10
    year: Count = 2007
    train: str = "trainval"
    test: str = "test"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scale) != 2 or self.scale[0] > self.scale[1]:
            raise RecipeError(f"key 'scale' is {list(self.scale)}; it must be [low, high]")
        if self.train_from != "all" and self.surgery.freeze_below != "none":
            raise RecipeError(
                f"key 'train_from' is {self.train_from} and 'surgery.freeze_below' {self.surgery.freeze_below}; "
                "one of the two says what is frozen"
            )


class Sample(NamedTuple):
    """A crop, (crop, crop, 3) uint8, and its picture's labels, (classes,)."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class RandomCrop:
    """Makes training samples; see `rescaled_crop.random_crop`."""

    pictures: Pictures
    numbers: Sequence[int]
    crop: int
    scale: Sequence[float]
    how: str

    def __call__(self, place: int, rng: np.random.Generator) -> Sample:
        number = self.numbers[place]
        low, high = self.scale
        pixels = random_crop(self.pictures.read(number), self.crop, low, high, self.how, rng)
        return Sample(pixels, self.pictures.labels[number])


@dataclass(frozen=True)
class ManyCrops:
    """Makes the crops of a test picture, (crops + 1, crop, crop, 3): random ones by its number, and the centre."""

    pictures: Pictures
    crop: int
    scale: Sequence[float]
    how: str
    crops: int
    seed: int

    def __call__(self, number: int) -> NDArray[np.uint8]:
        pixels = self.pictures.read(number)
        rng = np.random.default_rng((self.seed, _TESTING, number))
        low, high = self.scale
        found = [random_crop(pixels, self.crop, low, high, self.how, rng) for _ in range(self.crops)]
        return np.stack([*found, centre_crop(pixels, self.crop, low, high, self.how)])


def run(session: Session) -> dict[str, Any]:
    """Fine-tune, and return average precision."""
    recipe = session.recipe
    assert isinstance(recipe, ClassifyRecipe)
    train, test = open_devkit(session.sources, recipe.year, recipe.train, recipe.test)
    session.facts |= {"train": fingerprint(train), "test": fingerprint(test)}
    less, held_out = without_held_out(train.names, recipe.schedule)
    crop = recipe.crop

    def centre(number: int) -> NDArray[np.uint8]:
        low, high = recipe.scale
        return centre_crop(train.read(number), recipe.crop or 227, low, high, recipe.rescale)

    def build() -> VocClassifier:
        nonlocal crop
        trunk = session.trunk(lambda: train.some(centre, recipe.seed))
        crop = crop_side(trunk, recipe.crop)
        freeze_before(trunk, recipe.train_from)
        torch.manual_seed(recipe.seed)
        return VocClassifier(trunk, len(train.classes)).to(session.device)

    def batches(without: bool, start: int) -> Iterator[Labelled]:
        numbers = less if without else range(len(train))
        make = RandomCrop(train, numbers, crop, recipe.scale, recipe.rescale)
        for samples in session.feed(make, len(numbers), start):
            labels = torch.from_numpy(np.stack([sample.labels for sample in samples]))
            yield Labelled(planes(np.stack([sample.pixels for sample in samples])), labels)

    def loss(model: nn.Module, batch: Labelled, step: int, first: int) -> Tensor:
        return sigmoid_loss(model(session.look(batch.pixels)).float(), batch.classes)

    def scores(network: nn.Module, pictures: Pictures, numbers: Sequence[int], crops: int) -> NDArray[np.float32]:
        make = ManyCrops(pictures, crop, recipe.scale, recipe.rescale, crops, recipe.seed)
        return np.stack(session.together(numbers, lambda own: crop_scores(network, session, make, own)))

    def score(network: nn.Module) -> Mapping[str, float]:
        found = scores(network, train, held_out, 0)[:, 0]
        return {"mAP": mean_precision(class_precisions(found, train.labels[held_out]))["area"] or 0.0}

    network = session.fit(
        build,
        parts=lambda network: [(network.trunk, recipe.optimizer.trunk_lr), (network.fc8, 1.0)],
        batches=batches,
        loss=loss,
        score=score,
        rises="mAP",
    )
    return summary(scores(network, test, range(len(test)), recipe.crops), test)


def summary(scores: NDArray[np.float32], pictures: Pictures) -> dict[str, Any]:
    """Mean average precision in per cent, and each class's by the mean of all random crops.

    Args:
        scores: (pictures, random crops and the centre, classes).
    """
    crops = scores.shape[1] - 1
    means = {"1 crop": scores[:, 0], "centre": scores[:, -1]}
    if crops > 1:
        means = {f"{crops} crops": scores[:, :crops].mean(1), **means}
    found = {name: class_precisions(each, pictures.labels) for name, each in means.items()}
    return {
        "mAP": {name: mean_precision(each) for name, each in found.items()},
        "class": class_table(next(iter(found.values())), pictures.labels, pictures.classes),
    }


@torch.no_grad()
def crop_scores(
    network: nn.Module, session: Session, make: ManyCrops, numbers: Sequence[int]
) -> list[NDArray[np.float32]]:
    """Scores of each crop of some test pictures, (crops + 1, classes) each."""
    found: list[NDArray[np.float32]] = []
    for made in in_order(make, numbers, batch_size=_TEST_BATCH, workers=session.recipe.workers):
        crops = np.stack(made)
        scores = network(session.look(planes(crops.reshape(-1, *crops.shape[2:])).to(session.device)))
        found += [*scores.float().cpu().numpy().reshape(*crops.shape[:2], -1)]
    return found
