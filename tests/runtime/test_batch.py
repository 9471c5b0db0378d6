"""Many photographs at a time: errors, order of work, memory, and stopping."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tintype.runtime import batch
from tintype.runtime.batch import colorize_all
from tintype.runtime.folders import Item


def items(folder: Path, number: int) -> Iterator[Item]:
    return (Item(str(folder / f"{i}.png"), str(folder / "out" / f"{i}.png")) for i in range(number))


def work(plan: Iterator[Item], colorize: Callable[[Path, Path], None], jobs: int = 4) -> list[Item]:
    return list(colorize_all(plan, colorize, jobs=jobs, stop=threading.Event(), patience=1))


def test_every_item_comes_back_once_with_its_seconds(tmp_path: Path) -> None:
    finished = work(items(tmp_path, 20), lambda source, target: [f"wrote {target.write_text(source.name)}"])
    assert all(item.remarks for item in finished)
    assert sorted(item.source for item in finished) == sorted(item.source for item in items(tmp_path, 20))
    assert all(item.seconds > 0 and not item.error for item in finished)
    assert (tmp_path / "out" / "7.png").read_text() == "7.png"


def test_items_with_nothing_to_do_pass_through_untouched(tmp_path: Path) -> None:
    plan = [Item("a.png", error="a.png: bad"), Item("b.png", "c.png", skipped=True)]
    assert work(iter(plan), lambda source, target: pytest.fail("nothing to do")) == plan


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (ValueError("0.png: not a photograph"), "0.png: not a photograph"),
        (MemoryError("too big"), "{source}: MemoryError: too big"),
        (RuntimeError("odd"), "{source}: RuntimeError: odd"),
        (PermissionError(errno.EACCES, "Permission denied"), "{source}: cannot write {target}: Permission denied"),
    ],
)
def test_an_error_is_one_line_of_its_item_and_the_others_go_on(tmp_path: Path, raised: Exception, line: str) -> None:
    def colorize(source: Path, target: Path) -> None:
        if source.name == "0.png":
            raise raised

    finished = {Path(item.source).name: item for item in work(items(tmp_path, 5), colorize)}
    bad = finished.pop("0.png")
    assert bad.error == line.format(source=bad.source, target=bad.target)
    assert len(finished) == 4
    assert not any(item.error for item in finished.values())


def test_an_error_of_reading_does_not_speak_of_writing(tmp_path: Path) -> None:
    def colorize(source: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(source))

    (item,) = work(items(tmp_path, 1), colorize)
    assert item.error == f"{item.source}: Permission denied"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_or_read_only_disk_ends_the_run_at_once(tmp_path: Path, number: int) -> None:
    begun = []

    def colorize(source: Path, target: Path) -> None:
        begun.append(source)
        raise OSError(number, "no room")

    finished = []
    with pytest.raises(OSError, match="no room") as caught:
        finished.extend(colorize_all(items(tmp_path, 1000), colorize, jobs=2, stop=threading.Event(), patience=1))
    assert caught.value.errno == number
    assert len(begun) == len(finished) <= 4
    assert all("no room" in str(item.error) for item in finished)


def test_the_plan_is_drawn_on_only_as_photographs_are_finished(tmp_path: Path) -> None:
    drawn = 0

    def plan() -> Iterator[Item]:
        nonlocal drawn
        for item in items(tmp_path, 1000):
            drawn += 1
            yield item

    finished = 0
    for _ in colorize_all(plan(), lambda source, target: None, jobs=4, stop=threading.Event(), patience=1):
        finished += 1
        assert drawn - finished <= 5
    assert finished == 1000


def test_no_more_than_the_jobs_are_in_work(tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def colorize(source: Path, target: Path) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    work(items(tmp_path, 40), colorize, jobs=3)
    assert most == 3


def test_large_photographs_are_in_work_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "PIXELS_AT_ONCE", 100)
    sizes = [60, 60, 20, 20, 500, 20]  # 60 + 20 + 20 fit together, 60 + 60 do not, 500 only alone
    plan = list(items(tmp_path, len(sizes)))
    for item, pixels in zip(plan, sizes, strict=True):
        Image.new("L", (pixels, 1)).save(item.source)
    lock, now, most = threading.Lock(), [], []

    def colorize(source: Path, target: Path) -> None:
        with lock:
            now.append(sizes[int(source.stem)])
            most.append(list(now))
        time.sleep(0.03)
        with lock:
            now.remove(sizes[int(source.stem)])

    finished = work(iter(plan), colorize, jobs=8)
    assert len(finished) == len(sizes)
    assert all(sum(together) <= 100 or together == [500] for together in most)
    assert any(len(together) == 3 for together in most)


def test_after_a_stop_what_is_in_work_is_finished_and_nothing_else_begun(tmp_path: Path) -> None:
    stop, begun = threading.Event(), []

    def colorize(source: Path, target: Path) -> None:
        begun.append(source)
        stop.set()
        time.sleep(0.02)
        target.write_text("whole")

    finished = list(colorize_all(items(tmp_path, 1000), colorize, jobs=2, stop=stop, patience=9))
    assert 1 <= len(begun) <= 2
    assert len(list((tmp_path / "out").iterdir())) == len(finished) == len(begun)


def test_after_a_stop_what_takes_too_long_is_left_behind(tmp_path: Path) -> None:
    stop, release = threading.Event(), threading.Event()

    def colorize(source: Path, target: Path) -> None:
        stop.set()
        release.wait(60)

    start = time.monotonic()
    assert list(colorize_all(items(tmp_path, 10), colorize, jobs=2, stop=stop, patience=0.2)) == []
    assert time.monotonic() - start < 30
    release.set()
