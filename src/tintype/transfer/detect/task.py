"""Detection with Fast R-CNN (Girshick 2015; Zhang16, Table 2; PAPERS B3).

tintype transfer detect --weights runs/color --data VOCdevkit/ --out runs/voc07
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tintype.data.voc import CLASSES
from tintype.recipes import RecipeError
from tintype.transfer.average_precision import AveragePrecision, mean_over_classes
from tintype.transfer.detect.data import DetectData, open_data
from tintype.transfer.detect.devkit import write_detections
from tintype.transfer.detect.network import FastRCNN
from tintype.transfer.detect.pictures import Examined, Examples, Scale, Views
from tintype.transfer.detect.predict import detect, loss
from tintype.transfer.detect.recipe import DetectRecipe
from tintype.transfer.detection import Detections, detection_average_precision
from tintype.transfer.feed import in_order
from tintype.transfer.session import Session


def run(session: Session) -> dict[str, Any]:
    """Train a detector and return its average precision in percent, by both rules of the devkits."""
    recipe = session.recipe
    assert isinstance(recipe, DetectRecipe)
    torch.backends.cudnn.benchmark = False  # pictures have many sizes, and each would be tried out anew
    train, test = open_data(session)
    less, rest = train.without_held_out(recipe.schedule)

    def build() -> FastRCNN:
        trunk = session.trunk(train.pictures)
        torch.manual_seed(recipe.seed)
        layer = None if recipe.layer == "usual" else recipe.layer
        try:
            return FastRCNN(trunk, len(CLASSES), layer, recipe.pooled or None).to(session.device)
        except ValueError as error:
            raise RecipeError(str(error)) from error

    def batches(without: bool, start: int) -> Iterator[Examined]:
        examples = examples_of(less if without else train, recipe)
        for batch in session.feed(examples, len(examples.photographs), start):
            yield Examined.of(batch)

    def step_loss(model: nn.Module, examined: Examined, step: int, first: int) -> Tensor:
        pictures, rois, labels, targets = examined.batch
        scores, offsets = model([session.look(picture[None])[0] for picture in pictures], rois)
        return sum(loss(scores, offsets, torch.cat(labels), torch.cat(targets), len(pictures) * recipe.rois))  # type: ignore[return-value]

    def found_of_all(network: nn.Module, data: DetectData) -> list[Detections]:
        return session.together(range(len(data)), lambda own: found_in(session, network, data, own))

    def score(network: nn.Module) -> Mapping[str, float]:
        found = found_of_all(network, rest)
        return {"map_11_point": 100 * mean_over_classes(average_precisions(found, rest)).eleven_point}

    network = session.fit(
        build,
        parts=lambda network: parts(network, recipe.optimizer.trunk_lr),
        batches=batches,
        loss=step_loss,
        score=score,
        rises="map_11_point",
    )
    found = found_of_all(network, test)
    if recipe.save_detections and session.accelerator.is_main_process:
        write_detections(session.run / "detections", recipe.test, test.names, found, CLASSES)
    return results(average_precisions(found, test))


def parts(network: FastRCNN, trunk_lr: float) -> list[tuple[nn.Module, float]]:
    """What is trained, each with its factor on the learning rate."""
    head = trunk_lr if network.head.pretrained else 1.0
    return [(network.trunk, trunk_lr), (network.head, head), (network.scores, 1.0), (network.offsets, 1.0)]


def examples_of(data: DetectData, recipe: DetectRecipe) -> Examples:
    """What is learned from pictures, as a recipe says."""
    scales = [Scale(short, recipe.longest) for short in recipe.scales]
    return Examples(data.photographs, data.boxes, data.proposals, scales, recipe.quota, recipe.flip)


def found_in(session: Session, network: nn.Module, data: DetectData, numbers: Sequence[int]) -> list[Detections]:
    """Detections in some of the pictures."""
    recipe = session.recipe
    assert isinstance(recipe, DetectRecipe)
    views = Views(data.photographs, data.proposals, Scale(recipe.test_scale, recipe.test_longest))
    found = []
    for ((picture, rois, size),) in in_order(views, numbers, batch_size=1, workers=recipe.workers):
        shown = session.look(picture[None].to(session.device))[0]
        found.append(detect(network, shown, rois.to(session.device), size, recipe.keep_boxes))
    return found


def average_precisions(found: Sequence[Detections], data: DetectData) -> list[AveragePrecision]:
    """Of each class; NaN where the pictures have none of it."""
    return detection_average_precision(found, data.boxes, len(CLASSES), inclusive=True)


def results(classes: Sequence[AveragePrecision]) -> dict[str, Any]:
    """In percent, for results.json."""
    mean = mean_over_classes(classes)
    return {
        "map_11_point": 100 * mean.eleven_point,
        "map_area": 100 * mean.area,
        "classes": {
            name: {"ap_11_point": 100 * each.eleven_point, "ap_area": 100 * each.area}
            for name, each in zip(CLASSES, classes, strict=True)
            if not math.isnan(each.area)
        },
    }
