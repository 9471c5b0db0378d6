"""Photographs at any URL that fsspec knows, and where their outputs go; listed folder by folder, as work goes on."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from hashlib import blake2b
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from tintype.runtime.folders import MARK, Item
from tintype.runtime.formats import has_format, output_suffix


@dataclass(frozen=True)
class Place:
    """A file or folder on a file system of fsspec."""

    system: Any
    path: str

    @property
    def name(self) -> str:
        """As people write it: a path on this machine, else a URL."""
        return self.path if is_local(self.system) else str(self.system.unstrip_protocol(self.path))

    def below(self, relative: str) -> "Place":
        """What lies at a place in this folder."""
        return Place(self.system, f"{self.path.rstrip('/')}/{relative}")


def place_of(name: str) -> Place:
    """The place that a URL or path means.

    Raises:
        ValueError: no such kind of URL.
        ImportError: a package for it is not installed; the message names it.
    """
    # What a listing said is not kept: it would be all names of an archive, and not the outputs that were made since.
    system, path = fsspec.url_to_fs(name, use_listings_cache=False)
    return Place(system, path)


def is_local(system: Any) -> bool:
    """Whether a file system of fsspec is that of this machine."""
    return isinstance(system, LocalFileSystem)


class Places:
    """What `tintype colorize` means by paths and an OUT of which some are URLs.

    Args:
        paths: files, folders and patterns, URLs or not.
        out: a folder, or for one photograph a file; outputs go beside the photographs where None.

    Raises:
        ValueError: OUT is or holds a folder of photographs, or names one picture where there may be many; in one line.
        ImportError: see `place_of`.
    """

    def __init__(self, paths: Sequence[str], out: str | None):
        self._sources = [(path, place_of(path)) for path in paths]
        self._out = place_of(out) if out else None
        self._one_picture = out is not None and has_format(out)
        if self._out is not None and out:
            if self._one_picture and (len(paths) > 1 or has_magic(paths[0]) or not has_format(paths[0])):
                raise ValueError(f"{out} is one picture, but there may be many photographs: give a folder")
            place = self._out.name.rstrip("/") + "/"
            for path, source in self._sources:
                if not self._one_picture and not has_format(path) and (source.name.rstrip("/") + "/").startswith(place):
                    raise ValueError(f"{out} is, or holds, the folder {path} to colorize; give another folder")

    @property
    def local_out(self) -> str | None:
        """OUT, where that is on this machine."""
        return self._out.path if self._out and is_local(self._out.system) else None

    def plan(self, *, overwrite: bool) -> Iterator[Item]:
        """Pairs each photograph with its output, as `folders.plan` does, while the folders are being listed."""
        taken: set[bytes] = set()
        for given, source in self._sources:
            try:
                for item in self._below(given, source, overwrite):
                    if len(self._sources) > 1 and item.target:  # else all outputs have names of their own
                        digest = blake2b(item.target.encode(errors="surrogateescape"), digest_size=12).digest()
                        if digest in taken:
                            reason = (
                                f"{item.target} is the output of another already; colorize them into different folders"
                            )
                            yield Item(item.source, item.target, f"{item.source}: {reason}")
                            continue
                        taken.add(digest)
                    yield item
            except FileNotFoundError:
                yield Item(given, error=f"{given}: no such file or folder")
            except Exception as error:  # every file system has its own
                reason = " ".join(str(error).split()) or type(error).__name__
                yield Item(given, error=f"{given}: cannot be listed ({reason[:200]})")

    def _below(self, given: str, source: Place, overwrite: bool) -> Iterator[Item]:
        system = source.system
        if has_magic(given) and not system.exists(source.path):
            start = source.path[: min(source.path.find(sign) for sign in "*?[" if sign in source.path)]
            base = start.rpartition("/")[0]
            files = [
                path for path in sorted(system.glob(source.path)) if has_format(path) and not _hidden(path[len(base) :])
            ]
            if not files:
                yield Item(given, error=f"{given}: no photograph matches this pattern")
            for path in files:
                if not _is_output(path, set(files)):
                    yield self._pair(Place(system, path), path[len(base) :].lstrip("/"), None, overwrite)
        elif system.isdir(source.path):
            yield from self._folders(source, overwrite)
        else:
            system.info(source.path)  # raises where it is not there
            yield self._pair(source, source.path.rpartition("/")[2], None, overwrite)

    def _folders(self, top: Place, overwrite: bool) -> Iterator[Item]:
        """The photographs of a folder in the order of names, then those of the folders in it."""
        waiting = [top.path.rstrip("/")]
        while waiting:
            folder = waiting.pop()
            if self._out is not None and Place(top.system, folder).name.rstrip("/") == self._out.name.rstrip("/"):
                continue
            files, folders = _listing(Place(top.system, folder))
            waiting.extend(f"{folder}/{name}" for name in sorted(folders, reverse=True))
            photographs = [name for name in sorted(files) if has_format(name) and not _is_output(name, files)]
            if not photographs:
                continue
            place = f"{folder}/"[len(top.path.rstrip("/")) + 1 :]
            there = files if self._out is None else _listing(self._out.below(place))[0]
            for name in photographs:
                yield self._pair(Place(top.system, f"{folder}/{name}"), place + name, there, overwrite)

    def _pair(self, source: Place, relative: str, there: set[str] | None, overwrite: bool) -> Item:
        """A photograph and its output. `there`: the names in the folder of the output, where they are known."""
        suffix = output_suffix(relative)
        if self._out is None:
            target = Place(source.system, os.path.splitext(source.path)[0] + MARK + suffix)
        elif self._one_picture:
            target = self._out
        else:
            target = self._out.below(os.path.splitext(relative)[0] + suffix)
        name = target.path.rpartition("/")[2]
        if target.name == source.name:
            return Item(source.name, target.name, f"{source.name}: its output would replace it; give another place")
        done = not overwrite and (name in there if there is not None else target.system.exists(target.path))
        return Item(source.name, target.name, skipped=done)


def _listing(folder: Place) -> tuple[set[str], set[str]]:
    """Names of the files and of the folders in a folder, hidden ones left out; none where it is not there."""
    try:
        entries = folder.system.ls(folder.path, detail=True)
    except FileNotFoundError:
        return set(), set()
    names: dict[str, set[str]] = {"file": set(), "directory": set()}
    for entry in entries:
        name = entry["name"].rstrip("/").rpartition("/")[2]
        if name and not name.startswith(".") and entry["type"] in names:
            names[entry["type"]].add(name)
    return names["file"], names["directory"]


def _is_output(name: str, others: set[str]) -> bool:
    stem, suffix = os.path.splitext(name)
    return stem.endswith(MARK) and stem.removesuffix(MARK) + suffix in others


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
