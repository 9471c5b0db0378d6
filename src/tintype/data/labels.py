"""The classes of photographs: those that they come with, or those that a label study gives them.

photos = open_photos(["imagenet/train"])
labels = own_labels(photos)                    # by class folders, or .cls files in tars
labels = study_labels(photos, "noise.tsv")     # by a study's file (`studies.py`); has only the photographs in it
labels.given.split(0.02)                       # photographs as ever, whose batches have their classes beside them
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError
from tintype.data.photos import Photos
from tintype.data.shards import SUFFIXES, member_key, split_file
from tintype.data.study_file import read_study


@dataclass(frozen=True)
class Labels:
    """Photographs with the numbers of their classes.

    Attributes:
        given: with the class to train on.
        true: the same photographs with the class to measure by, which differs where a study has made some labels wrong.
        names: of the classes, by number.
        fingerprint: number and hash of the labels.
    """

    given: Photos
    true: Photos
    names: tuple[str, ...]
    fingerprint: str


def own_labels(photos: Photos) -> Labels:
    """Photographs with the classes that they come with: of a .cls file in the tar, or else of the first folder.

    Raises:
        DataError: a photograph has no class, or all have the same.
    """
    labels = list(labels_of(photos))
    names = sort_classes(labels)
    numbers = _numbers(labels, names)
    held = photos.labelled(numbers)
    return Labels(held, held, names, _fingerprint(labels))


def study_labels(photos: Photos, file: str | Path) -> Labels:
    """The photographs that a study's file names, with its labels.

    The file names photographs by their key, or by their path below the folder, list or tar.

    Raises:
        DataError: the file cannot be read, or names a photograph that is not there.
    """
    study = read_study(Path(file))
    numbers = {photo.key: number for number, photo in enumerate(photos)}
    if len(numbers) < len(photos):
        raise DataError(f"{file}: cannot be used with these photographs, for some have the same name")
    found = np.array([_find(name, numbers) for name in study.images], np.int64)
    if (found < 0).any():
        missing = study.images[int(np.argmax(found < 0))]
        raise DataError(f"{file}: {missing} is not among the photographs, nor are {(found < 0).sum() - 1} others")
    order = np.argsort(found)
    if len(np.unique(found)) < len(found):
        twice = order[1:][np.diff(found[order]) == 0][0]
        raise DataError(f"{file}: {study.images[twice]} is there twice")
    true = study.labels if study.true is None else study.true
    names = sort_classes([*study.labels, *true])
    chosen = photos.choose(found[order])
    given, measured = (chosen.labelled(_numbers(labels, names)[order]) for labels in (study.labels, true))
    return Labels(given, measured, names, _fingerprint([study.labels[number] for number in order]))


def labels_by_key(photos: Photos, file: Path | None = None) -> dict[str, str]:
    """The class of each photograph by its key: its own, or that of a study's file, of the photographs in it.

    Raises:
        DataError: as `own_labels` and `study_labels`; two photographs have the same key; the study has wrong labels.
    """
    if file is not None:
        if read_study(file).true is not None:
            raise DataError(f"{file}: has wrong labels already; start from a study without")
        held = study_labels(photos, file)
        assert held.given.classes is not None
        return {photo.key: held.names[number] for photo, number in zip(held.given, held.given.classes, strict=True)}
    labels = dict(zip((photo.key for photo in photos), labels_of(photos), strict=True))
    if len(labels) < len(photos):
        raise DataError(
            f"{len(photos) - len(labels)} photographs have the same name as another: study one source alone"
        )
    return labels


def labels_of(photos: Photos) -> Iterable[str]:
    """The class that each photograph comes with.

    Raises:
        DataError: one has none.
    """
    for photo in photos:
        label = photo.label
        if label is None:
            raise DataError(f"{photo.path} has no label: no folder of its class, and no .cls beside it in a tar")
        yield label


def sort_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes among labels, in the order of their numbers: by name, or by value where all are whole numbers.

    Raises:
        DataError: there is only one.
    """
    names = set(labels)
    if len(names) < 2:
        raise DataError(f"labels need two classes at least, here all are {next(iter(names), 'missing')}")
    return tuple(sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names))


def _numbers(labels: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    number = {name: place for place, name in enumerate(names)}
    return np.fromiter((number[label] for label in labels), np.int64, len(labels))


def _find(name: str, numbers: dict[str, int]) -> int:
    stem, suffix = split_file(name)
    return numbers.get(member_key(stem if suffix in SUFFIXES else name), -1)


def _fingerprint(labels: Sequence[str]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for label in labels:
        digest.update(os.fsencode(label) + b"\0")
    return f"{len(labels)} ({digest.hexdigest()})"
