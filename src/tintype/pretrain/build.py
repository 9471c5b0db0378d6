"""From a recipe's words to networks, objectives, optimizers and learning rates."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tintype.networks import HEADS, Network, build_network, load_weights
from tintype.networks.bundle import read_bundle
from tintype.networks.classifier import Classifier
from tintype.networks.inputs import first_convolution
from tintype.networks.surgery import grey_first_layer, rgb_first_layer
from tintype.networks.timm_trunk import check_known
from tintype.networks.trunk import Trunk
from tintype.networks.weights import is_ours
from tintype.objectives import Autoencoder, Bins, Histograms, Objective, Regression
from tintype.pretrain.classification_recipe import ClassificationRecipe
from tintype.pretrain.places import target_origin
from tintype.pretrain.recipe import (
    AutoencoderObjective,
    BinsObjective,
    HistogramsObjective,
    ObjectiveRecipe,
    Recipe,
    RegressionObjective,
)
from tintype.pretrain.refine import Refinement
from tintype.recipes import RecipeError, optim
from tintype.recipes.blocks import Optimizer as OptimizerRecipe
from tintype.recipes.weights import file_of


def make_network(recipe: Recipe) -> Network:
    """The recipe's network, with its pretrained weights if it names any.

    Raises:
        RecipeError: the parts do not go together, or the weights are missing or do not fit.
    """
    path = file_of(recipe.pretrained, "pretrained", recipe.name)
    ours = path is not None and (path.suffix == ".onnx" or (path.suffix == ".safetensors" and is_ours(path)))
    try:
        network = build_network(
            recipe.trunk,
            recipe.head.name,
            prediction_channels(recipe.objective),
            pretrained=None if ours else path,
            **head_options(recipe),
        )
    except ValueError as error:
        raise RecipeError(f"recipe {recipe.name}: {error}") from error
    if ours:
        assert path is not None
        _start_from(network, path, recipe.fix_statistics)
    if recipe.fix_statistics:
        network.fix_statistics()
    if recipe.freeze != "none":
        with _blaming("freeze"):
            network.trunk.freeze(recipe.freeze)
    for key in ("crop", "early_crop"):
        if getattr(recipe.data, key) % network.multiple:
            raise RecipeError(
                f"key 'data.{key}' is {getattr(recipe.data, key)}; trunk {recipe.trunk} needs a multiple of its "
                f"stride, {network.multiple}"
            )
    return network


def head_options(recipe: Recipe) -> dict[str, Any]:
    """The head's arguments besides its name and where it is trained."""
    options = {key: value for key, value in asdict(recipe.head).items() if key not in ("name", "points", "edge")}
    if recipe.head.name == "linear" and recipe.sampling != "point":
        windows = isinstance(recipe.objective, HistogramsObjective)
        options["origin"] = target_origin(recipe.sampling, HEADS["linear"].stride, windows)
    return options


def prediction_channels(objective: ObjectiveRecipe) -> int:
    """K, what the recipe's objective predicts for each place."""
    if isinstance(objective, HistogramsObjective):
        return 2 * objective.bins
    if isinstance(objective, AutoencoderObjective):
        return Autoencoder.channels
    return Bins.channels if isinstance(objective, BinsObjective) else Regression.channels


def make_objective(objective: ObjectiveRecipe, prior: Tensor | None) -> Objective:
    """The recipe's objective.

    Args:
        prior: (313,), for `bins` with rebalancing.
    """
    if isinstance(objective, AutoencoderObjective):
        return Autoencoder()
    if isinstance(objective, RegressionObjective):
        return Regression(objective.form)
    if isinstance(objective, HistogramsObjective):
        return Histograms(
            objective.bins, objective.window, objective.hue_weight, objective.midtones, objective.decoding
        )
    return Bins(objective.k, objective.sigma, prior, objective.uniform, objective.drop_grey, objective.rebalance)


def make_classifier(recipe: ClassificationRecipe, classes: int) -> Classifier:
    """The recipe's classifier, its trunk with pretrained weights if it names any.

    Raises:
        RecipeError: there is no such trunk, or the weights are missing or do not fit.
    """
    path = file_of(recipe.pretrained, "pretrained", recipe.name)
    ours = path is not None and path.suffix == ".safetensors" and is_ours(path)
    in_chans = 3 if recipe.input == "colour" else 1
    try:
        network = Classifier(recipe.trunk, classes, in_chans, None if ours else path, recipe.layer)
    except ValueError as error:
        raise RecipeError(f"recipe {recipe.name}: {error}") from error
    if ours:
        assert path is not None
        _start_trunk(network.trunk, recipe.trunk, path)
    if recipe.freeze != "none":
        with _blaming("freeze"):
            network.trunk.freeze(recipe.freeze)
    return network


def make_optimizer(network: Network | Classifier, recipe: OptimizerRecipe) -> torch.optim.Optimizer:
    """The recipe's optimizer, with its own rate for the trunk."""
    return optim.make_optimizer([(network.trunk, recipe.trunk_lr), (network.head, 1.0)], recipe)


def learning_rate(recipe: Recipe | ClassificationRecipe) -> Callable[[int], float]:
    """The rate of each update, counted from 0."""
    return optim.learning_rate(recipe.schedule, recipe.optimizer.lr, recipe.steps)


def make_refinement(recipe: Recipe) -> Refinement | None:
    """The losses of the recipe's `refine` block; None where it has none.

    Raises:
        RecipeError: the classifier's weights are missing or do not fit.
    """
    refine = recipe.refine
    if not (refine.colour or refine.neutral or refine.features):
        return None
    weights = None
    if refine.features:
        with _blaming("refine"):
            check_known(refine.classifier)  # before the weights, whose default is for another
        weights = file_of(refine.classifier_weights, "refine.classifier_weights", recipe.name)
    with _blaming("refine"):
        return Refinement(refine, weights)


@contextmanager
def _blaming(key: str) -> Iterator[None]:
    """What is wrong in here is a recipe's key's fault."""
    try:
        yield
    except ValueError as error:
        raise RecipeError(f"key '{key}': {error}") from error


def _start_trunk(trunk: Trunk, name: str, path: Path) -> None:
    """Load the trunk of a run, its first filters copied to three channels or summed to one where the inputs differ."""
    tensors, metadata = load_weights(path)
    given = {name.removeprefix("trunk."): value for name, value in tensors.items() if name.startswith("trunk.")}
    theirs = metadata.get("trunk")
    if theirs != name:
        raise RecipeError(f"key 'pretrained': {path} holds trunk {theirs}, this recipe's is {name}")
    missing = [key for key in trunk.state_dict() if key not in given]
    if missing:
        raise RecipeError(
            f"key 'pretrained': {path} holds the lower layers of {name} only, those that its head reads (not "
            f"{missing[0]})"
        )
    first = f"{first_convolution(trunk)[0]}.weight"
    if given[first].shape[1] != trunk.in_chans:
        given[first] = (rgb_first_layer if trunk.in_chans == 3 else grey_first_layer)(given[first])
    trunk.load_state_dict({key: given[key] for key in trunk.state_dict()})


def _start_from(network: Network, path: Path, fixed: bool) -> None:
    """Load a colorizer's weights; a prediction layer of another size (another objective) keeps its random start."""
    if path.suffix == ".onnx":
        if not fixed:
            raise RecipeError(
                f"key 'pretrained' is {path.name}: a bundle has no batch-norm statistics; add fix_statistics: true"
            )
        with _blaming("pretrained"):
            rebuilt, metadata = read_bundle(path)
        tensors = rebuilt.state_dict()
    else:
        tensors, metadata = load_weights(path)
    own = network.state_dict()
    fits = {
        name: tensor
        for name, tensor in tensors.items()
        if not (name.startswith("head.predict.") and name in own and own[name].shape != tensor.shape)
    }
    strange = [name for name, tensor in fits.items() if name not in own or own[name].shape != tensor.shape]
    missing = [name for name in own if name not in fits and not name.startswith("head.predict.")]
    if strange or missing:
        raise RecipeError(
            f"key 'pretrained': {path} holds trunk {metadata.get('trunk')} with head {metadata.get('head')}, "
            f"which does not fit this recipe (first at {(strange + missing)[0]})"
        )
    network.load_state_dict(fits, strict=False)
