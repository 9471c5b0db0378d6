"""`tintype colorize` with films."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cli.command import Run, names, photograph

av = pytest.importorskip("av")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "old.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(4):
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
