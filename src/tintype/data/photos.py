"""Photographs as one sequence, whatever they lie in."""

import bisect
import glob
import hashlib
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError
from tintype.data.remote import RemoteTar, is_url, tars_below
from tintype.data.shards import SUFFIXES, Files, Shard, Tar, one_per_key, split_file
from tintype.data.unpack import COMPRESSED, is_tar, uncompressed
from tintype.data.walk import walk

_AT_ONCE = 16  # remote tars of which the headers are read


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph, unread."""

    _shard: Shard
    _index: int

    @property
    def key(self) -> str:
        """What it is known by: its name below the folder, list or tar, without suffix, as `member_key` has it."""
        return self._shard.key(self._index)

    @property
    def path(self) -> str:
        """Where it lies, for messages."""
        return self._shard.path(self._index)

    @property
    def label(self) -> str | None:
        """Its class: what the .cls file beside it in a tar says, or else the first folder of its key; None without."""
        return self._shard.label(self._index)

    def read(self) -> bytes:
        """The photograph's file, as it lies there.

        Raises:
            OSError: it cannot be read.
            DataError: what it lies in cannot be reached.
        """
        return self._shard.read(self._index)


class Photos(Sequence[Photo]):
    """Photographs of one or more sources, by number; made by `open_photos`.

    Attributes:
        sizes: photographs of each source, in order.
        weights: how often each source is to be drawn from, relative to the others; None: all sources are one pool.
        classes: number of each photograph's class, (len,) int64; None: they have no labels (see `labels.py`).
    """

    def __init__(
        self,
        sources: Sequence[tuple[str, Sequence[Shard]]],
        weights: tuple[float, ...] | None,
        chosen: NDArray[np.int64] | None = None,
        classes: NDArray[np.int64] | None = None,
    ):
        self._sources = sources
        self._shards = [shard for _, shards in sources for shard in shards]
        self._starts = list(itertools.accumulate(map(len, self._shards), initial=0))
        self._chosen = chosen
        self.weights = weights
        self.classes = classes
        ends = np.cumsum([sum(map(len, shards)) for _, shards in sources])
        if chosen is not None:
            ends = np.searchsorted(chosen, ends)
        self.sizes: list[int] = np.diff(ends, prepend=0).tolist()

    def __len__(self) -> int:
        return self._starts[-1] if self._chosen is None else len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> Photo: ...
    @overload
    def __getitem__(self, index: slice) -> list[Photo]: ...
    def __getitem__(self, index: int | slice) -> Photo | list[Photo]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if self._chosen is not None:
            number = int(self._chosen[number])
        place = bisect.bisect(self._starts, number) - 1
        return Photo(self._shards[place], number - self._starts[place])

    def split(self, val_fraction: float) -> tuple["Photos", "Photos"]:
        """Part the photographs into those to train on and those held out.

        The part is a hash of the photograph's key: it stays the same when photographs are added, removed, reordered or
        packed into tars.

        Args:
            val_fraction: share held out, in (0, 1).

        Raises:
            DataError: a part would be empty, or the training part of a source that has a weight.
        """
        if not 0 < val_fraction < 1:
            raise DataError(f"val_fraction must lie between 0 and 1, got {val_fraction}")
        held_out = np.fromiter((is_held_out(photo.key, val_fraction) for photo in self), bool, len(self))
        train, val = (self.choose(np.flatnonzero(part)) for part in (~held_out, held_out))
        if not len(val):
            raise DataError(f"val_fraction {val_fraction} of {len(self)} photographs holds out none: raise it")
        if not len(train) or (train.empty and self.weights is not None):
            raise DataError(
                f"val_fraction {val_fraction} leaves no photograph of {train.empty[0]} to train on: lower it"
            )
        return train, val

    @property
    def empty(self) -> list[str]:
        """The sources of which there are no photographs."""
        return [name for (name, _), size in zip(self._sources, self.sizes, strict=True) if not size]

    def choose(self, numbers: NDArray[np.int64]) -> "Photos":
        """Some of the photographs: those of these numbers, which rise."""
        held = np.arange(len(self)) if self._chosen is None else self._chosen
        classes = None if self.classes is None else self.classes[numbers]
        return Photos(self._sources, self.weights, held[numbers], classes)

    def labelled(self, classes: NDArray[np.int64]) -> "Photos":
        """The same photographs, each with the number of its class, (len,) int64."""
        return Photos(self._sources, self.weights, self._chosen, classes)


def open_photos(paths: Sequence[str | Path], weights: Sequence[float] | None = None) -> Photos:
    """Find the photographs of one or more sources.

    A source is a folder (searched with all below it for photographs and tars), a .txt list of files (one a line,
    relative to the list), a WebDataset tar (.tar, .tar.gz, .tgz), or several of these as one pattern, such as
    train-{00..04}.tar or photos/**/*.jpg. Compressed tars are unpacked once (`tintype.data.unpack`). A URL of fsspec's,
    such as s3://bucket/train-{00..04}.tar, is an uncompressed tar, or a folder of such tars (`tintype.data.remote`).

    Args:
        paths: the sources.
        weights: one above 0 for each source: how often it is drawn from, relative to the others. Without weights every
            photograph of every source comes once per epoch.

    Raises:
        DataError: a path does not exist, holds no photographs, or cannot be read; weights do not match the paths.
    """
    if not paths:
        raise DataError("no data given: name at least one folder, list or tar of photographs")
    if weights is not None:
        if len(weights) != len(paths):
            raise DataError(f"{len(weights)} weights for {len(paths)} sources: give one for each")
        if not all(0 < weight < float("inf") for weight in weights):
            raise DataError(f"weights must be above 0, got {', '.join(map(str, weights))}")
    sources = [(str(path), list(_open_source(str(path)))) for path in paths]
    for name, shards in sources:
        if not any(map(len, shards)):
            raise DataError(f"no photographs found in {name} (looked for {', '.join(SUFFIXES)})")
    return Photos(sources, None if weights is None else tuple(map(float, weights)))


def _open_source(pattern: str) -> Iterator[Shard]:
    if is_url(pattern):
        yield from _open_urls(list(expanded(pattern)))
        return
    for path in map(Path, expanded(pattern)):
        try:
            yield from _open_matches(path) if glob.has_magic(str(path)) and not path.exists() else _open(path)
        except OSError as error:
            raise DataError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


def _open_urls(urls: Sequence[str]) -> list[RemoteTar]:
    tars = []
    for url in urls:
        if url.endswith(COMPRESSED):
            raise DataError(f"{url} is compressed and cannot be read in parts: unpack it, or fetch it to this machine")
        tars.extend([url] if url.endswith(".tar") else tars_below(url))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(RemoteTar, tars))


def _open_matches(pattern: Path) -> Iterator[Shard]:
    """What matches a pattern such as photos/**/*.jpg: photographs, folders, lists and tars."""
    parts = pattern.parts
    start = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:start])
    matches = sorted((path for path in glob.glob(str(pattern), recursive=True)), key=split_file)
    if not matches:
        raise DataError(f"{pattern} matches nothing")
    photographs = [path for path in matches if split_file(path)[1] in SUFFIXES and os.path.isfile(path)]
    yield Files(base, (os.path.relpath(path, base) for path in one_per_key(photographs, split_file)))
    for path in matches:
        if path not in photographs:
            yield from _open(Path(path))


def _open(path: Path) -> Iterator[Shard]:
    if path.is_dir():
        tars: list[Path] = []
        yield Files(path, one_per_key(_noting_tars(path, tars), split_file))
        for tar in tars:
            yield from _open(tar)
    elif not path.exists():
        raise DataError(f"{path} does not exist")
    elif is_tar(path.name):
        yield Tar(uncompressed(path), shown=path)
    elif path.name.lower().endswith(".txt"):
        lines = (line.strip() for line in path.read_text("utf-8", errors="surrogateescape").splitlines())
        yield Files(path.parent, (line for line in lines if line))
    else:
        raise DataError(f"{path} is not a folder, a .txt list of files, or a .tar, .tar.gz or .tgz of photographs")


def _noting_tars(root: Path, tars: list[Path]) -> Iterator[str]:
    """The files below a folder; those that are tars go to `tars`."""
    for name in walk(root):
        if is_tar(name):
            tars.append(root / name)
        yield name


def expanded(pattern: str) -> Iterator[str]:
    """train-{00..02}.tar -> train-00.tar, train-01.tar, train-02.tar; a path without braces is itself."""
    parts = re.split(r"\{(\d+)\.\.(\d+)\}", pattern)
    ranges = [
        [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
        for first, last in zip(parts[1::3], parts[2::3], strict=True)
    ]
    for numbers in itertools.product(*ranges):
        yield parts[0] + "".join(map("".join, zip(numbers, parts[3::3], strict=True)))


def fingerprint(photos: Photos) -> str:
    """Number of photographs and a hash of their keys, in order: equal for the same ones wherever they lie."""
    digest = hashlib.blake2b(digest_size=8)
    for photo in photos:
        digest.update(os.fsencode(photo.key) + b"\0")
    return f"{len(photos)} ({digest.hexdigest()})"


def is_held_out(key: str, val_fraction: float) -> bool:
    """Whether the photograph of a key is one of a share that is held out; larger shares hold the smaller ones."""
    digest = hashlib.blake2b(os.fsencode(key), digest_size=8, person=b"val").digest()
    return int.from_bytes(digest) < int(val_fraction * 2**64)
