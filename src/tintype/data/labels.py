"""The classes of photographs: those that they come with, or those that a label study gives them.

photos = open_photos(["imagenet/train"])
labels = own_labels(photos, 0.02)              # by class folders, or .cls files in tars
labels = study_labels(photos, "noise.tsv")     # by a study's file (`studies.py`); has only the photographs in it
batches(labels.train, ...).labelled()          # photographs as ever, whose batches have their classes beside them
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError
from tintype.data.photos import Photos, is_held_out
from tintype.data.shards import SUFFIXES, member_key, split_file
from tintype.data.studies import Known
from tintype.data.study_file import read_study


@dataclass(frozen=True)
class Labels:
    """Photographs with the numbers of their classes.

    Attributes:
        train: with the class to train on.
        held_out: with the class to measure by; empty where a study holds out none.
        names: of the classes, by number.
        fingerprint: number and hash of the labels.
    """

    train: Photos
    held_out: Photos
    names: tuple[str, ...]
    fingerprint: str


def own_labels(photos: Photos, val_fraction: float) -> Labels:
    """Photographs with the classes that they come with: of a .cls file in the tar, or else of the first folder.

    Args:
        photos: all of them.
        val_fraction: share held out, as of `Photos.split`.

    Raises:
        DataError: a photograph has no class, or all have the same, or a part would be empty.
    """
    labels = list(labels_of(photos))
    names = sort_classes(labels)
    train, held_out = photos.labelled(_numbers(labels, names)).split(val_fraction)
    return Labels(train, held_out, names, _fingerprint(labels))


def study_labels(photos: Photos, file: str | Path) -> Labels:
    """The photographs that a study's file names, with its labels: exactly those to train on, and those held out.

    The file names photographs by their key, or by their path below the folder, list or tar.

    Raises:
        DataError: the file cannot be read, or names a photograph that is not there, or none of a source with a weight.
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
    names = sort_classes([*filter(None, study.labels), *true])
    trained = [place for place in order if study.labels[place]]
    held_out = [place for place in order if not study.labels[place]]

    def part(places: list[int], labels: Sequence[str]) -> Photos:
        return photos.choose(found[np.array(places, np.int64)]).labelled(
            _numbers([labels[place] for place in places], names)
        )

    train = part(trained, study.labels)
    if train.empty and train.weights is not None:
        raise DataError(f"{file}: names no photograph of {train.empty[0]} to train on, which has a weight")
    fingerprint = _fingerprint([study.labels[place] for place in trained])
    return Labels(train, part(held_out, true), names, fingerprint)


def labels_by_key(photos: Photos, file: Path | None = None, val_fraction: float = 0.0) -> Known:
    """The class of each photograph by its key: its own, or that of a study's file, of the photographs in it.

    Args:
        photos: all of them.
        file: of the study, if any. What it holds out stays held out.
        val_fraction: share held out, as of `Photos.split`; 0 holds out none.

    Raises:
        DataError: two photographs have the same key; a photograph has no class; the study cannot be read or has wrong
            labels; the share holds out none, or all.
    """
    if file is None:
        labels, held_out = dict(zip((photo.key for photo in photos), labels_of(photos), strict=True)), dict[str, str]()
        if len(labels) < len(photos):
            raise DataError(
                f"{len(photos) - len(labels)} photographs have the same name as another: study one source alone"
            )
    else:
        study = read_study(file)
        if any(label and label != true for label, true in zip(study.labels, study.true or study.labels, strict=True)):
            raise DataError(f"{file}: has wrong labels already; start from a study without")
        held = study_labels(photos, file)
        labels, held_out = (_named(part, held.names) for part in (held.train, held.held_out))
    apart = {key for key in labels if is_held_out(key, val_fraction)}
    if val_fraction and not (apart or held_out):
        raise DataError(f"a share of {val_fraction} of {len(labels)} photographs holds out none: raise it")
    if len(apart) == len(labels):
        raise DataError(f"a share of {val_fraction} of {len(labels)} photographs leaves none to train on: lower it")
    return Known(
        {key: label for key, label in labels.items() if key not in apart},
        held_out | {key: labels[key] for key in apart},
    )


def _named(photos: Photos, names: Sequence[str]) -> dict[str, str]:
    assert photos.classes is not None
    return {photo.key: names[number] for photo, number in zip(photos, photos.classes, strict=True)}


def labels_of(photos: Photos) -> Iterable[str]:
    """The class that each photograph comes with.

    Raises:
        DataError: one has none.
    """
    for photo in photos:
        label = photo.label
        if label is None:
            raise DataError(
                f"{photo.path} has no label: it lies in no folder of its class, and no .cls beside it in a tar; "
                "put the photographs of each class into a folder of its name"
            )
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
