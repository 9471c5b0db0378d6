"""Sharing the tiles of a large picture among a few threads, in bounded memory."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

T = TypeVar("T")


def share(tiles: Sequence[T], work: Callable[[Iterator[T]], None], threads: int) -> None:
    """Works through `tiles` on several threads (numpy lets go of the interpreter lock while it computes).

    Args:
        tiles: pieces of work, in any order.
        work: called once per thread, so that it can keep its buffers from one tile to the next; it is given an
            iterator that all threads draw from.
        threads: how many, at least 1.
    """
    rest = iter(tiles)
    threads = min(threads, len(tiles))
    if threads <= 1:
        work(rest)
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            for future in as_completed([pool.submit(work, rest) for _ in range(threads)]):
                future.result()
        except BaseException:
            for _ in rest:  # leaves nothing to do for the others
                pass
            raise


def spans(length: int, step: int) -> list[tuple[int, int]]:
    """(start, stop) of consecutive pieces of `step`, the last one shorter."""
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
