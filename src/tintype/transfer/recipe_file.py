"""Recipes of transfer as files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tintype.recipes import RecipeError, file, parse
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.tasks import TASKS

PACKAGE = "tintype.transfer"


def bundled_tasks() -> list[str]:
    """Names of the tasks' recipes that come with tintype."""
    return file.bundled(PACKAGE)


def load_task(recipe: str | Path, settings: Sequence[str] = ()) -> TransferRecipe:
    """Read and check a recipe of transfer.

    Args:
        recipe, settings: as of `tintype.recipes.file.read_recipe`.

    Raises:
        RecipeError: there is no such recipe, or something in it or the settings is wrong.
    """
    source, values = file.read_recipe(recipe, PACKAGE, settings)
    task = values.get("task")
    if task not in list(TASKS):  # what YAML reads need not be hashable
        raise RecipeError(f"{source}: key 'task' is {task!r}; it must be {' or '.join(TASKS)}")
    try:
        return parse(TASKS[task].recipe, values)
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from error


def resolved(recipe: str | Path) -> dict[str, Any]:
    """A recipe's values, with every default. Raises RecipeError."""
    return asdict(load_task(recipe))
