"""Colorizing many photographs, several at a time, in bounded memory."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tintype.runtime.errors import DISK_FULL, PhotoError
from tintype.runtime.folders import Item
from tintype.runtime.read import read_size
from tintype.runtime.settings import Colorize

PIXELS_AT_ONCE = 100_000_000  # in work together; a photograph with more is worked on alone
Outcome = tuple[Item | None, OSError | None]  # None: broken off; an error that would meet every other photograph too


class Stopped(Exception):
    """Work on a film was broken off because the run is to stop; what is finished of it is kept."""


def colorize_all(
    items: Iterable[Item],
    colorize: Colorize,
    *,
    jobs: int,
    stop: threading.Event,
    patience: float,
    one: Callable[[Item, Colorize], Outcome] | None = None,
) -> Iterator[Item]:
    """Works through a plan, and yields each item as it is finished, with its error or its seconds.

    At most `jobs` photographs are in work at a time, fewer where they are large, and the plan is drawn on only as they
    are finished: 100,000 photographs take no more memory than a hundred. Items with an error, or skipped, pass through.

    Args:
        items: from `folders.plan`.
        colorize: makes one colour version, from source to target; what it raises becomes the error of that item.
        jobs: photographs in work at a time.
        stop: once it is set, nothing new is begun, and what is in work has `patience` to finish.
        patience: seconds. What is not finished by then goes on in its threads, and is not heard of again.
        one: works on an item with `colorize`; `colorize_item` where None.

    Raises:
        OSError: the disk is full. Items in work were finished and yielded, the rest was not begun.
    """
    running: dict[Future[Outcome], int] = {}
    hopeless: list[OSError] = []
    end = math.inf

    def finished(*, most: int, pixels: int = 0) -> Iterator[Item]:
        """Waits until at most `most` photographs are in work and there is room for so many pixels more."""
        nonlocal end
        while len(running) > most or (running and sum(running.values()) + pixels > PIXELS_AT_ONCE):
            done, _ = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                item, error = future.result()
                hopeless.extend([error] if error else [])
                if item:
                    yield item
            if stop.is_set():
                end = min(end, time.monotonic() + patience)
                if time.monotonic() >= end:
                    return

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="colorize")
    try:
        for item in items:
            if item.error or item.skipped:
                yield item
                continue
            pixels = _pixels(item.source)
            yield from finished(most=jobs - 1, pixels=pixels)
            if stop.is_set() or hopeless:
                break
            running[pool.submit(one or colorize_item, item, colorize)] = pixels
        yield from finished(most=0)
    finally:
        pool.shutdown(wait=not stop.is_set(), cancel_futures=True)
    if hopeless:
        raise hopeless[0]


def colorize_item(item: Item, colorize: Colorize) -> Outcome:
    """Makes one colour version. An output that another run made meanwhile counts as skipped.

    The item is None where it was broken off.
    """
    assert item.target is not None
    start, error, hopeless, skipped, size = time.perf_counter(), None, None, False, None
    remarks: Sequence[str] | None = None
    try:
        os.makedirs(os.path.dirname(item.target) or ".", exist_ok=True)
        remarks = colorize(Path(item.source), Path(item.target))
        with suppress(FileNotFoundError):  # someone may have taken it away already
            size = os.stat(item.target).st_size
    except Stopped:
        return None, None
    except OSError as problem:
        skipped = isinstance(problem, FileExistsError) and Path(problem.filename or "") == Path(item.target)
        about = "" if problem.filename == item.source else f"cannot write {item.target}: "
        error = None if skipped else f"{item.source}: {about}{problem.strerror or problem}"
        hopeless = problem if problem.errno in DISK_FULL else None  # other photographs would fare no better
    except ValueError as problem:  # PhotoError: says what is wrong with which file
        error = str(problem)
    except Exception as problem:  # one photograph must not end a run over thousands
        error = f"{item.source}: {type(problem).__name__}: {problem}"
    seconds = 0.0 if skipped else time.perf_counter() - start
    return replace(
        item, error=error, skipped=skipped, seconds=seconds, size=size, remarks=tuple(remarks or ())
    ), hopeless


def _pixels(path: str) -> int:
    """Width times height, from the file's header; 0 where that cannot be read, which `colorize` will then tell."""
    try:
        return math.prod(read_size(path))
    except (OSError, PhotoError):
        return 0
