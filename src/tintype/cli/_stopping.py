"""Ctrl-C and SIGTERM, for commands that finish what is in work."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop(threading.Event):
    number = 0  # of the signal that asked to stop


@contextmanager
def stopping() -> Iterator[Stop]:
    """Makes the first Ctrl-C or SIGTERM set an event, so that photographs in work are finished; the second ends all."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.number = number
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
