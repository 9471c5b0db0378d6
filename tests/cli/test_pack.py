"""`tintype pack` as a person meets it, stopped in every way."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT
from tintype.cli import main
from tintype.data import open_photos

COMMAND = [sys.executable, "-c", "from tintype.cli import main; main(prog_name='tintype')", "pack"]


def _photographs(folder: Path, count: int, side: int = 40) -> Path:
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _photographs(tmp_path / "photos", 20)
    return tmp_path


def tintype(*arguments):
    done = CliRunner().invoke(main, ["pack", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_a_folder_becomes_shards_and_the_counts_are_told(place):
    done = tintype("photos", "-o", "shards", "--jobs", "1", "--labels", "names")
    assert (done.exit_code, done.stdout) == (0, "shards\n")
    assert done.stderr.splitlines() == ["20 photographs in 1 shards, 0.1 MB"]
    assert [photo.label for photo in open_photos([place / "shards"])] == ["a"] * 10 + ["b"] * 10


def test_lists_and_patterns_are_packed_in_the_order_given(place):
    (place / "list.txt").write_text("photos/b/003.jpg\nphotos/a/002.jpg\n")
    done = tintype("list.txt", "photos/**/01?.jpg", "-o", "shards", "--jobs", "2")
    assert done.exit_code == 0, done.stderr
    keys = [photo.key for photo in open_photos([place / "shards"])]
    assert keys == [
        "photos/b/003",
        "photos/a/002",
        *(f"{'ab'[n % 2]}/{n:03}" for n in sorted(range(10, 20), key=lambda n: n % 2)),
    ]


def test_damaged_photographs_are_told_and_listed(place):
    (place / "photos" / "a" / "000.jpg").write_bytes(b"x")
    done = tintype("photos", "-o", "shards", "--jobs", "1")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "skipped photos/a/000.jpg: no picture of a known format",
        "19 photographs in 1 shards, 0.0 MB; 1 damaged ones are left out, see shards/damaged.tsv",
    ]
    assert (place / "shards" / "damaged.tsv").read_text() == "photos/a/000.jpg\tno picture of a known format\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["empty", "-o", "out"], 1, "Error: no photographs found in empty (looked for .jpg, .jpeg, .png, "),
        (["nowhere", "-o", "out"], 1, "Error: nowhere does not exist"),
        (["no*.jpg", "-o", "out"], 1, "Error: no*.jpg matches nothing"),
        (["photos", "-o", "bad"], 1, "Error: bad: is not empty, and holds no shards to go on with"),
        (["photos", "-o", "photos/out"], 2, "Error: photos/out lies in photos, which is to be packed: choose another"),
        (["photos", "-o", "done", "--quality", "80"], 1, "Error: done: holds shards made with quality 0: choose"),
        (["bad", "-o", "out"], 1, "Error: 1 of 20 photographs are damaged, more than 1.00% (--max-damaged), the last"),
        (["photos", "-o", "file/out"], 1, "Error: cannot write file/out: Not a directory. Once that is mended"),
        (["photos"], 2, "Error: Missing option '-o' / '--output'."),
        (["photos", "-o", "out", "--quality", "101"], 2, "Error: Invalid value for '--quality': 101 is not in"),
        (["photos", "-o", "out", "--max-damaged", "nan"], 2, "Error: Invalid value for '--max-damaged': nan is not"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(place, arguments, code, message):
    (place / "empty").mkdir()
    (place / "file").write_text("in the way")
    assert tintype("photos", "-o", "done", "--jobs", "1").exit_code == 0
    _photographs(place / "bad", 20)
    (place / "bad" / "a" / "000.jpg").write_bytes(b"")
    extra = ["--max-damaged", "0.01"] if arguments[0] == "bad" else []
    done = tintype(*arguments, *extra, "--jobs", "1")
    assert done.exit_code == code, done.output
    assert done.stderr.splitlines()[-1].startswith(message)
    assert "Traceback" not in done.output


def _start(place, *options):
    return subprocess.Popen(
        [*COMMAND, "large", "-o", "cut", "--shard-size", "1", "--quality", "95", "--jobs", "2", *options],
        cwd=place,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for_shards(place, process):
    deadline = time.monotonic() + 60
    while len(list((place / "cut").glob("shard-*.tar"))) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def large(place):
    _photographs(place / "large", 60, 400)
    assert tintype("large", "-o", "whole", "--shard-size", "1", "--quality", "95").exit_code == 0
    return place


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_says_so_and_goes_on_to_the_same_bytes(large, number):
    with _start(large) as process:
        _wait_for_shards(large, process)
        os.killpg(process.pid, number)  # as a terminal and a cluster do
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    count = len(list((large / "cut").glob("shard-*.tar")))
    assert err.splitlines() == [f"Stopped: {count} shards are finished. The same command goes on here."]
    assert not list((large / "cut").glob(".*"))
    with _start(large) as process:
        assert process.wait(timeout=60) == 0
    assert _files(large / "cut") == _files(large / "whole")


def test_a_killed_run_goes_on_to_the_same_bytes_and_leaves_no_process_behind(large):
    with _start(large) as process:
        _wait_for_shards(large, process)
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < deadline, "a worker lives on"
        time.sleep(0.1)
    with _start(large) as process:
        assert process.wait(timeout=60) == 0
    assert _files(large / "cut") == _files(large / "whole")


def test_a_full_disk_is_told_in_one_line(large, small_disk):
    done = tintype("large", "-o", str(small_disk / "out"), "--shard-size", "1", "--quality", "95", "--jobs", "2")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: cannot write {small_disk}/out")
    assert line.endswith("No space left on device. Once that is mended, the same command goes on here.")


def test_a_terminal_sees_a_progress_bar_and_damage_above_it(place):
    (place / "photos" / "a" / "000.jpg").write_bytes(b"x")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 100, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, "photos", "-o", "out", "--jobs", "1"],
        cwd=place,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b"out\n")
    text = seen.decode()
    assert "20/20" in text
    assert any(
        line.split("\r")[-1].lstrip("\x1b[K") == "skipped photos/a/000.jpg: no picture of a known format"
        for line in text.splitlines()
    )
