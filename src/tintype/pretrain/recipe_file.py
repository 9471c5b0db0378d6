"""Recipes of pretraining as files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tintype.pretrain.classification_recipe import ClassificationRecipe, is_classification
from tintype.pretrain.recipe import Recipe
from tintype.recipes import RecipeError, file, parse

PACKAGE = "tintype.pretrain"


def bundled_recipes() -> list[str]:
    """Names of the recipes that come with tintype."""
    return file.bundled(PACKAGE)


def load_recipe(recipe: str | Path, settings: Sequence[str] = ()) -> Recipe | ClassificationRecipe:
    """Read and check a recipe.

    Args:
        recipe, settings: as of `tintype.recipes.file.read_recipe`.

    Raises:
        RecipeError: there is no such recipe, or something in it or the settings is wrong.
    """
    source, values = file.read_recipe(recipe, PACKAGE, settings)
    try:
        return parse(ClassificationRecipe, values) if is_classification(values) else parse(Recipe, values)
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from error


def different_keys(before: Recipe | ClassificationRecipe, after: Recipe | ClassificationRecipe) -> list[str]:
    """Dotted keys in which two recipes differ so that one cannot go on from the other's checkpoint."""
    return file.different_keys(asdict(before), asdict(after))


def resolved(recipe: str | Path) -> dict[str, Any]:
    """A recipe's values, with every default. Raises RecipeError."""
    return asdict(load_recipe(recipe))
