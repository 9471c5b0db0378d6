"""The folder of a run: starting one, and going on with one."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tintype.recipes.blocks import to_yaml
from tintype.recipes.file import different_keys
from tintype.recipes.parse import RecipeError
from tintype.training import TrainingError

TEMPORARY = ".recipe.yaml.tmp"  # all that a run which was killed at its very start leaves


def open_run(run: Path, values: Mapping[str, Any], load: Callable[[Path], Mapping[str, Any]], resume: bool) -> None:
    """Make the folder of a new run, or check that a run can go on by this recipe; then write its recipe.yaml.

    Args:
        run: the folder.
        values: of the resolved recipe, with every default written out.
        load: reads a resolved recipe; what it lacks is filled in.
        resume: whether to go on.

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
        keys = different_keys(load(written), values)
        if keys:
            raise RecipeError(f"{run}: was started with other values of {', '.join(keys)}; resume with {written}")
    elif run.exists() and not (run.is_dir() and _made_nothing(run, load)):
        raise TrainingError(f"{run}: is not empty; go on with --resume, or choose another folder with --out")
    run.mkdir(parents=True, exist_ok=True)
    temporary = run / TEMPORARY
    with temporary.open("w", encoding="utf-8") as file:
        file.write(to_yaml(values))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(written)


def _made_nothing(run: Path, load: Callable[[Path], Mapping[str, Any]]) -> bool:
    """Whether a folder holds at most the recipe that a run wrote, which then found something wrong and ended."""
    if {left.name for left in run.iterdir()} - {TEMPORARY, "recipe.yaml"}:
        return False
    written = run / "recipe.yaml"
    try:  # one that a person wrote, with comments or without defaults, is not to be lost
        return not written.exists() or written.read_text("utf-8") == to_yaml(load(written))
    except (OSError, ValueError):
        return False
