"""Pictures that show objects of several classes: a VOC devkit, or photographs of one class each."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tintype.data import DataError, Photos
from tintype.data.decode import full_size
from tintype.data.errors import DamagedPhotoError
from tintype.data.loader import planes
from tintype.data.voc import CLASSES, Devkit, is_devkit
from tintype.transfer.classes import open_classes
from tintype.transfer.sources import Sources
from tintype.transfer.subject import PICTURES


@dataclass(frozen=True)
class Pictures:
    """Pictures with a label for each of several classes.

    Attributes:
        names: of the pictures.
        labels: (pictures, classes) uint8: 1, 0, or `tintype.data.voc.IGNORED`.
        classes: names of the classes.
        single: whether each picture shows exactly one class.
    """

    names: Sequence[str]
    labels: NDArray[np.uint8]
    classes: Sequence[str]
    single: bool
    _open: Callable[[int], bytes]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, number: int) -> NDArray[np.uint8]:
        """A picture, RGB, (h, w, 3).

        Raises:
            DataError: it is damaged, or cannot be read.
        """
        try:
            return full_size(self._open(number))
        except (DamagedPhotoError, OSError) as error:
            raise DataError(f"{self.names[number]} cannot be read: {error}") from error

    def some(self, view: Callable[[int], NDArray[np.uint8]], seed: int) -> Tensor:
        """Views, (h, w, 3), of some of the pictures by number, for weights that follow from data; (N, 3, h, w)."""
        numbers = np.random.default_rng(seed).permutation(len(self))[:PICTURES].tolist()
        return planes(np.stack([view(number) for number in numbers]))


def open_devkit(sources: Sources, year: int, train: str, test: str) -> tuple[Pictures, Pictures]:
    """A devkit's pictures to train on and to test on.

    Args:
        sources: the devkit; a second one to test on, if that is another.
        year: of the devkit.
        train, test: names of the lists in ImageSets/Main.

    Raises:
        DataError: there is no such devkit or list, or something is missing from it.
    """
    return _listed(sources.train, year, train), _listed(sources.test or sources.train, year, test)


def open_pictures(sources: Sources, year: int, train: str, test: str, val_fraction: float) -> tuple[Pictures, Pictures]:
    """A devkit's pictures as of `open_devkit`, or photographs with a class each as of `open_classes`."""
    if is_devkit(sources.train[0]):
        return open_devkit(sources, year, train, test)
    data = open_classes(sources, val_fraction)
    return tuple(_of_photos(photos, data.names) for photos in (data.train, data.test))  # type: ignore[return-value]


def fingerprint(pictures: Pictures) -> str:
    """Number of pictures, and a hash of their names and labels."""
    digest = hashlib.blake2b("\0".join(pictures.names).encode("utf-8", "surrogateescape"), digest_size=8)
    digest.update(np.ascontiguousarray(pictures.labels).data)
    return f"{len(pictures)} ({digest.hexdigest()})"


def _listed(folders: Sequence[str], year: int, split: str) -> Pictures:
    if len(folders) > 1:
        raise DataError(f"one devkit at a time, not {' and '.join(folders)}")
    names, photographs, labels = Devkit(folders[0], year).classification(split)
    return Pictures(names, labels, CLASSES, False, _Files(photographs))


def _of_photos(photos: Photos, classes: Sequence[str]) -> Pictures:
    assert photos.classes is not None
    labels = (photos.classes[:, None] == np.arange(len(classes))).astype(np.uint8)
    return Pictures([photo.key for photo in photos], labels, classes, True, _Read(photos))


@dataclass(frozen=True)
class _Files:  # not lambdas: workers may be started anew, and are sent what they read then
    paths: Sequence[Path]

    def __call__(self, number: int) -> bytes:
        return self.paths[number].read_bytes()


@dataclass(frozen=True)
class _Read:
    photos: Photos

    def __call__(self, number: int) -> bytes:
        return self.photos[number].read()
