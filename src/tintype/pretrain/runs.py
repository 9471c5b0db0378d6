"""The folder of a run: starting one, and going on with one."""

import os
from pathlib import Path

from tintype.pretrain.classification_recipe import ClassificationRecipe
from tintype.pretrain.parse import RecipeError
from tintype.pretrain.recipe import Recipe
from tintype.pretrain.recipe_file import different_keys, load_recipe
from tintype.training import TrainingError

TEMPORARY = ".recipe.yaml.tmp"  # all that a run which was killed at its very start leaves


def open_run(run: Path, recipe: Recipe | ClassificationRecipe, resume: bool) -> None:
    """Make the folder of a new run, or check that a run can go on by this recipe; then write its recipe.yaml.

    Raises:
        TrainingError: a new run's folder holds something already (nothing of it is touched), or there is no run there
            to go on with.
        RecipeError: the run was started with another recipe; names the keys.
    """
    written = run / "recipe.yaml"
    if resume:
        if not written.is_file():
            raise TrainingError(
                f"{run}: there is no run to resume here (no recipe.yaml); leave out --resume to start one"
            )
        before = load_recipe(written)
        keys = different_keys(before, recipe)
        if keys:
            raise RecipeError(f"{run}: was started with other values of {', '.join(keys)}; resume with {written}")
    elif run.exists() and (not run.is_dir() or any(left.name != TEMPORARY for left in run.iterdir())):
        raise TrainingError(f"{run}: is not empty; go on with --resume, or choose another folder with --out")
    run.mkdir(parents=True, exist_ok=True)
    temporary = run / TEMPORARY
    with temporary.open("w", encoding="utf-8") as file:
        file.write(recipe.to_yaml())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(written)
