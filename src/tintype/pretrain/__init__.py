"""Pretraining by colorization, and its recipes."""

from tintype.pretrain.parse import RecipeError
from tintype.pretrain.recipe import Recipe, bundled_recipes, load_recipe

__all__ = ["Recipe", "RecipeError", "bundled_recipes", "load_recipe"]
