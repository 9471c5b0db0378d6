"""What a weights file says about itself."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from tintype.networks import Network
from tintype.objectives import Bins, Regression
from tintype.pretrain.build import head_options
from tintype.pretrain.recipe import Recipe

FORMAT = 1


def describe(recipe: Recipe, network: Network, trained: Bins | Regression, steps: int, data: str) -> dict[str, Any]:
    """The metadata of a recipe's trained weights (DESIGN: Formats).

    Args:
        network: the recipe's.
        trained: the run's objective. How `bins` weighted its colours is kept, so that it can be undone in part later.
        steps: updates made.
        data: the photographs, in words.
    """
    return {
        "format": FORMAT,
        "name": recipe.name,
        "trunk": recipe.trunk,
        "head": recipe.head.name,
        "head_options": head_options(recipe.head),
        "objective": recipe.objective.name,
        "in_chans": 1,
        "channels": trained.channels,
        "colour_space": "CIE Lab, D65; the input is L in [0, 100]",
        "mean": network.trunk.mean,  # of L; the trunk itself subtracts it and divides by std
        "std": network.trunk.std,
        "stride": Network.stride,
        # Where, in input pixels, the first prediction's centre lies: targets were pixels 0, 4, 8 …, or means of 4x4.
        "ab_origin": 0.5 if recipe.sampling == "point" else Network.stride / 2,
        "input_size": recipe.input_size,
        "temperature": getattr(trained, "temperature", 1.0),
        "recipe": recipe.name,
        "settings": asdict(recipe),
        "data": data,
        "steps": steps,
        **({"rarity": [float(f"{w:.6g}") for w in trained.rarity.tolist()]} if isinstance(trained, Bins) else {}),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in ("tintype", "torch", "timm")},
        },
    }
