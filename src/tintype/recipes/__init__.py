"""Recipes: YAML to checked dataclasses, and from their words to optimizers, learning rates and files of weights."""

from tintype.recipes.parse import Range, RecipeError, flatten, parse

__all__ = ["Range", "RecipeError", "flatten", "parse"]
