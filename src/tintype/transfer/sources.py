"""Where a task's training and test data lie, as people name them on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.data import DataError

_TEST = ("val", "test")


@dataclass(frozen=True)
class Sources:
    """Paths to train on and to test on; without test paths, part of the training data is held out."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def parse_sources(given: Sequence[str]) -> Sources:
    """From `train=PATH`, `test=PATH` or `PATH` each, any of them repeated.

    A folder without a name that holds `train` and `val` (or `test`), as ImageNet's does, is both.

    Raises:
        DataError: nothing to train on, or an unknown name.
    """
    parts: dict[str, list[str]] = {"train": [], "test": []}
    for each in given:
        name, equals, path = each.partition("=")
        if equals and name in (*parts, "val"):
            parts["test" if name == "val" else name].append(path)
            continue
        if equals and not Path(each).exists() and "/" not in name:
            raise DataError(f"--data {each}: data is named train or test, such as train={path}")
        test = next((Path(each, part) for part in _TEST if Path(each, part).is_dir()), None)
        if Path(each, "train").is_dir() and test is not None:
            parts["train"].append(str(Path(each, "train")))
            parts["test"].append(str(test))
        else:
            parts["train"].append(each)
    if not parts["train"]:
        raise DataError("there is nothing to train on: --data train=PATH")
    return Sources(tuple(parts["train"]), tuple(parts["test"]))
