"""Where photographs lie: in files of their own, or as members of a tar. Both are read at random, by number.

Tars that are not on this machine are in `remote.py`.

A photograph costs its name and some 30 bytes of memory here: names are kept as one block of text, not as objects, so
that millions of them fit, and so that worker processes share them.
"""

import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tintype.data.tar import Member, members

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
_RANK = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}

_LONGEST_LABEL = 1024  # bytes

_T = TypeVar("_T")


class Shard(Protocol):
    """Photographs by number, 0..len-1."""

    def __len__(self) -> int: ...

    def key(self, index: int) -> str:
        """What the photograph is known by: its name without suffix, by `member_key`."""

    def path(self, index: int) -> str:
        """Where it lies, for messages."""

    def label(self, index: int) -> str | None:
        """Its class: what a .cls file of the same key in the tar says, or else the first folder of its name."""

    def read(self, index: int) -> bytes:
        """The photograph's file. Raises OSError."""


class Names:
    """Strings in one block of memory, numbered in the order they were added."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("q", [0])

    def add(self, name: str) -> None:
        self._text += os.fsencode(name)
        self._ends.append(len(self._text))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        return os.fsdecode(bytes(self._text[self._ends[index] : self._ends[index + 1]]))

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Their text and where each ends in it, for `from_arrays`."""
        return {"text": np.frombuffer(bytes(self._text), np.uint8), "ends": np.array(self._ends, np.int64)}

    @classmethod
    def from_arrays(cls, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> "Names":
        names = cls()
        names._text = bytearray(text.tobytes())
        names._ends = array("q", ends.tolist())
        return names


class Files:
    """Photographs in files of their own, named relative to a folder."""

    def __init__(self, root: Path, names: Iterable[str]):
        self._root = str(root)
        self._names = Names()
        for name in names:
            self._names.add(name)

    def __len__(self) -> int:
        return len(self._names)

    def key(self, index: int) -> str:
        return member_key(split_file(self._names[index])[0])

    def path(self, index: int) -> str:
        return os.path.join(self._root, self._names[index])

    def label(self, index: int) -> str | None:
        return _class_folder(self._names[index])

    def read(self, index: int) -> bytes:
        with open(self.path(index), "rb", buffering=0) as file:
            return file.read()


class Index:
    """What an uncompressed tar holds, and where. As in WebDataset, members with one key are one sample: one photograph.

    Attributes:
        names: of the photographs' members.
        labels: what the .cls of each says; empty where there is none.
        offsets, sizes: where their bytes lie.
    """

    def __init__(self) -> None:
        self.names, self.labels = Names(), Names()
        self.offsets, self.sizes = array("q"), array("q")

    @classmethod
    def of(cls, file: BinaryIO, shown: object) -> "Index":
        """Read the headers of a tar.

        Args:
            file: the tar, open.
            shown: its name in messages.

        Raises:
            DataError: not a tar, or damaged.
        """
        index, labels = cls(), dict[str, str]()

        def noting_labels() -> Iterator[Member]:
            for member in members(file, shown):
                key, suffix = split_member(member.name)
                if suffix == ".cls" and member.size <= _LONGEST_LABEL:
                    file.seek(member.offset)
                    labels[member_key(key)] = os.fsdecode(file.read(member.size)).strip()
                yield member

        for member in one_per_key(noting_labels(), lambda member: split_member(member.name)):
            index.names.add(member.name)
            index.offsets.append(member.offset)
            index.sizes.append(member.size)
        for number in range(len(index.names)):
            index.labels.add(labels.get(index.key(number), ""))
        return index

    def key(self, index: int) -> str:
        return member_key(split_member(self.names[index])[0])

    def label(self, index: int) -> str | None:
        return self.labels[index] or _class_folder(self.names[index])


class Tar:
    """Photographs in an uncompressed tar on this machine.

    Args:
        path: the tar.
        shown: its name in messages, where that differs (a compressed tar, unpacked elsewhere).

    Raises:
        DataError: not a tar, or damaged.
    """

    def __init__(self, path: Path, shown: Path):
        self._path, self._shown = str(path), shown
        with open(path, "rb", buffering=0) as file:
            self._index = Index.of(file, shown)

    def __len__(self) -> int:
        return len(self._index.names)

    def key(self, index: int) -> str:
        return self._index.key(index)

    def path(self, index: int) -> str:
        return f"{self._shown}:{self._index.names[index]}"

    def label(self, index: int) -> str | None:
        return self._index.label(index)

    def read(self, index: int) -> bytes:
        # Opened anew each time: a process may not hold a descriptor for each of thousands of tars. By `os`, as a file
        # object costs five times as much, a tenth of decoding a small photograph.
        file = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            os.lseek(file, self._index.offsets[index], os.SEEK_SET)
            return os.read(file, self._index.sizes[index])
        finally:
            os.close(file)


def _class_folder(name: str) -> str | None:
    """The folder that names a photograph's class: the first one; of an absolute name, the one that holds it."""
    folders = [part for part in name.replace(os.sep, "/").split("/")[:-1] if part not in ("", ".", "..")]
    return (folders[-1] if os.path.isabs(name) else folders[0]) if folders else None


def member_key(stem: str) -> str:
    """The key of a photograph by its name without suffix: the same in a folder, in a list, and in a tar packed of them.

    It is relative, without "." and "..", and has "_" for dots in its last part, at which WebDataset would cut it.
    """
    parts = [part for part in stem.replace(os.sep, "/").split("/") if part not in ("", ".", "..")] or [""]
    return "/".join([*parts[:-1], parts[-1].replace(".", "_")])


def split_member(name: str) -> tuple[str, str]:
    """Stem and suffix of a tar member: cut at the first dot of the last part of its name (WebDataset's rule)."""
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    return folder + slash + stem, (dot + suffix).lower()


def split_file(name: str) -> tuple[str, str]:
    """Stem and suffix of a file: cut at the last dot."""
    stem, suffix = os.path.splitext(name)
    return stem, suffix.lower()


def one_per_key(items: Iterable[_T], split: Callable[[_T], tuple[str, str]]) -> Iterator[_T]:
    """The photographs among items, one for each run of items with the same stem: the first by SUFFIXES.

    A picture beside a photograph of the same stem (a segmentation mask, say) is part of that photograph's sample.
    """
    ranked = ((key, _RANK[suffix], item) for item in items for key, suffix in [split(item)] if suffix in _RANK)
    for _, sample in groupby(ranked, key=itemgetter(0)):
        yield min(sample, key=itemgetter(1))[2]
