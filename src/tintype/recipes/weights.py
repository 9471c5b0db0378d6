"""Files of weights that a recipe names."""

from importlib import resources
from pathlib import Path

from tintype.recipes.parse import RecipeError
from tintype.runtime.errors import ModelError
from tintype.runtime.hub import WEIGHTS, from_hub

REQUIRED, BUNDLED = "required", "bundled"
UNTRAINED = ("random", "unit_variance", "kmeans")  # weights of a transfer that no file is of


def file_of(source: str, key: str, name: str) -> Path | None:
    """The file of weights that a recipe names, if any.

    Args:
        source: what the recipe says: `none`, `required`, `required: WHAT`, `bundled`, a path, `package:NAME/FILE`, or
            a name on the Hugging Face Hub (see `tintype.runtime.hub`).
        key: where it says so, and `name` the recipe's, for the error.

    Raises:
        RecipeError: it is for the user to give and was not given, or it is not there.
    """
    if source == "none":
        return None
    kind, _, what = source.partition(":")
    if kind == REQUIRED:
        given = f"{what.strip()}: give it with --set {key}=FILE"
        run = f"the weights of a finished run: give them with --set {key}=RUN/weights.safetensors"
        raise RecipeError(f"recipe {name} starts from {given if what else run}")
    if source == BUNDLED:
        return Path(str(resources.files("tintype.models").joinpath(f"{BUNDLED}.onnx")))
    try:
        fetched = from_hub(source, WEIGHTS)
    except ModelError as error:
        raise RecipeError(f"key '{key}': {error}") from error
    path = fetched or Path(source)
    if source.startswith("package:"):
        package, _, inside = source.removeprefix("package:").partition("/")
        try:
            path = Path(str(resources.files(package).joinpath(inside)))
        except ModuleNotFoundError as error:
            raise RecipeError(
                f"key '{key}' is {source}: install that package: pip install {package.replace('_', '-')}"
            ) from error
    if not path.is_file():
        raise RecipeError(f"key '{key}' is {source}: there is no such file")
    return path
