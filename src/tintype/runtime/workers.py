"""Processes that colorize, for runs over many photographs.

A small photograph holds Python's interpreter lock for about a sixth of its time, so that six cores are the most that
threads can fill. Processes have a lock each. And a decoder that crashes takes one process with it, not the run.
"""

import multiprocessing
import pickle
import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from tintype.runtime.errors import PhotoError
from tintype.runtime.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # often sent to all processes of a run, of which the first decides
MANY = 100  # photographs from which on processes are worth their start: half a second each


class Workers:
    """Processes that colorize one photograph at a time each, with one thread; call it from as many threads.

    On Ctrl-C they finish what is in work. When this process is killed, each finishes its photograph and ends.

    Args:
        settings: of all photographs.
        number: of processes.
    """

    def __init__(self, settings: Settings, number: int):
        self._settings = settings
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all = {_Worker(settings) for _ in range(number)}
        for worker in self._all:
            self._idle.put(worker)

    def __call__(self, source: Path, target: Path) -> list[str]:
        """Makes one colour version, and returns remarks. Raises what `Colorizer.colorize_file` raises.

        Raises:
            PhotoError: the process ended, by a crash or for want of memory; another takes its place.
        """
        worker = self._idle.get()
        try:
            return worker.colorize(source, target)
        except _Ended as ended:
            self._all.discard(worker)
            worker = _Worker(self._settings)
            self._all.add(worker)
            raise PhotoError(f"{source}: the process that worked on it was ended ({ended})") from None
        finally:
            self._idle.put(worker)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """Ends all processes at once. Outputs in work have no name until they are complete, and are gone."""
        for worker in list(self._all):
            worker.process.kill()
        for worker in list(self._all):
            worker.process.join()


class _Ended(Exception):
    """A worker is no more; the message says why."""


class _Worker:
    """One process, and the connection to it."""

    def __init__(self, settings: Settings):
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
        self._connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with _signals_blocked():
            self.process.start()
        theirs.close()  # so that the end of the process is seen here

    def colorize(self, source: Path, target: Path) -> list[str]:
        try:
            self._connection.send((source, target))
            error, remarks = self._connection.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            raise _Ended(signal.strsignal(-code) if code < 0 else f"exit code {code}") from None
        if error is not None:
            raise error
        return list(remarks)


def _serve(connection: Connection, settings: Settings) -> None:
    """What a worker does until nobody is at the other end."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    colorize = None
    with suppress(EOFError, OSError):
        while True:
            source, target = connection.recv()
            error: Exception | None = None
            remarks: list[str] = []
            try:
                colorize = colorize or settings.load(threads=1)
                remarks = list(colorize(source, target) or ())
            except Exception as problem:
                error = _portable(problem)
            connection.send((error, remarks))


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Processes started meanwhile do not see the signals, even before `_serve`, where systems can do this."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same, if it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
