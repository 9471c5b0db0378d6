"""`tintype colorize` with films."""

import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.command import ENVIRONMENT, TINTYPE, Run, names, photograph

av = pytest.importorskip("av")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(tmp_path / "old.mkv", 4)


def make_film(path: Path, frames: int) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            ramp = np.tile(np.arange(64, dtype=np.uint8) * 3, (48, 1))
            frame = av.VideoFrame.from_ndarray(ramp, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_film_becomes_a_colour_version_beside_it_and_is_done_once(film: Path, run: Run, tmp_path: Path) -> None:
    result = run("old.mkv")
    assert (result.code, result.out, result.err) == (0, "", "made old.color.mkv\n")
    assert names(tmp_path) == {"old.mkv", "old.color.mkv"}
    with av.open(str(tmp_path / "old.color.mkv")) as made:
        red, _, blue = next(made.decode(video=0)).to_ndarray(format="rgb24")[24, 32]
    assert int(red) > int(blue) + 40  # the model paints orange
    assert "1 skipped" in run("old.mkv").err


def test_a_film_and_photographs_go_together_and_folders_leave_films_out(film: Path, run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "a.jpg")
    assert run(".", "-o", "new").code == 0
    assert names(tmp_path / "new") == {"a.jpg"}
    assert run("a.jpg", "*.mkv", "-o", "both").code == 0
    assert names(tmp_path / "both") == {"a.jpg", "old.mkv"}


def test_output_of_a_film_is_a_film(film: Path, run: Run, tmp_path: Path) -> None:
    assert run("old.mkv", "-o", "new.mp4").code == 0
    assert names(tmp_path) == {"old.mkv", "new.mp4"}
    result = run("old.mkv", "-o", "new.jpg")
    assert result.code == 2
    assert "cannot write .jpg" in result.err
    photograph(tmp_path / "a.jpg")
    assert run("a.jpg", "-o", "x.mp4").code == 2


def test_a_damaged_film_gets_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    result = run("bad.mp4")
    assert result.code == 1
    assert result.err.splitlines()[0].startswith("bad.mp4: not a film that can be read")
    assert names(tmp_path) == {"bad.mp4"}


def test_without_pyav_it_is_told_how_to_install_it(film: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tintype.video")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    result = run("old.mkv")
    assert result.code == 1
    assert (
        'films need PyAV, which is not installed. In a checkout of tintype, run: pip install ".[video]"' in result.err
    )


def test_every_is_on_which_frames_the_network_runs(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tintype.video import colorize as module

    runs = 0

    def counted(*arguments: Any) -> Any:
        nonlocal runs
        runs += 1
        return predict(*arguments)

    make_film(tmp_path / "old.mkv", 40)
    predict = module.predict
    monkeypatch.setattr(module, "predict", counted)
    assert run("old.mkv", "-o", "all.mkv").code == 0
    assert runs == 40
    assert run("old.mkv", "-o", "half.mkv", "--every", "2").code == 0
    assert 20 <= runs - 40 <= 21  # one more in the first second, which is gone through backwards
    assert run("old.mkv", "-o", "none.mkv", "--every", "0").code == 2


def test_a_film_that_is_stopped_by_ctrl_c_goes_on_with_the_same_command(tmp_path: Path, model: Path) -> None:
    make_film(tmp_path / "old.mkv", 600)
    parts = tmp_path / ".old.color.mkv.parts"

    def start() -> "subprocess.Popen[str]":
        command = [TINTYPE, "colorize", "old.mkv", "--model", str(model)]
        return subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)

    def until_there(path: Path, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)

    process = start()
    until_there(parts / "000000.npz", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "Stopped: 0 colorized. The same command goes on here.\n"
    assert not (tmp_path / "old.color.mkv").exists()
    made = (parts / "000000.nut").stat()
    process = start()
    last = max(int(path.stem) for path in parts.glob("*.npz"))
    until_there(parts / f"{last + 1:06}.npz", process)
    assert (parts / "000000.nut").stat().st_ino == made.st_ino
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert names(tmp_path) == {"old.mkv", "old.color.mkv"}
    with av.open(str(tmp_path / "old.color.mkv")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 600
