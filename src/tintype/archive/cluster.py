"""Colorizing on the machines of a Ray cluster, by Ray Data.

tintype has to be installed on each, and they all must see the photographs: at URLs, or in folders that they share.

Photographs go to the workers a few at a time. What a worker had when it died is given to another, which skips outputs
that are there already: none is lost, and none made twice. The plan is drawn on in portions, so that memory here does
not depend on the size of the archive.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from threading import Event
from typing import Any

import ray
import ray.data

from tintype.archive.carry import Carrier
from tintype.runtime.folders import Item
from tintype.runtime.retry import Work
from tintype.runtime.settings import Colorize, Settings
from tintype.runtime.workers import Workers

_PORTION = 20_000  # photographs that Ray is told of at a time: between portions, workers wait for the slowest
_MOST = 16  # photographs that a worker has at a time
_PATIENCE = 10.0  # seconds for a cluster to answer

Row = dict[str, Any]


class ClusterError(Exception):
    """There is no such cluster, or it failed; one line that says why."""


@contextmanager
def cluster(settings: Settings, jobs: int | None, address: str | None, stop: Event) -> Iterator[Work]:
    """Connects to a cluster, and gives what works through a plan on it.

    Args:
        settings: of all photographs. A model's path must be the same on all machines.
        jobs: photographs in work at a time; one per processor of the cluster where None.
        address: of the cluster, as `ray.init` takes it; a cluster of this machine alone is started where None.
        stop: once it is set, nothing new is begun, and what is in work is left.

    Raises:
        ClusterError: there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would send them to its makers
    ours = not ray.is_initialized()
    if ours:
        if address:
            _reach(address)
        here: Row = {} if address else {"address": "local", "num_cpus": jobs, "include_dashboard": False}
        try:
            ray.init(**({"address": address} | here), logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:  # Ray raises many types
            reason = " ".join(str(error).split())[:200]
            raise ClusterError(f"no Ray cluster at {address or 'this machine'}: {reason}") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = -1  # what they had is told as failed, and tried again
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with redirect_stdout(sys.stderr):  # where Ray tells of machines that are gone
            yield lambda items: _work(items, settings, jobs, stop)
    finally:
        if ours:
            ray.shutdown()


def _reach(address: str) -> None:
    """Ray would knock at HOST:PORT for minutes."""
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdecimal()) or "/" in host:
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except OSError as error:
        raise ClusterError(f"no Ray cluster at {address}: {error.strerror or error}") from error


def leave() -> None:
    """Leaves the cluster, and with it what is in work; one of this machine alone is ended."""
    ray.shutdown()


def _work(items: Iterable[Item], settings: Settings, jobs: int | None, stop: Event) -> Iterator[Item]:
    rest = iter(items)
    while portion := list(islice(rest, _PORTION)):
        todo = [item for item in portion if not (item.error or item.skipped)]
        yield from (item for item in portion if item.error or item.skipped)
        if todo:
            yield from _portion(todo, settings, jobs, stop)
        if stop.is_set():
            return


def _portion(todo: list[Item], settings: Settings, jobs: int | None, stop: Event) -> Iterator[Item]:
    start = time.perf_counter()
    workers = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
    at_once = max(1, min(_MOST, len(todo) // (4 * workers)))
    # Names go as bytes, which need not be text.
    rows = [
        {"number": number, "source": _sent(item.source), "target": _sent(item.target or "")}
        for number, item in enumerate(todo)
    ]
    blocks = -(-len(rows) // at_once)
    photographs = ray.data.from_items(rows, override_num_blocks=blocks)
    made = photographs.map(
        partial(_colorize, settings=settings),
        num_cpus=1,
        compute=ray.data.TaskPoolStrategy(size=jobs and min(jobs, blocks)),
    )
    unheard = dict(enumerate(todo))
    try:
        for row in made.iter_rows():
            item = unheard.pop(row["number"])
            size = None if row["size"] < 0 else int(row["size"])
            yield replace(
                item,
                error=row["error"] or None,
                skipped=bool(row["skipped"]),
                seconds=row["seconds"],
                size=size,
                remarks=tuple(row["remarks"].splitlines()),
            )
            if stop.is_set():
                return
    except ray.exceptions.RayError as error:
        if len(unheard) == len(todo):
            raise ClusterError(f"the Ray cluster failed: {' '.join(str(error).split())[:200]}") from error
    for item in unheard.values():
        line = f"{item.source}: the worker that had it failed"
        yield replace(item, error=line, seconds=time.perf_counter() - start)


def _colorize(row: Row, settings: Settings) -> Row:
    """One photograph, in a worker."""
    item = Item(os.fsdecode(row["source"]), os.fsdecode(row["target"]))
    try:
        made, _ = Carrier(settings.overwrite)(item, _loaded(settings))
        item = made or item
    except Exception as error:  # a model that this machine does not have
        item = replace(item, error=f"{item.source}: {error}", seconds=1e-3)
    size = -1 if item.size is None else item.size
    return {
        "number": row["number"],
        "error": item.error or "",
        "skipped": item.skipped,
        "seconds": item.seconds,
        "size": size,
        "remarks": "\n".join(item.remarks),
    }


@lru_cache(maxsize=1)
def _loaded(settings: Settings) -> Colorize:
    """A process below this one: Ray would try a photograph that crashes its worker again without end."""
    return Workers(settings, 1)


def _sent(name: str) -> bytes:
    return os.fsencode(name if "://" in name or not name else os.path.abspath(name))
