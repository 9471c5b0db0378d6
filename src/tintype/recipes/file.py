"""Recipes as files: where they lie, what they are based on, and what is set on the command line."""

import difflib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from tintype.recipes.parse import RecipeError, flatten

# What a resumed run may change: how much and how often, but nothing that the updates depend on.
FREE_KEYS = {
    "name",
    "description",
    "steps",
    "log_every",
    "validate_every",
    "checkpoint_every",
    "keep",
    "data.workers",
    "workers",
    "proposals",  # where boxes are kept; a resumed run has a hash of the boxes themselves
}


def bundled(package: str) -> list[str]:
    """Names of the recipes that come with a package of tintype's, in its folder `recipes`."""
    files = resources.files(package).joinpath("recipes").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def read_recipe(recipe: str | Path, package: str, settings: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
    """Read a recipe's values, without checking them.

    A recipe with a key `base`, the name of another, has the values of that one where it has none of its own.

    Args:
        recipe: a bundled recipe's name, or the path of a YAML file.
        package: with the bundled recipes.
        settings: "key=value" each, keys dotted ("optimizer.lr=1e-3"), taking the place of the recipe's values. Setting
            the `name` of a block to another drops the block's other values.

    Returns:
        Where the recipe comes from, in words, and its keys and values.

    Raises:
        RecipeError: there is no such recipe, or it or a setting cannot be read.
    """
    source, values = _values(recipe, package)
    for setting in settings:
        _set(values, setting)
    return source, values


def different_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Dotted keys in which two recipes' values differ so that one cannot go on from the other's checkpoint."""
    a, b = flatten(before), flatten(after)
    changed = [key for key in {**a, **b} if key not in FREE_KEYS and a.get(key) != b.get(key)]
    return changed + (["steps"] if a.get("steps", 0) > b.get("steps", 0) else [])


def _values(recipe: str | Path, package: str, above: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """Where a recipe comes from, and its keys and values upon those of its `base`, if it names one."""
    source, text = _read(recipe, package)
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{source}: a recipe is a block of keys and values")
    base = values.pop("base", None)
    if base is None:
        return source, values
    if not isinstance(base, str):
        raise RecipeError(f"{source}: key 'base' is {base!r}; it must be the name of a recipe")
    if base in above:
        raise RecipeError(f"{source}: key 'base' is {base}, which is itself based on this recipe")
    return source, _upon(_values(base, package, (*above, str(recipe)))[1], values)


def _upon(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values in place of others. A block with another `name` takes the place of the whole block."""
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping) and value.get("name") in (None, old.get("name")):
            value = _upon(old, value)
        both[key] = value
    return both


def _read(recipe: str | Path, package: str) -> tuple[str, str]:
    name = str(recipe)
    if isinstance(recipe, Path) or name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
        try:
            return name, Path(recipe).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{name}: cannot be read ({error})") from error
    if name not in bundled(package):
        close = difflib.get_close_matches(name, bundled(package), 1, 0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(bundled(package))}"
        raise RecipeError(f"no recipe named '{name}'; {hint} A file needs its ending, such as ./{name}.yaml")
    file = resources.files(package).joinpath("recipes", f"{name}.yaml")
    return f"recipe {name}", file.read_text(encoding="utf-8")


def _set(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise RecipeError(f"setting '{setting}' must look like key=value, such as optimizer.lr=1e-3")
    *blocks, last = key.split(".")
    block = values
    for name in blocks:
        inner = block.setdefault(name, {})
        if not isinstance(inner, dict):
            raise RecipeError(f"unknown key '{key}': '{name}' has no keys of its own")
        block = inner
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"setting '{setting}': the value is not valid YAML") from error
    if last == "name" and blocks and block.get("name") != value:
        block.clear()
    block[last] = value
