"""What photographs show: ImageNet-1k classes from a file, or from the names of folders."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

CLASSES = 1000
_SYNSET = re.compile(r"(n\d{8})(_.*)?")


@cache
def _synsets() -> dict[str, int]:
    info = ImageNetInfo("imagenet-1k")
    return {info.index_to_label_name(index): index for index in range(CLASSES)}


@cache
def _synonyms() -> list[list[str]]:
    """By class index, its names; the first is the one that it usually goes by."""
    return [[name.strip() for name in text.split(",")] for text in ImageNetInfo("imagenet-1k").label_descriptions()]


@cache
def class_names() -> list[str]:
    """A short name of each of the 1,000 classes, by class index; no two the same (`crane (n02012849)`)."""
    first = [names[0] for names in _synonyms()]
    times = Counter(map(_plain, first))
    return [
        name if times[_plain(name)] == 1 else f"{name} ({synset})"
        for name, synset in zip(first, _synsets(), strict=True)
    ]


def class_index(label: str) -> int | None:
    """The class index that a label stands for; None where it stands for none.

    Args:
        label: a class index, a synset id (`n01443537`, or with its name, `n01443537_goldfish`), or a class name.

    Raises:
        ValueError: several classes go by that name.
    """
    label = label.strip()
    if label.isdecimal():
        return int(label) if int(label) < CLASSES else None
    if synset := _SYNSET.fullmatch(label):
        return _synsets().get(synset[1])
    classes = _by_name().get(_plain(label), [])
    if len(classes) > 1:
        ids = list(_synsets())
        raise ValueError(f"{label!r} is the name of several classes: use {' or '.join(ids[i] for i in classes)}")
    return classes[0] if classes else None


def read_labels(paths: Sequence[Path], folder: Path, file: Path | None = None) -> dict[Path, int]:
    """The ImageNet-1k class index of each photograph whose class is known.

    Args:
        paths: the photographs.
        folder: what the names in `file` are relative to; a bare file name does too.
        file: a CSV of `name,label`, with or without a header, or a JSON object {name: label}; labels as `class_index`
            reads them. Without a file, a photograph's label is the name of the folder below `folder` that
            holds it, if that is a synset id or the name of one class; of `folder` itself only a synset id counts.

    Raises:
        ValueError: the file cannot be read, has an unknown or ambiguous label, or names none of the photographs.
    """
    return _from_folders(paths, folder) if file is None else _from_file(paths, folder, file)


def _from_folders(paths: Sequence[Path], folder: Path) -> dict[Path, int]:
    labels = {}
    for path in paths:
        name = path.absolute().parent.name
        if name.isdecimal() or (path.parent == folder and not _SYNSET.fullmatch(name)):
            continue  # a folder named 2005 is a year, and photographs of anything may lie in a folder named desk
        try:
            index = class_index(name)
        except ValueError:  # several classes go by that name: it is no label
            continue
        if index is not None:
            labels[path] = index
    return labels


def _from_file(paths: Sequence[Path], folder: Path, file: Path) -> dict[Path, int]:
    relative = {path.relative_to(folder).as_posix(): path for path in paths if path.is_relative_to(folder)}
    bare: dict[str, list[Path]] = {}
    for path in paths:
        bare.setdefault(path.name, []).append(path)
    labels: dict[Path, int] = {}
    for name, index in _classes(file).items():
        meant = [relative[name]] if name in relative else bare.get(name, [])
        if len(meant) > 1:
            raise ValueError(f"{file}: {name} is the name of {len(meant)} photographs; name them relative to {folder}")
        if meant and labels.setdefault(meant[0], index) != index:
            raise ValueError(f"{file}: {name} has two labels")
    if paths and not labels:
        raise ValueError(f"{file}: names none of the photographs in {folder}")
    return labels


def _classes(file: Path) -> dict[str, int]:
    """The class index of each name in the file."""
    classes: dict[str, int] = {}
    unknown: list[tuple[str, str]] = []
    for name, label in _rows(file):
        try:
            index = class_index(label)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        if index is None:
            unknown.append((name, label))
        elif classes.setdefault(name, index) != index:
            raise ValueError(f"{file}: {name} has two labels")
    if unknown:
        (name, label), others = unknown[0], len(unknown) - 1
        more = f", and {others} more like it" if others else ""
        raise ValueError(f"{file}: {name} has the label {label!r}, which is no class of ImageNet's 1,000{more}")
    return classes


def _rows(file: Path) -> list[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json":
            given = json.loads(text, object_pairs_hook=tuple)
            if not isinstance(given, tuple):
                raise ValueError("expected an object {name: label}")
            wrong = [name for name, label in given if type(label) not in (int, str)]
            if wrong:
                raise ValueError(f"the label of {wrong[0]} is neither a number nor a name")
            return [(name, str(label)) for name, label in given]
        rows = [row for row in csv.reader(text.splitlines(), strict=True) if row]
        wrong = [",".join(row) for row in rows if len(row) != 2]
        if wrong:
            raise ValueError(f"expected lines of name,label, found {wrong[0][:60]!r}")
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{file}: cannot be read as labels ({reason})") from error
    header = rows and not Path(rows[0][0]).suffix  # a photograph's name has one
    return [(name.strip(), label) for name, label in rows[1 if header else 0 :]]


@cache
def _by_name() -> dict[str, list[int]]:
    """Classes by name. What one class usually goes by is its name, even if it is also a rarer name of another's."""
    classes: dict[str, list[int]] = {}
    first: dict[str, list[int]] = {}
    for index, names in enumerate(_synonyms()):
        first.setdefault(_plain(names[0]), []).append(index)
        for name in {_plain(name) for name in names}:
            classes.setdefault(name, []).append(index)
    unique = {_plain(name): [index] for index, name in enumerate(class_names())}
    return {**classes, **first, **unique}


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())
