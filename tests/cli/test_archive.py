"""`tintype colorize` on many photographs: processes, reports, second tries, and runs that are killed."""

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, Run, names, photograph
from tintype.cli import main
from tintype.runtime.workers import MANY

NUMBER = MANY + 20


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """More photographs than from which on processes are used, two of them damaged."""
    for number in range(NUMBER):
        folder = tmp_path / "in" / str(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((120 + number, 80), 60).save(folder / f"{number}.jpg")
    for name in ("bad", "worse"):
        (tmp_path / "in" / f"{name}.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    return tmp_path


def start(folder: Path, model: Path, out: str, *options: str) -> subprocess.Popen[str]:
    command = [TINTYPE, "colorize", "in", "-o", out, "--report", f"{out}.csv", "--model", str(model), *options]
    return subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def report(path: Path) -> dict[str, dict[str, str]]:
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    by_name = {Path(row["source"]).name: row for row in rows}
    assert len(by_name) == len(rows)
    return by_name


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names(folder)}


def test_a_run_that_is_killed_again_and_again_ends_as_an_unbroken_one(album: Path, model: Path) -> None:
    with start(album, model, "whole") as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    lines = err.splitlines()
    assert {line.partition(":")[0] for line in lines[:-1]} == {"in/bad.jpg", "in/worse.jpg"}
    assert len(lines) == 3
    assert lines[-1] == f"{NUMBER} colorized, 2 failed"

    made = 0
    for part in range(1, 4):
        with start(album, model, "broken") as process:
            deadline = time.monotonic() + 120
            while not (album / "broken").is_dir() or len(names(album / "broken")) < part * NUMBER // 4:
                assert time.monotonic() < deadline
                assert process.poll() is None, process.stderr
                time.sleep(0.001)
            process.kill()
            process.communicate()
        assert made < len(names(album / "broken")) < NUMBER
        made = len(names(album / "broken"))
    with start(album, model, "broken") as process:
        process.communicate(timeout=300)
    assert process.returncode == 1
    assert digests(album / "broken") == digests(album / "whole")
    whole, broken = report(album / "whole.csv"), report(album / "broken.csv")
    assert whole.keys() == broken.keys() == {*(f"{number}.jpg" for number in range(NUMBER)), "bad.jpg", "worse.jpg"}
    assert {name: row["size"] for name, row in whole.items()} == {name: row["size"] for name, row in broken.items()}
    assert {name for name, row in broken.items() if row["status"] == "failed"} == {"bad.jpg", "worse.jpg"}
    assert sum(row["status"] == "made" for row in broken.values()) >= NUMBER // 2


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_leaves_whole_photographs(album: Path, model: Path) -> None:
    command = [TINTYPE, "colorize", "in", "-o", "out", "--jobs", "2", "--model", str(model)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=album, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        while not (album / "out").is_dir() or len(names(album / "out")) < 5:
            assert process.poll() is None
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    *failures, line = err.splitlines()
    assert {failure.partition(":")[0] for failure in failures} <= {"in/bad.jpg", "in/worse.jpg"}
    assert line.startswith("Stopped: ")
    for path in (album / "out").rglob("*.jpg"):
        with Image.open(path) as made:
            made.load()
    deadline = time.monotonic() + 10
    while group_is_there(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def group_is_there(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_report_names_output_size_and_error(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "in" / "a.jpg")
    photograph(tmp_path / "in" / "done.jpg")
    photograph(tmp_path / "out" / "done.jpg")
    (tmp_path / "in" / "bad.jpg").write_text("no photograph")
    assert run("in", "missing.jpg", "-o", "out", "--report", "r.csv").code == 1
    rows = report(tmp_path / "r.csv")
    assert {name: row["status"] for name, row in rows.items()} == {
        "a.jpg": "made",
        "done.jpg": "skipped",
        "bad.jpg": "failed",
        "missing.jpg": "failed",
    }
    assert rows["a.jpg"]["target"] == os.path.join("out", "a.jpg")
    assert int(rows["a.jpg"]["size"]) == (tmp_path / "out" / "a.jpg").stat().st_size
    assert float(rows["a.jpg"]["seconds"]) > 0
    assert rows["bad.jpg"]["error"].startswith("in/bad.jpg: not a photograph")
    photograph(tmp_path / "in" / "bad.jpg")  # mended
    assert run("in", "-o", "out", "--report", "r.csv").code == 0
    assert {name: row["status"] for name, row in report(tmp_path / "r.csv").items()} == {
        "a.jpg": "made",
        "done.jpg": "skipped",
        "bad.jpg": "made",
        "missing.jpg": "failed",
    }


def test_what_fails_once_is_made_after_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tintype.runtime import Colorizer

    for name in "abc":
        photograph(tmp_path / f"{name}.jpg")
    whole, failures = Colorizer.colorize_file, ["a.jpg"]

    def weak(self, source, target, **options):
        if source.name in failures:
            failures.remove(source.name)
            raise OSError(5, "Input/output error", str(source))
        whole(self, source, target, **options)

    monkeypatch.setattr(Colorizer, "colorize_file", weak)
    result = run("a.jpg", "b.jpg", "c.jpg")
    assert (result.code, result.err, failures) == (0, "3 colorized\n", [])


def test_an_output_that_another_run_made_meanwhile_is_skipped(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tintype.runtime import Colorizer

    photograph(tmp_path / "a.jpg")
    whole = Colorizer.colorize_file

    def slow(self, source, target, **options):
        (tmp_path / "a.color.jpg").write_text("theirs")
        whole(self, source, target, **options)

    monkeypatch.setattr(Colorizer, "colorize_file", slow)
    result = run("a.jpg")
    assert (result.code, (tmp_path / "a.color.jpg").read_text()) == (0, "theirs")
    assert "1 skipped" in result.err


@pytest.mark.parametrize(
    ("options", "about"),
    [
        (["--report", "r.txt"], "r.txt"),
        (["--report", "notes.csv"], "notes.csv"),
        (["--address", "auto"], "--engine ray"),
    ],
)
def test_wrong_use_is_told_before_anything_is_made(
    options: list[str], about: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(Path("a.jpg"))
    Path("notes.csv").write_text("mine\n")
    result = CliRunner().invoke(main, ["colorize", "a.jpg", *options])
    assert result.exit_code == 2
    assert about in result.stderr.splitlines()[-1]
    assert names(tmp_path) == {"a.jpg", "notes.csv"}
    assert Path("notes.csv").read_text() == "mine\n"


def test_a_report_where_nothing_can_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "a.jpg")
    result = run("a.jpg", "--report", "no-folder/r.csv")
    assert (result.code, result.out) == (1, "")
    assert result.err == "Error: cannot write no-folder/r.csv: No such file or directory\n"


def test_urls_without_fsspec_say_how_to_install_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    for module in ("places", "carry"):
        monkeypatch.delitem(sys.modules, f"tintype.archive.{module}", raising=False)
    result = run("s3://bucket/in", "-o", "out")
    assert (result.code, result.err) == (
        2,
        'Error: URLs need fsspec, which is not installed. In a checkout of tintype, run: pip install ".[ray]"\n',
    )
    assert names(tmp_path) == set()
