"""The network that a run trains, on torch's `meta` device: shapes without memory, to count before anything runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from tintype.networks import build_network
from tintype.networks.classifier import Classifier
from tintype.networks.trunk import Trunk
from tintype.pretrain import ClassificationRecipe, Recipe, load_recipe
from tintype.pretrain.build import head_options, prediction_channels
from tintype.pretrain.recipe import HypercolumnHead
from tintype.tables.plan import Run
from tintype.training.flops import training_flops
from tintype.transfer.classify import ClassifyRecipe
from tintype.transfer.detect.network import FastRCNN
from tintype.transfer.detect.recipe import DetectRecipe
from tintype.transfer.linear import LinearRecipe, Probes, chosen_layers
from tintype.transfer.low_shot import FineTuned, LowShotRecipe
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.recipe_file import load_task
from tintype.transfer.segment.recipe import HypercolumnHead as Segmenting
from tintype.transfer.segment.recipe import SegmentRecipe
from tintype.transfer.segment.run import make_segmenter
from tintype.transfer.subject import open_subject
from tintype.transfer.voc_classifier import VocClassifier, crop_side, freeze_before

Known = Recipe | ClassificationRecipe | TransferRecipe

CLASSES = 1000  # ImageNet's; how many a run really has stands in its data, and is no more in any table of the papers
VOC = 20
PICTURES = 2  # of a counted step; batch-norm wants more than one
_MADE = re.compile(r"{([\w-]+)}")


def recipe_of(run: Run, runs: Mapping[str, Run]) -> Known | None:
    """The recipe that a run follows, but for what changes nothing of its cost; None for runs that train nothing.

    Of a transfer it names the trunk, if that is known. What is done to batch-norms hardly weighs.

    Args:
        run: one of a plan.
        runs: all of them.

    Raises:
        RecipeError: there is no recipe of that name, or a setting is wrong; in one line.
    """
    if run.kind not in ("pretrain", "transfer"):
        return None
    given = (value for word, value in zip(run.words, run.words[1:], strict=False) if word == "--set")
    settings = [_MADE.sub("runs/other", setting) for setting in given]
    if run.kind == "pretrain":
        return replace(load_recipe(run.words[1], settings), seed=0)
    recipe = load_task(run.words[1], settings)
    made = _MADE.fullmatch(run.words[run.words.index("--weights") + 1])
    start = recipe_of(runs[made[1]], runs) if made else None
    surgery = replace(recipe.surgery, rebalance=False, batch_norm="tuned")
    recipe = replace(recipe, seed=0, trunk=start.trunk if start else recipe.trunk, surgery=surgery)
    return replace(recipe, per_class=0) if isinstance(recipe, LinearRecipe | LowShotRecipe) else recipe


def blank_network(recipe: Known) -> nn.Module | None:
    """A recipe's network; None where it trains none, or its trunk is not known.

    Raises:
        ValueError: parts of the recipe do not go together.
    """
    with torch.device("meta"):
        if isinstance(recipe, Recipe):
            channels = prediction_channels(recipe.objective)
            return build_network(recipe.trunk, recipe.head.name, channels, **head_options(recipe))
        if isinstance(recipe, ClassificationRecipe):
            return Classifier(recipe.trunk, CLASSES, 3 if recipe.input == "colour" else 1, layer=recipe.layer)
        return None if recipe.trunk == "weights" else _for_task(recipe)


def _for_task(recipe: TransferRecipe) -> nn.Module | None:
    trunk = open_subject("random", recipe.trunk, recipe.surgery, _no_pictures, torch.device("meta"), 0).trunk
    if isinstance(recipe, LinearRecipe) and recipe.probe == "sgd":
        layers = chosen_layers(trunk, recipe.layers)
        trunk.end_at(max(layers, key=list(trunk.strides).index))
        return Probes(trunk, layers, CLASSES, recipe, recipe.trunk)
    if isinstance(recipe, LowShotRecipe):
        return FineTuned(trunk, recipe.layer, CLASSES)
    if isinstance(recipe, SegmentRecipe):
        return make_segmenter(trunk, recipe.head, recipe.classes)
    if isinstance(recipe, ClassifyRecipe):
        freeze_before(trunk, recipe.train_from)
        return VocClassifier(trunk, VOC)
    if isinstance(recipe, DetectRecipe):
        return FastRCNN(trunk, VOC, None if recipe.layer == "usual" else recipe.layer, recipe.pooled or None)
    return None


def _no_pictures() -> Tensor:
    raise ValueError("there are no pictures yet")


def operations_of_one(network: nn.Module, recipe: Known) -> float:
    """Floating-point operations for one picture of an average step, forward and backward; 0: not known, as where
    pictures have sizes of their own."""
    if isinstance(recipe, DetectRecipe) or (isinstance(recipe, SegmentRecipe) and not recipe.crop):
        return 0.0
    trunk = network.get_submodule("trunk")
    assert isinstance(trunk, Trunk)

    def loss(side: int, model: nn.Module) -> Tensor:
        picture = torch.empty(PICTURES, trunk.in_chans, side, side, device="meta")
        points = _points(recipe)
        given = () if not points else (torch.empty(PICTURES, points, 2, device="meta"),)
        total: Tensor = model(picture, *given).float().mean()
        return total

    shares = _sides(recipe, trunk)
    return sum(share * training_flops(network, partial(loss, side)) for share, side in shares) / PICTURES


def _points(recipe: Known) -> int:
    """Places at which a hypercolumn is trained; 0 for other heads."""
    head = getattr(recipe, "head", None)
    return head.points if isinstance(head, HypercolumnHead | Segmenting) else 0


def _sides(recipe: Known, trunk: Trunk) -> Sequence[tuple[float, int]]:
    """Sides of the pictures, each with its share of the steps."""
    if not isinstance(recipe, TransferRecipe):
        data = recipe.data
        early = data.early if data.early_crop else 0.0
        both = ((1 - early, data.crop), (early, data.early_crop))
        return [(share, side) for share, side in both if share]
    crop: int = getattr(recipe, "crop")  # noqa: B009
    return [(1.0, crop_side(trunk, crop))]
