"""A second try for what failed: networks, shares and crowded machines fail now and then."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from threading import Event

from tintype.runtime.folders import Item

Work = Callable[[Iterable[Item]], Iterator[Item]]


def twice(items: Iterable[Item], work: Work, stop: Event) -> Iterator[Item]:
    """Works through a plan, and then once more through what failed; yields each item once, failures last.

    Args:
        items: the plan. Those that have an error already are not tried.
        work: what works through a plan and yields its items as they are finished.
        stop: once it is set, there is no second try.

    Raises:
        OSError: `work` cannot go on. What failed until then was yielded.
    """
    failed: dict[str, Item] = {}
    try:
        for item in work(items):
            if item.error and item.seconds:  # others were never begun
                failed[item.source] = item
            else:
                yield item
        if not stop.is_set():
            for item in work([replace(item, error=None, seconds=0.0) for item in failed.values()]):
                yield replace(item, seconds=item.seconds + failed.pop(item.source).seconds)
    except OSError:
        yield from failed.values()
        raise
    yield from failed.values()
