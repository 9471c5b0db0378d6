"""Tars that are not on this machine, at any URL that fsspec knows: s3://, gs://, hdfs://, http:// ...

A tar's headers are read once, and where its members lie is kept in $XDG_CACHE_HOME/tintype/indexes
(~/.cache/tintype/indexes). Photographs are then read one by one, by their range of bytes: they can be had in any order,
and nothing of a data set need fit on the disk.
"""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import numpy as np
from filelock import FileLock

from tintype.data.errors import DataError
from tintype.data.shards import Index, Names

TRIES = 6
FIRST_PAUSE = 0.5  # seconds, doubled after each failure
_BLOCK = 4 << 20  # bytes fetched at a time while headers are read
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotImplementedError, ImportError, ValueError)
# What says that a file is still the same one, as far as each file system tells.
_IDENTITY = ("size", "ETag", "etag", "mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")

T = TypeVar("T")


def is_url(path: str) -> bool:
    """Whether a path is for fsspec."""
    return "://" in path


def tars_below(url: str) -> list[str]:
    """The tars in a folder at a URL and in those below it, by name.

    Raises:
        DataError: it cannot be listed.
    """

    def find() -> list[str]:
        system, path = fsspec.url_to_fs(url)
        return [str(system.unstrip_protocol(found)) for found in sorted(system.find(path)) if found.endswith(".tar")]

    return _patiently(find, url)


class RemoteTar:
    """Photographs in an uncompressed tar at a URL.

    Raises:
        DataError: not there, not a tar, or it cannot be read in parts.
    """

    def __init__(self, url: str):
        self._url = url
        self._index = _patiently(lambda: _index(url), url)

    def __len__(self) -> int:
        return len(self._index.names)

    def key(self, index: int) -> str:
        return self._index.key(index)

    def path(self, index: int) -> str:
        return f"{self._url}:{self._index.names[index]}"

    def label(self, index: int) -> str | None:
        return self._index.label(index)

    def read(self, index: int) -> bytes:
        """The photograph's file.

        Raises:
            DataError: it cannot be had, for some time. No OSError, for the photograph itself is not damaged: were it
                replaced by another, a run would depend on the weather.
        """
        start, size = self._index.offsets[index], self._index.sizes[index]

        def fetch() -> bytes:
            # fsspec keeps its connections, apart for each process and thread, so no worker uses another's.
            system, path = fsspec.url_to_fs(self._url)
            data = bytes(system.cat_file(path, start=start, end=start + size)) if size else b""
            if len(data) != size:
                raise OSError(f"{len(data)} bytes came instead of {size}; are ranges of bytes served?")
            return data

        return _patiently(fetch, self._url)


def _patiently(get: Callable[[], T], url: str) -> T:
    """What `get` returns, tried a few times, as networks fail now and then. Raises DataError."""
    for attempt in range(TRIES):
        try:
            return get()
        except DataError:
            raise
        except Exception as error:  # every file system has its own
            if attempt + 1 == TRIES or isinstance(error, _FINAL):
                reason = "no such file" if isinstance(error, FileNotFoundError) else " ".join(str(error).split())
                raise DataError(f"cannot read {url}: {reason or type(error).__name__}") from error
            time.sleep(FIRST_PAUSE * 2**attempt)
    raise AssertionError


def _index(url: str) -> Index:
    """The tar's index, from the cache where it is there. Processes that ask at the same time wait for the first."""
    system, path = fsspec.url_to_fs(url)
    info = system.info(path)
    identity = "\0".join([url, *(f"{name}={info.get(name)}" for name in _IDENTITY)])
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tintype" / "indexes"
    target = folder / f"{hashlib.blake2b(os.fsencode(identity), digest_size=16).hexdigest()}.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror} (XDG_CACHE_HOME chooses the place)") from error
    with FileLock(f"{target}.lock"):
        if not target.exists():
            with system.open(path, "rb", block_size=_BLOCK, cache_type="readahead") as file:
                if not file.seekable():
                    raise DataError(f"{url} cannot be read in parts, as its server does not serve ranges of bytes")
                _save(Index.of(file, url), target)
    return _load(target)


def _save(index: Index, target: Path) -> None:
    partial = target.with_suffix(".part")
    try:
        with open(partial, "wb") as file:
            np.savez(file, offsets=np.array(index.offsets), sizes=np.array(index.sizes), **_arrays(index))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _arrays(index: Index) -> dict[str, Any]:
    names = {"names": index.names, "labels": index.labels}
    return {f"{kind}_{part}": array for kind, held in names.items() for part, array in held.to_arrays().items()}


def _load(target: Path) -> Index:
    index = Index()
    with np.load(target, allow_pickle=False) as held:
        index.offsets.frombytes(held["offsets"].astype(np.int64).tobytes())
        index.sizes.frombytes(held["sizes"].astype(np.int64).tobytes())
        index.names, index.labels = (
            Names.from_arrays(held[f"{kind}_text"], held[f"{kind}_ends"]) for kind in ("names", "labels")
        )
    return index
