"""A run that is stopped, kindly or not, leaves whole files, and the same command goes on where it was."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, names, photograph

NUMBER = 12


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Photographs that take long enough to be stopped in the middle of one."""
    (tmp_path / "in").mkdir()
    Image.effect_noise((700, 500), 60).save(tmp_path / "in" / "0.png", compress_level=1)
    for number in range(1, NUMBER):
        os.link(tmp_path / "in" / "0.png", tmp_path / "in" / f"{number}.png")
    return tmp_path


def start(album: Path, model: Path, *options: str) -> subprocess.Popen[str]:
    command = [TINTYPE, "colorize", "in", "-o", "out", "--jobs", "2", "--model", str(model), *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=album, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True)


def assert_whole(files: list[Path]) -> None:
    for path in files:
        with Image.open(path) as made:
            made.load()


def finish(album: Path, model: Path) -> None:
    """The same command again does the rest, and takes up nothing that the stopped run left."""
    with start(album, model, "--json") as done:
        out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    assert len(out.splitlines()) == NUMBER
    assert_whole([album / "out" / f"{number}.png" for number in range(NUMBER)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_leaves_whole_photographs_and_says_how_many(
    album: Path, model: Path, number: signal.Signals
) -> None:
    with start(album, model, "--json") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    finished = [json.loads(line)["output"] for line in [first, *out.splitlines()]]
    assert 1 <= len(finished) < NUMBER
    assert names(album / "out") >= {Path(output).name for output in finished}
    assert_whole(list((album / "out").iterdir()))
    assert err.startswith("Stopped: ")
    assert err.endswith(". The same command goes on here.\n")
    assert err.count("\n") == 1
    finish(album, model)


def test_a_run_that_is_killed_while_it_writes_leaves_no_half_photograph(album: Path, model: Path) -> None:
    with start(album, model) as process:
        deadline = time.monotonic() + 60
        while not (album / "out").is_dir() or not names(album / "out"):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
        process.communicate()
    assert_whole([path for path in (album / "out").iterdir() if not path.name.startswith(".")])
    finish(album, model)


def test_a_terminal_sees_a_progress_bar_and_failures_above_it(tmp_path: Path, model: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 100, 0, 0))
    for number in range(5):
        Image.new("L", (20, 20), 99).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_text("no photograph")
    command = [TINTYPE, "colorize", ".", "--model", str(model)]
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=theirs)
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
    assert (process.returncode, out) == (1, b"")
    text = seen.decode()
    assert "6/6 photographs, 00:00 left" in text
    assert any(line.split("\r")[-1].lstrip("\x1b[K").startswith("bad.png: ") for line in text.splitlines())
    assert text.rstrip().endswith("5 colorized, 1 failed")


def test_when_nobody_reads_the_json_on_the_run_ends_in_one_line(model: Path, tmp_path: Path) -> None:
    for number in range(6):
        photograph(tmp_path / f"{number}.jpg")
    command = f"set -o pipefail; {TINTYPE} colorize . --jobs 1 --json --model {model} | true"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Stopped: ")
    assert line.endswith("nobody read on. The same command goes on here.")
