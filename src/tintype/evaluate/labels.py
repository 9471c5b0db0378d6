"""Which ImageNet class a photograph shows, from a file or from the folder that it is in."""

import csv
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

_SYNSET = re.compile(r"n\d{8}(?=$|_)")


def class_names() -> list[str]:
    """A short name for each of the 1,000 classes of ImageNet, by index."""
    info = ImageNetInfo()
    return [info.index_to_description(place).split(",")[0] for place in range(info.num_classes())]


def read_labels(paths: Sequence[Path], folder: Path, file: Path | None = None) -> dict[Path, int]:
    """The class index of every photograph of which it is known.

    A label is a class index, a synset (`n01440764`), a synset with a name (`n01440764_tench`), or a class name
    (`tench`; the first of several is enough).

    Args:
        paths: the photographs, below `folder`.
        folder: what places in the file are counted from.
        file: a CSV of photograph and label, or a JSON object; photographs by their place below the folder, or by file
            name. None takes the name of the folder that each photograph is in, where that is a label.

    Raises:
        ValueError: the file cannot be read, labels a photograph with what is no class, or none of these photographs.
    """
    if file is None:
        known = ((path, _index(path.parent.name, numbers=False)) for path in paths)
        return {path: label for path, label in known if label is not None}
    given = _read(file)
    labels = {}
    for path in paths:
        place = path.relative_to(folder).as_posix()
        name = place if place in given else path.name
        if name in given:
            labels[path] = _label(given[name], name, file)
    if not labels:
        raise ValueError(f"{file}: labels none of these photographs")
    return labels


def _read(file: Path) -> dict[str, str | int]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json":
            given = json.loads(text)
            if not isinstance(given, dict) or not all(isinstance(label, str | int) for label in given.values()):
                raise ValueError("not an object of names and labels")
            return given
        rows = [row for row in csv.reader(text.splitlines()) if row]
        if rows and len(rows[0]) == 2 and _index(rows[0][1].strip()) is None and "." not in rows[0][0]:
            del rows[0]  # a header
        return {name.strip(): label.strip() for name, label in rows}
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{file}: cannot be read as labels, one photograph and its label to a line") from error


def _label(label: str | int, name: str, file: Path) -> int:
    index = _index(label)
    if index is not None:
        return index
    several = len(_by_name().get(str(label).strip().lower(), ()))
    why = f"names {several} classes: give the synset" if several > 1 else "is no class of ImageNet"
    raise ValueError(f"{file}: {name}: {str(label)!r} {why}")


def _index(label: str | int, numbers: bool = True) -> int | None:
    """The class index that a label means, if it means one alone."""
    text = str(label).strip()
    synset = _SYNSET.match(text)
    if synset:
        return _by_synset().get(synset[0])
    if text.isascii() and text.isdigit():
        return int(text) if numbers and int(text) < len(_by_synset()) else None
    classes = _by_name().get(text.lower().replace("_", " "), ())
    return classes[0] if len(classes) == 1 else None


@cache
def _by_synset() -> dict[str, int]:
    return {name: place for place, name in enumerate(ImageNetInfo().label_names())}


@cache
def _by_name() -> dict[str, tuple[int, ...]]:
    """Class indices by name, in lower case; a few names, such as crane, mean two."""
    found: dict[str, tuple[int, ...]] = {}
    info = ImageNetInfo()
    for place in range(info.num_classes()):
        for name in dict.fromkeys(part.strip().lower() for part in info.index_to_description(place).split(",")):
            found[name] = (*found.get(name, ()), place)
    return found
