"""What failed is tried once more, and everything is told once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Event

import pytest

from tintype.runtime.folders import Item
from tintype.runtime.retry import twice

PLAN = [Item(name, f"out/{name}") for name in ("a", "b", "c")]


class Work:
    """Fails each photograph as often as told, and counts tries."""

    def __init__(self, **failures: int):
        self.failures, self.tried = failures, []

    def __call__(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            if item.error or item.skipped:
                yield item
                continue
            self.tried.append(item.source)
            failed = self.tried.count(item.source) <= self.failures.get(item.source, 0)
            yield replace(item, error="no" if failed else None, seconds=1.0)


def test_what_fails_once_is_made_at_the_second_try_and_told_last() -> None:
    work = Work(a=1)
    assert list(twice(PLAN, work, Event())) == [
        replace(PLAN[1], seconds=1.0),
        replace(PLAN[2], seconds=1.0),
        replace(PLAN[0], seconds=2.0),
    ]
    assert work.tried == ["a", "b", "c", "a"]


def test_what_fails_twice_is_told_once_and_not_tried_again() -> None:
    work = Work(b=9)
    finished = list(twice(PLAN, work, Event()))
    assert [item.source for item in finished] == ["a", "c", "b"]
    assert [bool(item.error) for item in finished] == [False, False, True]
    assert work.tried.count("b") == 2


def test_errors_of_the_plan_are_not_tried() -> None:
    work = Work()
    plan = [Item("a", error="a: its output would replace it"), Item("b", "out/b", skipped=True)]
    assert list(twice(plan, work, Event())) == plan
    assert work.tried == []


def test_after_a_stop_failures_are_told_without_a_second_try() -> None:
    work, stop = Work(a=1), Event()
    stop.set()
    assert [item.source for item in twice(PLAN, work, stop)] == ["b", "c", "a"]
    assert work.tried == ["a", "b", "c"]


def test_what_failed_before_a_full_disk_is_told() -> None:
    def work(items: Iterable[Item]) -> Iterator[Item]:
        yield replace(PLAN[0], error="no", seconds=1.0)
        raise OSError(28, "No space left on device")

    finished = []
    with pytest.raises(OSError, match="No space"):
        finished.extend(twice(PLAN, work, Event()))  # extend keeps what came before the error
    assert [item.source for item in finished] == ["a"]
