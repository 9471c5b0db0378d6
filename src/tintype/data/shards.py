"""Where photographs lie: in files of their own, or as members of a tar. Both are read at random, by number.

A photograph costs its name and some 30 bytes of memory here: names are kept as one block of text, not as objects, so
that millions of them fit, and so that worker processes share them.
"""

import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar

from tintype.data.tar import members

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
_RANK = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}

_T = TypeVar("_T")


class Shard(Protocol):
    """Photographs by number, 0..len-1."""

    def __len__(self) -> int: ...

    def key(self, index: int) -> str:
        """What the photograph is known by: its name without suffix."""

    def path(self, index: int) -> str:
        """Where it lies, for messages."""

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
        return os.path.splitext(self._names[index])[0]

    def path(self, index: int) -> str:
        return os.path.join(self._root, self._names[index])

    def read(self, index: int) -> bytes:
        with open(self.path(index), "rb", buffering=0) as file:
            return file.read()


class Tar:
    """Photographs in an uncompressed tar. As in WebDataset, members with one key are one sample: one photograph.

    Args:
        path: the tar.
        shown: its name in messages, where that differs (a compressed tar, unpacked elsewhere).

    Raises:
        DataError: not a tar, or damaged.
    """

    def __init__(self, path: Path, shown: Path):
        self._path = str(path)
        self._shown = shown
        self._names = Names()
        self._offsets = array("q")
        self._sizes = array("q")
        for member in one_per_key(members(path, shown), lambda member: split_member(member.name)):
            self._names.add(member.name)
            self._offsets.append(member.offset)
            self._sizes.append(member.size)

    def __len__(self) -> int:
        return len(self._names)

    def key(self, index: int) -> str:
        return split_member(self._names[index])[0]

    def path(self, index: int) -> str:
        return f"{self._shown}:{self._names[index]}"

    def read(self, index: int) -> bytes:
        # Opened anew each time: a process may not hold a descriptor for each of thousands of tars. By `os`, as a file
        # object costs five times as much, a tenth of decoding a small photograph.
        file = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            os.lseek(file, self._offsets[index], os.SEEK_SET)
            return os.read(file, self._sizes[index])
        finally:
            os.close(file)


def split_member(name: str) -> tuple[str, str]:
    """Key and suffix of a tar member: cut at the first dot of the last part of its name (WebDataset's rule)."""
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    return folder + slash + stem, (dot + suffix).lower()


def split_file(name: str) -> tuple[str, str]:
    """Key and suffix of a file: cut at the last dot."""
    stem, suffix = os.path.splitext(name)
    return stem, suffix.lower()


def one_per_key(items: Iterable[_T], split: Callable[[_T], tuple[str, str]]) -> Iterator[_T]:
    """The photographs among items, one for each run of items with the same key: the first by SUFFIXES.

    A picture beside a photograph of the same key (a segmentation mask, say) is part of that photograph's sample.
    """
    ranked = ((key, _RANK[suffix], item) for item in items for key, suffix in [split(item)] if suffix in _RANK)
    for _, sample in groupby(ranked, key=itemgetter(0)):
        yield min(sample, key=itemgetter(1))[2]
