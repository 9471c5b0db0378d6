"""Processes that colorize: the same pictures and errors as in this process, and none lost when one dies."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tintype.runtime import PhotoError
from tintype.runtime.batch import colorize_all
from tintype.runtime.folders import Item
from tintype.runtime.retry import twice
from tintype.runtime.settings import Settings
from tintype.runtime.workers import Workers


@pytest.fixture(scope="module")
def workers(bundle: Path) -> Iterator[Workers]:
    with Workers(Settings(str(bundle)), 2) as workers:
        yield workers


def pids(workers: Workers) -> list[int]:
    return [worker.process.pid for worker in workers._all]


def test_pictures_are_those_of_this_process(workers: Workers, bundle: Path, tmp_path: Path) -> None:
    Image.effect_noise((200, 150), 60).save(tmp_path / "a.jpg")
    workers(tmp_path / "a.jpg", tmp_path / "there.jpg")
    Settings(str(bundle)).load(2)(tmp_path / "a.jpg", tmp_path / "here.jpg")
    assert (tmp_path / "there.jpg").read_bytes() == (tmp_path / "here.jpg").read_bytes()


def test_errors_come_back_as_they_were(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("no photograph")
    with pytest.raises(PhotoError, match="not a photograph"):
        workers(tmp_path / "bad.jpg", tmp_path / "new.jpg")
    with pytest.raises(FileNotFoundError) as caught:
        workers(tmp_path / "missing.jpg", tmp_path / "new.jpg")
    assert caught.value.filename == str(tmp_path / "missing.jpg")


def test_a_worker_that_dies_is_replaced_and_its_photograph_made_at_the_second_try(
    workers: Workers, tmp_path: Path
) -> None:
    for number in range(12):
        Image.effect_noise((60, 50), 60).save(tmp_path / f"{number}.png")
    items = [Item(str(tmp_path / f"{n}.png"), str(tmp_path / "out" / f"{n}.png")) for n in range(12)]
    stop, killed = threading.Event(), []

    def work(plan):
        for item in colorize_all(plan, workers, jobs=2, stop=stop, patience=1):
            if not killed:
                killed.extend(pids(workers))
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)
            yield item

    finished = list(twice(items, work, stop))
    assert sorted(item.source for item in finished) == sorted(item.source for item in items)
    assert not [item.error for item in finished if item.error]
    assert len(list((tmp_path / "out").iterdir())) == 12
    assert not set(pids(workers)) & set(killed)


def test_the_error_of_a_dead_worker_names_the_photograph_and_the_signal(workers: Workers, tmp_path: Path) -> None:
    for pid in pids(workers):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(PhotoError, match=r"a\.jpg: the process that worked on it was ended \(Killed\)"):
        workers(tmp_path / "a.jpg", tmp_path / "b.jpg")


def test_all_end_when_the_run_does(bundle: Path) -> None:
    with Workers(Settings(str(bundle)), 1) as workers:
        (pid,) = pids(workers)
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{pid}")
