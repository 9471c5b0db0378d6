"""What a weights file says about itself."""

from dataclasses import asdict
from typing import Any

from tintype.networks import Network
from tintype.objectives import Bins, Histograms, Objective
from tintype.pretrain.build import head_options
from tintype.pretrain.places import target_origin
from tintype.pretrain.recipe import Recipe
from tintype.training.record import versions

FORMAT = 1
_INPUTS = {"lightness": "L", "mean": "100 (R + G + B) / 3"}


def describe(recipe: Recipe, network: Network, trained: Objective, steps: int, data: str) -> dict[str, Any]:
    """The metadata of a recipe's trained weights (DESIGN: Formats).

    Args:
        network: the recipe's.
        trained: the run's objective. How `bins` weighted its colours is kept, so that it can be undone in part later.
        steps: updates made.
        data: the photographs, in words.
    """
    origin = network.head.origin
    if origin is None:  # it has learned where its targets were
        origin = target_origin(recipe.sampling, network.stride, isinstance(trained, Histograms))
    return {
        "format": FORMAT,
        "name": recipe.name,
        "trunk": recipe.trunk,
        "head": recipe.head.name,
        "head_options": head_options(recipe),
        "objective": recipe.objective.name,
        "objective_options": {k: v for k, v in asdict(recipe.objective).items() if k != "name"},
        "in_chans": 1,
        "channels": trained.channels,
        "input": recipe.input,
        "colour_space": f"CIE Lab, D65; the input is {_INPUTS[recipe.input]} in [0, 100]",
        "mean": network.trunk.mean,  # of the input; the trunk itself subtracts it and divides by std
        "std": network.trunk.std,
        "stride": network.stride,
        "ab_origin": origin + 0.5,  # where the first prediction's centre lies, in pixels from the picture's edge
        "input_size": recipe.input_size,
        "temperature": getattr(trained, "temperature", 1.0),
        "recipe": recipe.name,
        "settings": asdict(recipe),
        "data": data,
        "steps": steps,
        **({"rarity": [float(f"{w:.6g}") for w in trained.rarity.tolist()]} if isinstance(trained, Bins) else {}),
        "versions": versions(("tintype", "torch", "timm")),
    }
