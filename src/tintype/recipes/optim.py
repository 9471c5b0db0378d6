"""From a recipe's words to optimizers, learning rates and plans."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import torch
from torch import nn

from tintype.recipes.blocks import CosineSchedule, Optimizer, Schedule, StepsSchedule
from tintype.recipes.parse import RecipeError
from tintype.training import Plan
from tintype.training.schedule import cosine, piecewise


def make_optimizer(parts: Iterable[tuple[nn.Module, float]], recipe: Optimizer) -> torch.optim.Optimizer:
    """The recipe's optimizer. Each parameter group has its "factor" on the learning rate.

    Args:
        parts: of the network, each with its own factor.
        recipe: the optimizer's.

    adamw leaves biases and norms out of weight decay, as is usual with it; adam and sgd do not, as in Caffe, unless
    the recipe says so of biases.
    """
    groups: list[dict[str, Any]] = []
    for part, factor in parts:
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
        return torch.optim.SGD(groups, recipe.lr, momentum=first, nesterov=recipe.nesterov)
    kind = torch.optim.Adam if recipe.name == "adam" else torch.optim.AdamW
    return kind(groups, recipe.lr, betas=(first, second))


def learning_rate(schedule: Schedule, base: float, steps: int) -> Callable[[int], float]:
    """The rate of each update, counted from 0.

    Args:
        schedule: the recipe's.
        base: the optimizer's rate.
        steps: length of the run.
    """
    if isinstance(schedule, StepsSchedule):
        return lambda step: base * piecewise(step, schedule.milestones, schedule.factors)
    if isinstance(schedule, CosineSchedule):
        return lambda step: base * cosine(step, steps, schedule.warmup, schedule.floor)
    return lambda step: base


def make_plan(recipe: Any, steps: int) -> Plan:
    """How long a run is, and what it does how often, which recipes say under the names of `Plan`.

    Args:
        recipe: of pretraining or of transfer.
        steps: updates in all.
    """
    said = {field.name for field in fields(Plan)} - {"steps", "clip"}
    return Plan(steps=steps, clip=recipe.optimizer.clip, **{name: getattr(recipe, name) for name in said})


def check_shares(batch_size: int, processes: int, parts: int) -> None:
    """Check that a batch can be shared evenly by processes, each of which goes through its share in parts.

    Raises:
        RecipeError: it cannot.
    """
    if batch_size % (processes * parts):
        shares = f"the {processes} processes" + (f" times {parts} parts (--accumulate)" if parts > 1 else "")
        raise RecipeError(f"key 'batch_size' is {batch_size}; it must be a multiple of {shares}")
