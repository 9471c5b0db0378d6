"""Colorizing on a Ray cluster: what dies in the middle loses nothing and doubles nothing."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, names, photograph
from tintype.cli import main

NUMBER = 60


@pytest.fixture
def two_machines() -> Iterator[Any]:
    """A cluster of a head without processors and two workers with one each; all on this machine."""
    pytest.importorskip("ray", reason="--engine ray needs Ray, of the extra [ray]")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def children(pid: int) -> list[int]:
    return [
        int(number)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for number in (task / "children").read_text().split()
    ]


def workers(node: Any) -> list[int]:
    """Processes of a node that work or have worked."""
    (raylet,) = node.all_processes["raylet"]
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(raylet.process.pid)}
    return [pid for pid, title in titles.items() if title.startswith((b"ray::Map", b"ray::IDLE"))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="finds processes in /proc")
def test_a_worker_and_a_machine_that_die_in_the_middle_lose_and_double_nothing(
    two_machines: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(NUMBER):
        Image.effect_noise((400 + number, 300), 60).save(tmp_path / "in" / f"{number}.png", compress_level=1)
    (tmp_path / "in" / "bad.png").write_text("no photograph")
    here = [TINTYPE, "colorize", "in", "-o", "here", "--model", model]
    assert subprocess.run(here, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=300).returncode == 1

    there = [TINTYPE, "colorize", "in", "-o", "there", "--model", model, "--report", "there.csv"]
    there += ["--engine", "ray", "--address", two_machines.address]
    with subprocess.Popen(
        there, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            machines = list(two_machines.worker_nodes)
            wait_for(process, lambda: len(names(tmp_path / "there")) > 2 and any(map(workers, machines)))
            busy = next(machine for machine in machines if workers(machine))
            for pid in workers(busy):
                os.kill(pid, signal.SIGKILL)
            before = len(names(tmp_path / "there"))
            wait_for(process, lambda: len(names(tmp_path / "there")) > before)
            two_machines.remove_node(busy, allow_graceful=False)
            assert len(names(tmp_path / "there")) < NUMBER
            _, err = process.communicate(timeout=200)
        finally:
            process.kill()
    assert process.returncode == 1, err
    assert names(tmp_path / "there") == names(tmp_path / "here") == {f"{number}.png" for number in range(NUMBER)}
    for name in names(tmp_path / "here"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    with open(tmp_path / "there.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["source"] for row in rows) == sorted(f"in/{name}" for name in names(tmp_path / "in"))
    assert [row["source"] for row in rows if row["status"] == "failed"] == ["in/bad.png"]
    assert "in/bad.png: not a photograph" in err


POISON = """
import os
from tintype.runtime.settings import Settings

class Poison(Settings):
    def load(self, threads):
        return lambda source, target: os._exit(7) if source.name == "poison.jpg" else target.write_text("made") and None
"""
RUN = """
import sys
from threading import Event
from poison import Poison
from tintype.archive.cluster import cluster
from tintype.runtime.folders import Item
from tintype.runtime.retry import twice

stop = Event()
plan = [Item(f"{name}.jpg", f"out/{name}.jpg") for name in (0, 1, 2, "poison", 3, 4, 5)]
with cluster(Poison(), 1, None, stop) as work:
    for item in twice(plan, work, stop):
        sys.__stdout__.write(f"{item.source} {item.error}\\n")
"""


def test_a_photograph_that_crashes_its_worker_fails_and_the_run_ends(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="--engine ray needs Ray, of the extra [ray]")
    (tmp_path / "poison.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    *made, poison = done.stdout.splitlines()
    assert sorted(made) == [f"{number}.jpg None" for number in range(6)]
    assert "poison.jpg: the process that worked on it was ended (exit code 7)" in poison
    assert names(tmp_path / "out") == {f"{number}.jpg" for number in range(6)}


def wait_for(process: subprocess.Popen[str], condition: Any) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def test_without_ray_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "tintype.archive.cluster", raising=False)
    photograph(Path("a.jpg"))
    result = CliRunner().invoke(main, ["colorize", "a.jpg", "--engine", "ray"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert (
        line
        == 'Error: --engine ray needs ray, which is not installed. In a checkout of tintype, run: pip install ".[ray]"'
    )
    assert names(tmp_path) == {"a.jpg"}


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_line_and_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="--engine ray needs Ray, of the extra [ray]")
    monkeypatch.chdir(tmp_path)
    photograph(Path("a.jpg"))
    start = time.monotonic()
    result = CliRunner().invoke(main, ["colorize", "a.jpg", "--engine", "ray", "--address", "127.0.0.1:1"])
    assert (result.exit_code, time.monotonic() - start < 60) == (1, True)
    assert result.stderr.startswith("Error: no Ray cluster at 127.0.0.1:1: ")
    assert len(result.stderr.splitlines()) == 1
