"""Which photographs the given paths mean, and which file the colour version of each goes to.

`find` lists the photographs under files, folders and patterns; `plan` pairs each with its output. Neither opens a
picture, and neither lets an output land on a photograph: not on its own original, nor on any other of the run.
"""

import fnmatch
import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tintype.runtime.formats import FILMS, FORMATS, can_be_read, has_format, is_film, output_suffix

MARK = ".color"  # NAME.color.EXT is the colour version of NAME.EXT beside it
_IS_INPUT = "is a folder to colorize; leave -o out to get NAME.color.EXT beside each photograph, or give another folder"


@dataclass(frozen=True)
class Item:
    """One photograph of a run: what is to be done with it and, later, what came of it.

    Attributes:
        source: the photograph, as found under the path that was given.
        target: the file its colour version goes to; None where that could not be settled.
        error: why there is no output, in one line.
        skipped: the output was there before the run.
        seconds: how long it took.
        size: bytes of the output, where it was made.
        remarks: for whoever looks at it, in a line each.
    """

    source: str
    target: str | None = None
    error: str | None = None
    skipped: bool = False
    seconds: float = 0.0
    size: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass
class Found:
    """What some paths mean, each photograph once, in the order of the paths and then of names.

    Attributes:
        files: by canonical path: the photograph, and the folder from which its place under an output folder is counted.
        colour_versions: canonical paths of files that were named but left out, as they are outputs of others named.
        problems: paths that are not there or cannot be read, each with its error.
        empty: folders in which there is no photograph.
    """

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    colour_versions: set[str] = field(default_factory=set)
    problems: list[Item] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def find(paths: Sequence[str], out: str | None = None) -> Found:
    """Lists the photographs that `paths` mean.

    A folder means the files below it, at any depth, with the suffix of a format that is read and written. A pattern
    (`*`, `?`, `[...]`, `**`) means those that it matches, and everything in folders that it matches. Both leave out
    hidden files and folders, colour versions beside their photographs, and the folder `out`. Links to folders are
    followed, each folder once. A file that is named is taken whatever its suffix, but not if it is the colour version
    of another that is named. Films are taken where they are named, or a pattern ends with their suffix.

    Args:
        paths: files, folders and patterns, as a person gives them.
        out: where output will go, if not beside the photographs: a folder, or one picture file.

    Raises:
        ValueError: `out` is one of the folders to colorize, names one picture where there may be many, or has the
            suffix of a format that cannot be written; in one line.
    """
    found = Found()
    named = {canonical(path) for path in paths if os.path.isfile(path)}
    outside = _identity(out) if out else None
    for path in paths:
        if os.path.isfile(path):
            if outside and outside == _identity(os.path.dirname(path)):
                raise ValueError(f"{out} {_IS_INPUT}")
            place, original = canonical(path), original_of(path)
            if original and canonical(original) in named:
                found.colour_versions.add(place)
            else:
                found.files.setdefault(place, (path, os.path.dirname(path)))
        elif os.path.isdir(path):
            if not _search(found, path, (), out):
                found.empty.append(path)
        elif glob.has_magic(path) and not os.path.lexists(path):
            parts = Path(os.path.expanduser(path)).parts
            start = next(number for number, part in enumerate(parts) if glob.has_magic(part))
            base = os.path.join(*parts[:start]) if start else ""
            if not _search(found, base, parts[start:], out):
                found.problems.append(Item(path, error=f"{path}: no photograph matches this pattern"))
        else:
            what = "not a file or folder that can be read" if os.path.lexists(path) else "no such file or folder"
            found.problems.append(Item(path, error=f"{path}: {what}"))
    suffix = os.path.splitext(out or "")[1]
    one_file = len(paths) == 1 and os.path.isfile(paths[0])
    film = one_file and is_film(paths[0])
    writable = FILMS if film else FORMATS
    looks_like_a_file = suffix[1:].isalnum() and suffix[1:2].isalpha()
    if out and one_file and looks_like_a_file and suffix.lower() not in writable and not os.path.isdir(out):
        raise ValueError(f"{out}: cannot write {suffix}; use {', '.join(writable)}, or end a folder's name with /")
    if out and names_a_picture(out) and (len(paths) > 1 or len(found.files) > 1 or os.path.isdir(paths[0])):
        raise ValueError(f"{out} is one picture, but there may be many photographs: give a folder")
    return found


def plan(found: Found, out: str | None = None, *, overwrite: bool = False) -> Iterator[Item]:
    """Pairs each photograph with its output.

    Without `out`, NAME.EXT becomes NAME.color.EXT beside it. With a folder `out`, it becomes NAME.EXT at the same place
    below `out`. A suffix that cannot be written becomes .png. An item is skipped where its output is there already,
    unless `overwrite`; it gets an error where its output would be a photograph of the run or the output of another.

    Args:
        found: from `find`, called with the same `out`.
        out: a folder, which need not be there yet, or one picture file.
        overwrite: whether outputs that are there already are to be made again.
    """
    folder_of = cache(os.path.realpath)
    one_picture = out is not None and names_a_picture(out)
    claimed: dict[str, str] = {}
    for place, (source, base) in found.files.items():
        stem, suffix = os.path.splitext(source)[0], output_suffix(source)
        if out is None:
            target = stem + MARK + suffix
        elif one_picture:
            target = out
        else:
            target = os.path.join(out, os.path.relpath(stem + suffix, base or "."))
        goal = canonical(target, folder_of)
        first = claimed.setdefault(goal, source)

        error, skipped = None, False
        if goal == place:
            error = "its output would replace it; give another file name"
        elif goal in found.files:
            error = f"its output would replace {found.files[goal][0]}, which is to be colorized too"
        elif first is not source:
            error = f"{target} is the output of {first} already; colorize them into different folders"
        elif os.path.isdir(target):
            error = f"its output would be {target}, which is a folder"
        elif os.path.lexists(target):
            if not overwrite:
                skipped = True
            elif goal in found.colour_versions:
                error = f"its output {target} was named too, so it is not replaced; leave it out, or name the folder"
            elif os.path.exists(target) and os.path.samefile(source, target):
                error = f"its output would replace it: {target} is the same file"
        yield Item(source, target, error and f"{source}: {error}", skipped)


def canonical(path: str, folder_of: Callable[[str], str] = os.path.realpath) -> str:
    """The one name of a file or link, whatever links lead to its folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder_of(folder), name)


def names_a_picture(out: str) -> bool:
    """Whether output to `out` means that file, picture or film, not files in a folder of that name."""
    return (has_format(out) or is_film(out)) and not os.path.isdir(out)


def original_of(path: str) -> str | None:
    """The photograph beside `path` of which `path`, by its name, is the colour version."""
    stem, suffix = os.path.splitext(path)
    original = stem.removesuffix(MARK) + suffix
    return original if stem.endswith(MARK) and os.path.isfile(original) else None


def _search(found: Found, base: str, pattern: tuple[str, ...], out: str | None) -> bool:
    """Adds the photographs below a folder that match; False where there was nothing to say about it."""
    outside = _identity(out) if out else None
    if outside and outside == _identity(base):
        raise ValueError(f"{out} {_IS_INPUT}")
    folder_of = cache(os.path.realpath)
    anything = False
    for path in _walk(base, pattern, {outside} if outside else set()):
        anything = True
        if isinstance(path, Item):
            found.problems.append(path)
        else:
            found.files.setdefault(canonical(path, folder_of), (path, base))
    return anything


def _walk(base: str, pattern: tuple[str, ...], visited: set[tuple[int, int]]) -> Iterator[str | Item]:
    """Photographs below a folder, or errors, in the order of names; the files of a folder before the folders in it."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(base, ())]
    while waiting:
        folder, place = waiting.pop()
        identity = _identity(folder)
        if identity in visited:  # a link led here before, perhaps one that leads back up
            continue
        if identity:
            visited.add(identity)
        try:
            with os.scandir(folder or ".") as listing:
                entries = sorted((entry for entry in listing if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            yield Item(folder or ".", error=f"{folder or '.'}: {error.strerror}")
            continue
        below = []
        for entry in entries:
            path, parts = os.path.join(folder, entry.name), (*place, entry.name)
            link = entry.is_symlink()  # os.path answers False for links in a circle, where the entry itself would raise
            if os.path.isdir(path) if link else entry.is_dir():
                if _matches(parts, pattern, partly=True):
                    below.append((path, parts))
            elif _is_meant(path, pattern) and _matches(parts, pattern) and not original_of(path):
                if os.path.isfile(path) if link else entry.is_file():
                    yield path
                elif link:
                    yield Item(path, error=f"{path}: a link to a file that is not there")
        waiting.extend(reversed(below))


def _is_meant(path: str, pattern: tuple[str, ...]) -> bool:
    """By its suffix. Films, which may take hours, only where the pattern names their suffix."""
    return can_be_read(path) or (is_film(path) and pattern != () and pattern[-1].lower().endswith(_suffix(path)))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...], *, partly: bool = False) -> bool:
    """Whether a path, or a folder above it, matches a pattern; `partly`: whether something below it might."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return partly or any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    if not parts:
        return partly
    return fnmatch.fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:], partly=partly)


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        status = os.stat(folder or ".")
    except OSError:
        return None
    return status.st_dev, status.st_ino
