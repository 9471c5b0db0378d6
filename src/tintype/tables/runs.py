"""Runs of `tintype pretrain` as models that can be measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.export import ExportError, export
from tintype.networks.foreign import sha256_of
from tintype.pretrain import ClassificationRecipe, Recipe, bundled_recipes, load_recipe
from tintype.pretrain.recipe_file import different_keys
from tintype.runtime.model import load_model


@dataclass(frozen=True)
class Run:
    """A run's folder.

    Attributes:
        folder: as it was given.
        recipe: the recipe's name.
        changed: keys whose values are not those of the recipe that comes with tintype.
        model: its .onnx, if one is there.
    """

    folder: Path
    recipe: str
    changed: tuple[str, ...]
    model: Path | None


def read_run(folder: Path) -> Run:
    """What a run says of itself.

    Raises:
        ValueError: it is no run, or has several .onnx files; in one line.
    """
    written = folder / "recipe.yaml"
    if not written.is_file():
        raise ValueError(f"{folder}: is no run of `tintype pretrain` (it has no recipe.yaml)")
    recipe = load_recipe(written)
    models = sorted(folder.glob("*.onnx"))
    if len(models) > 1:
        names = ", ".join(path.name for path in models)
        raise ValueError(f"{folder}: has several models ({names}); give one with --model NAME=FILE in place of the run")
    return Run(folder, recipe.name, _changed(recipe), models[0] if models else None)


def _changed(recipe: Recipe | ClassificationRecipe) -> tuple[str, ...]:
    if recipe.name not in bundled_recipes():
        return ()
    shipped = load_recipe(recipe.name)
    keys = different_keys(shipped, recipe)
    if shipped.steps != recipe.steps and "steps" not in keys:
        keys = [*keys, "steps"]
    return tuple(keys)


def by_recipe(folders: Sequence[Path], recipes: Sequence[str]) -> dict[str, Run]:
    """Runs by the recipes that a table has rows for.

    Raises:
        ValueError: a folder is no run, is of another recipe, or a recipe has two runs; in one line.
    """
    found: dict[str, Run] = {}
    for folder in folders:
        run = read_run(folder)
        if run.recipe not in recipes:
            raise ValueError(
                f"{folder}: is of recipe {run.recipe}, for which this table has no row ({', '.join(recipes)}); "
                "for a row of its own, export it and give --model NAME=FILE"
            )
        if run.recipe in found:
            raise ValueError(f"{found[run.recipe].folder} and {folder} are both runs of {run.recipe}; give one")
        found[run.recipe] = run
    return found


def bundle(run: Run, place: Path) -> Path:
    """The run's .onnx; made in the folder `place`, with the default settings of `tintype export`, if it has none.

    A file that was made there before of the same weights is used again.

    Raises:
        ValueError: the run is not finished, or cannot be exported; in one line.
        OSError: `place` cannot be written.
    """
    if run.model is not None:
        return run.model
    weights = run.folder / "weights.safetensors"
    out = place / f"{run.recipe}-{sha256_of(weights)[:8] if weights.is_file() else 'unfinished'}.onnx"
    if out.is_file():
        return out
    try:
        export(run.folder, out)
    except ExportError as error:
        raise ValueError(str(error)) from error
    return out


def told(run: Run, model: Path) -> dict[str, Any]:
    """What a row must be told with."""
    made = load_model(model, threads=1)
    return {
        "run": str(run.folder),
        "recipe": run.recipe,
        "changed": list(run.changed),
        "steps": made.steps,
        "data": made.data,
        "model": model.name if run.model else "exported for this table, with default settings",
    }
