"""Segmentation from its recipe to its scores."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tintype.data import DataError
from tintype.data.masks import Segmented
from tintype.networks.segmenter import FCN32s, HypercolumnSegmenter, pad_first_layer
from tintype.networks.trunk import Trunk
from tintype.recipes import RecipeError
from tintype.transfer.confusion import segmentation_scores
from tintype.transfer.segment.data import open_data, without_held_out
from tintype.transfer.segment.loss import segmentation_loss
from tintype.transfer.segment.predict import confusion_of
from tintype.transfer.segment.recipe import FCN32sHead, HypercolumnHead, SegmentRecipe
from tintype.transfer.segment.samples import Batch, Sample, crop_pair, draw_points, make_sample, pad_pair
from tintype.transfer.session import Session

Segmenter = HypercolumnSegmenter | FCN32s


def run(session: Session) -> dict[str, Any]:
    """Fine-tune and return scores, in percent."""
    recipe = session.recipe
    assert isinstance(recipe, SegmentRecipe)
    data = open_data(session.sources, recipe)
    session.facts |= data.described
    if recipe.save_masks and len(data.test) > len({pair.name for pair in data.test.pairs}):
        raise DataError("key 'save_masks' is true, but several test images have the same name")
    less, held_out = without_held_out(data.train, recipe.schedule)
    if not recipe.crop:  # one image at a time, however large the batch
        session.compute = replace(session.compute, accumulate=recipe.batch_size // session.share[1])

    def build() -> Segmenter:
        trunk = session.trunk(lambda: data.pictures(recipe.crop, recipe.seed))
        if recipe.crop % trunk.multiple:
            raise RecipeError(f"key 'crop' is {recipe.crop}; this trunk needs a multiple of {trunk.multiple}")
        torch.manual_seed(recipe.seed)
        return make_segmenter(trunk, recipe.head, len(data.names)).to(session.device)

    def batches(without: bool, start: int) -> Iterator[Batch]:
        images = less if without else data.train
        make = partial(sample_of, images, recipe, multiple=session.subject.trunk.multiple)
        for samples in session.feed(make, len(images), start):
            yield Batch.of(samples, recipe.void)

    def loss(model: nn.Module, batch: Batch, step: int, first: int) -> Tensor:
        if batch.sparse and session.share[1] > 1:  # of the joint batch, not of this process's share
            count = session.accelerator.reduce(batch.counts[:1].clone(), "mean")
            batch = replace(batch, counts=count.expand(len(batch)))
        return segmentation_loss(model, session.look, batch, recipe.void)

    def counts(network: nn.Module, images: Segmented, **options: Any) -> Tensor:
        return confusion_of(network, session.look, images, session.subject.trunk.multiple, **options)

    def score(network: nn.Module) -> Mapping[str, float]:
        return {"mean_iu": 100 * segmentation_scores(counts(network, held_out)).mean_iu}

    network = session.fit(
        build,
        parts=lambda network: parts_of(network, recipe.optimizer.trunk_lr),
        batches=batches,
        loss=loss,
        score=score,
        rises="mean_iu",
    )
    masks = session.run / "masks" if recipe.save_masks else None
    mine = counts(network, data.test, share=session.share, masks=masks)
    return summary(session.accelerator.reduce(mine.to(session.device), "sum").cpu(), data.names)


def make_segmenter(trunk: Trunk, head: HypercolumnHead | FCN32sHead, classes: int) -> Segmenter:
    """A recipe's network.

    Raises:
        RecipeError: head and trunk do not go together.
    """
    try:
        if isinstance(head, HypercolumnHead):
            return HypercolumnSegmenter(trunk, classes, head.layers, head.width, head.dropout, head.fov)
        if head.padding:
            pad_first_layer(trunk, head.padding)
        return FCN32s(trunk, classes)
    except ValueError as error:
        raise RecipeError(f"key 'head': {error}") from error


def parts_of(network: Segmenter, trunk_lr: float) -> list[tuple[nn.Module, float]]:
    """What is trained, each with its factor on the learning rate."""
    return [(part, trunk_lr if name == "trunk" else 1.0) for name, part in network.named_children()]


def sample_of(
    images: Segmented, recipe: SegmentRecipe, number: int, rng: np.random.Generator, *, multiple: int
) -> Sample:
    """What is trained on of an image: a random square, at random points if the head is for these, or the whole image.

    Raises:
        DataError: the image or its mask cannot be read.
    """
    pixels, mask = images.read(number)
    if not recipe.crop:
        step = -1 if rng.random() < 0.5 and recipe.flip else 1
        return make_sample(*pad_pair(pixels[:, ::step], mask[:, ::step], multiple, images.void), None)
    pixels, mask = crop_pair(pixels, mask, rng, side=recipe.crop, flip=recipe.flip, void=images.void)
    points = None
    if isinstance(recipe.head, HypercolumnHead):
        points = draw_points(mask, rng, count=recipe.head.points, edge=recipe.head.edge)
    return make_sample(pixels, mask, points)


def summary(counts: Tensor, names: tuple[str, ...]) -> dict[str, Any]:
    """Scores of a confusion matrix in percent; None for a class that is not there."""
    scores = segmentation_scores(counts)

    def percent(value: float) -> float | None:
        return None if math.isnan(value) else round(100 * value, 4)

    each = zip(names, scores.class_iu.tolist(), scores.class_accuracy.tolist(), strict=True)
    return {
        "class": {name: {"iu": percent(iu), "accuracy": percent(accuracy)} for name, iu, accuracy in each},
        "mean_iu": percent(scores.mean_iu),
        "mean_accuracy": percent(scores.mean_accuracy),
        "pixel_accuracy": percent(scores.pixel_accuracy),
    }
