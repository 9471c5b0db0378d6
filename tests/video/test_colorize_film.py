"""A film goes in and comes out in colour, and nothing else of it changes."""

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from tintype.runtime import PhotoError
from tintype.video import colorize as module
from tintype.video.colorize import Stopped, colorize_film
from video.conftest import decoded, make_film, sound_of


def test_lossless_luma_is_the_same_in_every_pixel_and_there_is_colour(colorizer, tmp_path, pictures):
    source = make_film(tmp_path / "a.mkv", pictures)
    colorize_film(colorizer, source, tmp_path / "b.mkv")
    times, planes = decoded(tmp_path / "b.mkv")
    assert len(planes) == len(pictures)
    for picture, (luma, cb, cr) in zip(pictures, planes, strict=True):
        assert np.array_equal(luma, picture)
        assert np.abs(cb.astype(int) - 128).mean() > 3
        assert np.abs(cr.astype(int) - 128).mean() > 3
    assert times == decoded(source)[0]


@pytest.mark.parametrize("full", [False, True])
def test_lossy_luma_is_the_same_within_the_codec_error_and_the_range_is_kept(colorizer, tmp_path, pictures, full):
    source = make_film(tmp_path / "a.mp4", pictures, codec="libx264", full=full)
    colorize_film(colorizer, source, tmp_path / "b.mp4")
    for (before, *_), (after, *_) in zip(decoded(source)[1], decoded(tmp_path / "b.mp4")[1], strict=True):
        assert np.abs(before.astype(int) - after).mean() < 1.5
    with av.open(str(tmp_path / "b.mp4")) as film:
        assert film.streams.video[0].codec_context.color_range == 1 + full


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_and_uneven_times_are_kept(colorizer, tmp_path, pictures, suffix):
    base = Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 30000)
    unit = 40 if suffix == ".mkv" else 1001
    times = np.cumsum([unit * (1 + number % 3) for number in range(len(pictures))]).tolist()
    source = make_film(tmp_path / f"a{suffix}", pictures, times=times, sound=True, codec="libx264", base=base)
    target = tmp_path / f"b{suffix}"
    colorize_film(colorizer, source, target)
    assert decoded(target)[0] == decoded(source)[0]
    assert len(set(np.diff([float(moment) for moment in decoded(target)[0]]).round(4))) > 1
    assert sound_of(target) == sound_of(source)
    assert len(sound_of(target)) >= 10


def test_rotation_is_kept(colorizer, tmp_path, pictures):
    source = make_film(tmp_path / "a.mp4", pictures[:4], codec="libx264", rotation=90)
    colorize_film(colorizer, source, tmp_path / "b.mp4")
    rotations = []
    for path in (source, tmp_path / "b.mp4"):
        with av.open(str(path)) as film:
            rotations.append(next(film.decode(video=0)).rotation)
    assert rotations[0] == rotations[1] != 0


def test_a_film_that_was_stopped_is_taken_up_with_the_same_bytes(colorizer, tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(module, "LENGTH", 5)
    source = make_film(tmp_path / "a.mkv", pictures)
    colorize_film(colorizer, source, tmp_path / "whole.mkv")
    asked = 0

    def stopped():
        nonlocal asked
        asked += 1
        return asked > 21

    with pytest.raises(Stopped):
        colorize_film(colorizer, source, tmp_path / "b.mkv", stopped=stopped)
    assert not (tmp_path / "b.mkv").exists()
    seen = []
    colorize_film(colorizer, source, tmp_path / "b.mkv", progress=lambda done, total: seen.append(done))
    assert seen[0] == 11  # two parts of five were there
    assert [[plane.tobytes() for plane in planes] for planes in decoded(tmp_path / "b.mkv")[1]] == [
        [plane.tobytes() for plane in planes] for planes in decoded(tmp_path / "whole.mkv")[1]
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"a.mkv", "whole.mkv", "b.mkv"}


KILLED = """
import sys, time
from tintype.runtime.colorizer import Colorizer
from tintype.video import colorize as module
module.LENGTH = 5
def progress(done, total):
    time.sleep(0.05)
module.colorize_film(Colorizer(sys.argv[1], threads=1), sys.argv[2], sys.argv[3], progress=progress)
"""


def test_a_film_that_was_killed_is_taken_up_with_the_same_frames(bundle, colorizer, tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(module, "LENGTH", 5)
    source = make_film(tmp_path / "a.mp4", pictures, codec="libx264", sound=True)
    colorize_film(colorizer, source, tmp_path / "whole.mp4")
    target = tmp_path / "b.mp4"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(bundle), str(source), str(target)])
    deadline = time.monotonic() + 60
    while not (tmp_path / ".b.mp4.parts" / "000001.npz").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    seen = []
    colorize_film(colorizer, source, target, progress=lambda done, total: seen.append(done))
    assert seen[0] > 10
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_film_is_never_replaced_and_an_output_only_if_asked(colorizer, tmp_path, pictures):
    source = make_film(tmp_path / "a.mkv", pictures[:3])
    before = source.read_bytes()
    with pytest.raises(PhotoError, match="is the film itself"):
        colorize_film(colorizer, source, source, overwrite=True)
    (tmp_path / "b.mkv").write_text("mine")
    with pytest.raises(FileExistsError):
        colorize_film(colorizer, source, tmp_path / "b.mkv")
    assert (tmp_path / "b.mkv").read_text() == "mine"
    colorize_film(colorizer, source, tmp_path / "b.mkv", overwrite=True)
    assert len(decoded(tmp_path / "b.mkv")[0]) == 3
    assert source.read_bytes() == before


def test_what_is_no_film_gets_one_line(colorizer, tmp_path, pictures):
    (tmp_path / "bad.mp4").write_bytes(b"no film" * 100)
    with pytest.raises(PhotoError, match=r"bad\.mp4: not a film that can be read"):
        colorize_film(colorizer, tmp_path / "bad.mp4", tmp_path / "x.mp4")
    sound = make_film(tmp_path / "a.mkv", pictures[:3], sound=True)
    with av.open(str(sound)) as film, av.open(str(tmp_path / "sound.mkv"), "w") as out:
        stream = out.add_stream_from_template(film.streams.audio[0])
        for packet in film.demux(film.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    with pytest.raises(PhotoError, match="no video in it"):
        colorize_film(colorizer, tmp_path / "sound.mkv", tmp_path / "x.mkv")
    with pytest.raises(PhotoError, match=r"cannot write a film as \.png"):
        colorize_film(colorizer, sound, tmp_path / "x.png")
    assert {path.name for path in tmp_path.iterdir()} == {"bad.mp4", "a.mkv", "sound.mkv"}


def test_the_full_range_of_a_lossless_film_is_written_down(colorizer, tmp_path, pictures):
    source = make_film(tmp_path / "a.mkv", pictures[:3], full=True)
    colorize_film(colorizer, source, tmp_path / "b.mkv")
    with av.open(str(tmp_path / "b.mkv")) as film:
        assert next(film.decode(video=0)).color_range == 2
