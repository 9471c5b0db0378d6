"""Packing photographs into WebDataset tars, whose bytes depend on the photographs and the settings alone.

Workers read, check and encode; this process writes, in order. A folder of shards holds, besides the tars,

pack.json     the settings, and which photographs they are of
shards.jsonl  a line for each finished shard: what is needed to go on after a kill
damaged.tsv   photographs that were left out, and why
classes.txt   where labels are numbers: the classes, by number
"""

import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock, Timeout

from tintype.data.decode import check, reencode
from tintype.data.errors import DamagedPhotoError, DataError
from tintype.data.journal import Journal
from tintype.data.labels import labels_of, sort_classes
from tintype.data.photos import Photos, fingerprint
from tintype.data.tar_writer import TarWriter
from tintype.data.whole import write_whole

_CHUNK = 8  # photographs that a worker takes at a time
_LOCK = ".lock"
_AHEAD = 3  # chunks for each worker that may wait to be written


@dataclass(frozen=True)
class Packing:
    """What shards hold.

    Attributes:
        shard_bytes: size of a shard at most, unless a single photograph is larger.
        short_side: larger photographs are reduced to it, in pixels; 0 leaves all at their size.
        quality: of JPEG, 1..100, as which all are encoded again; 0 takes files as they are, byte by byte.
        labels: what .cls files hold: nothing, the class's name, or its number.
    """

    shard_bytes: int
    short_side: int = 0
    quality: int = 0
    labels: Literal["none", "names", "numbers"] = "none"


@dataclass(frozen=True)
class Packed:
    """What was made.

    Attributes:
        shards: how many.
        images: photographs in them.
        bytes: of all shards.
        damaged: photographs that were left out: what is wrong with each, by path.
    """

    shards: int
    images: int
    bytes: int
    damaged: dict[str, str]


class _Item(NamedTuple):
    """What a worker makes of a photograph: its file's bytes and suffix, or what is wrong with it."""

    data: bytes
    suffix: str
    damage: str = ""


def pack(
    photos: Photos,
    out: Path,
    packing: Packing,
    *,
    jobs: int = 1,
    max_damaged: float = 0.05,
    progress: Callable[[int], None] = lambda done: None,
    note: Callable[[str], None] = lambda line: None,
) -> Packed:
    """Pack photographs into shards, or go on where this was stopped before.

    Args:
        photos: in the order that they are to have.
        out: a new or empty folder, or one of shards of the same photographs and settings.
        packing: what the shards hold.
        jobs: processes that read and encode; 1 does so in this one.
        max_damaged: share of the photographs that may be damaged; those are left out.
        progress: called with how many photographs are done.
        note: called with a line about each damaged photograph.

    Raises:
        DataError: the folder holds something else; two photographs have the same key, or one has no label; too many
            are damaged, or a photograph on another machine cannot be reached.
        OSError: a shard cannot be written. What was finished stays, and the same call goes on from there.
    """
    keys = _keys(photos)
    labels, classes = _labels(photos, packing.labels)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out}: is no folder: choose another place")
    out.mkdir(parents=True, exist_ok=True)
    with _alone_in(out):
        _open(out, packing, photos, classes)
        for left in out.glob(".*.part"):  # by a run that was killed
            left.unlink()
        journal = Journal(out)
        progress(journal.next)
        items = _items(photos, packing, journal.next, jobs)
        tar: TarWriter | None = None
        try:
            for number, item in enumerate(items, journal.next):
                if item.damage:
                    journal.damaged[photos[number].path] = item.damage
                    note(f"skipped {photos[number].path}: {item.damage}")
                    _check_damage(journal, photos, max_damaged)
                else:
                    members = [(keys[number] + item.suffix, item.data)]
                    if labels:
                        members.append((f"{keys[number]}.cls", os.fsencode(labels[number])))
                    if tar is not None and tar.size_with(members) > packing.shard_bytes:
                        journal.add(tar.finish(), number)
                        tar = None
                    if tar is None:
                        tar = TarWriter(out / journal.name)
                    tar.add(members)
                progress(number + 1)
            if tar is not None:
                journal.add(tar.finish(), len(photos))
        finally:
            if tar is not None:
                tar.discard()
            items.close()
        if not journal.shards:
            raise DataError(f"none of the {len(photos)} photographs can be decoded")
        journal.finish(len(photos))
    size = sum(shard.bytes for shard in journal.shards)
    return Packed(len(journal.shards), len(photos) - len(journal.damaged), size, journal.damaged)


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataError(f"{out}: another process is packing there") from error
    try:
        yield
    finally:
        with suppress(PermissionError):  # where files in use cannot be removed
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _keys(photos: Photos) -> list[str]:
    keys = [photo.key for photo in photos]
    number: dict[str, int] = {}
    for place, key in enumerate(keys):
        if number.setdefault(key, place) != place:
            first, second = photos[number[key]].path, photos[place].path
            raise DataError(f"{first} and {second} would both be {key} in the shards: rename one, or pack them apart")
    return keys


def _labels(photos: Photos, kind: str) -> tuple[list[str], tuple[str, ...]]:
    """What each photograph's .cls is to hold, if anything, and the classes by number, if they are numbered."""
    if kind == "none":
        return [], ()
    labels = list(labels_of(photos))
    if kind == "names":
        return labels, ()
    classes = sort_classes(labels)
    number = {name: str(place) for place, name in enumerate(classes)}
    return [number[label] for label in labels], classes


def _open(out: Path, packing: Packing, photos: Photos, classes: Sequence[str]) -> None:
    """Begin in a folder, or check that it is one of the same shards."""
    settings = out / "pack.json"
    wanted: dict[str, Any] = {"format": 1, **asdict(packing), "photographs": fingerprint(photos)}
    if settings.is_file():
        found = json.loads(settings.read_text(encoding="utf-8"))
        changed = [f"{name} {found.get(name)}" for name, value in wanted.items() if found.get(name) != value]
        if changed:
            raise DataError(f"{out}: holds shards made with {', '.join(changed)}: choose another folder, or remove it")
    elif any(left.name not in (_LOCK, ".pack.json.part") for left in out.iterdir()):  # which a kill may leave
        raise DataError(f"{out}: is not empty, and holds no shards to go on with: choose another folder")
    write_whole(settings, json.dumps(wanted, indent=1) + "\n")  # first of all files, for it tells whose the others are
    if classes:
        write_whole(out / "classes.txt", "".join(f"{name}\n" for name in classes))


def _check_damage(journal: Journal, photos: Photos, most: float) -> None:
    count, total = len(journal.damaged), len(photos)
    if count > most * total:
        journal.list_damaged()
        path, reason = list(journal.damaged.items())[-1]
        raise DataError(
            f"{count} of {total} photographs are damaged, more than {most:.2%} (--max-damaged), the last one "
            f"{path}: {reason}; they are listed in {journal.listing}"
        )


def _items(photos: Photos, packing: Packing, start: int, jobs: int) -> Generator[_Item]:
    """The photographs from number `start` on, made by workers, in order."""
    chunks = iter([range(first, min(first + _CHUNK, len(photos))) for first in range(start, len(photos), _CHUNK)])
    if jobs == 1:
        for chunk in chunks:
            for number in chunk:
                yield _make(photos, packing, number)
        return
    pool = ProcessPoolExecutor(jobs, initializer=_begin, initargs=(photos, packing))
    waiting: deque[Future[list[_Item]]] = deque()
    try:
        while True:
            waiting.extend(pool.submit(_work, chunk) for chunk in islice(chunks, _AHEAD * jobs - len(waiting)))
            if not waiting:
                return
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            "a process that reads photographs was killed, perhaps for its memory: try fewer jobs"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_given: tuple[Photos, Packing] | None = None


def _begin(photos: Photos, packing: Packing) -> None:
    """In a worker: what it works on, and until when."""
    global _given
    _given = photos, packing
    for number in (signal.SIGINT, signal.SIGTERM):  # only the process that writes decides what they mean
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, which a pool's processes do not notice by themselves."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _work(numbers: range) -> list[_Item]:
    assert _given is not None
    return [_make(*_given, number) for number in numbers]


def _make(photos: Photos, packing: Packing, number: int) -> _Item:
    photo = photos[number]
    try:
        data = photo.read()
        if packing.quality:
            return _Item(reencode(data, packing.short_side, packing.quality), ".jpg")
        check(data)
        return _Item(data, os.path.splitext(photo.path)[1].lower())
    except DamagedPhotoError as error:
        return _Item(b"", "", str(error))
    except OSError as error:
        return _Item(b"", "", error.strerror or str(error))
