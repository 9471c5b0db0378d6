"""Pretraining by colorization and by classification, and its recipes."""

from tintype.pretrain.classification_recipe import ClassificationRecipe
from tintype.pretrain.recipe import Recipe
from tintype.pretrain.recipe_file import bundled_recipes, load_recipe
from tintype.recipes import RecipeError

__all__ = ["ClassificationRecipe", "Recipe", "RecipeError", "bundled_recipes", "load_recipe"]
