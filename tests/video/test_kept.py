"""What a film has beside its pictures and its sound."""

import errno
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from tintype.runtime import PhotoError
from tintype.video import colorize as module
from tintype.video.colorize import colorize_film
from video.conftest import HEIGHT, WIDTH, make_film, sound_of

ASS = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Text
"""
SRT = "".join(
    f"{n + 1}\n00:00:00,{100 + 250 * n:03} --> 00:00:00,{300 + 250 * n:03}\nLine {n + 1}, été\n\n" for n in range(3)
)
CHAPTERS = [
    {"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": {"title": "The street"}},
    {"id": 2, "start": 400, "end": 960, "time_base": Fraction(1, 1000), "metadata": {"title": "The sea"}},
]


@pytest.fixture
def full(tmp_path, pictures):
    """Makes a film with subtitles, chapters, a title, languages and pixels that are not square."""

    def make(suffix):
        plain = make_film(tmp_path / f"plain{suffix}", pictures, codec="libx264", sound=True)
        (tmp_path / "lines.srt").write_text(SRT)
        path = tmp_path / f"full{suffix}"
        with av.open(str(plain)) as film, av.open(str(tmp_path / "lines.srt")) as lines, av.open(str(path), "w") as out:
            out.metadata.update({"title": "A day in May", "comment": "Nitrate, 1912"})
            streams = [
                out.add_stream_from_template(stream) for stream in (film.streams.video[0], film.streams.audio[0])
            ]
            streams[0].codec_context.sample_aspect_ratio = Fraction(4, 3)
            streams[1].metadata["language"] = "fra"
            if suffix == ".mkv":
                written = out.add_stream_from_template(lines.streams.subtitles[0])
            else:
                written = out.add_stream("mov_text")
                written.codec_context.subtitle_header = ASS
            written.metadata["language"] = "ita"
            out.set_chapters(CHAPTERS)
            for packet in film.demux():
                if packet.size:
                    packet.stream = streams[packet.stream_index]
                    out.mux(packet)
            for packet in lines.demux():
                if packet.size:
                    text = bytes(packet)
                    made = av.Packet(text if suffix == ".mkv" else struct.pack(">H", len(text)) + text)
                    made.pts, made.dts, made.duration, made.time_base = (
                        packet.pts,
                        packet.dts,
                        packet.duration,
                        packet.time_base,
                    )
                    made.stream = written
                    out.mux(made)
        return path

    return make


def facts(path):
    """Of a film: chapters, what it says of itself and of each stream, subtitles with their times, the pixels' shape."""
    with av.open(str(path)) as film:
        chapters = [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]) for c in film.chapters()]
        streams = [
            (stream.type, stream.metadata.get("language"), stream.disposition)
            for stream in film.streams
            if stream.type in ("video", "audio", "subtitle")
        ]
        words = {key.lower(): value for key, value in film.metadata.items() if key.lower() in ("title", "comment")}
        lines = film.streams.subtitles[0]
        told = [(p.pts * p.time_base, p.duration * p.time_base, bytes(p)) for p in film.demux(lines) if p.size > 2]
    return chapters, words, streams, told


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_subtitles_chapters_title_and_languages_are_kept(colorizer, tmp_path, full, suffix):
    source, target = full(suffix), tmp_path / f"new{suffix}"
    colorize_film(colorizer, source, target)
    assert facts(target) == facts(source)
    chapters, words, streams, told = facts(target)
    assert [title["title"] for *_, title in chapters] == ["The street", "The sea"]
    assert words == {"title": "A day in May", "comment": "Nitrate, 1912"}
    assert [language for _, language, _ in streams][1:] == ["fra", "ita"]
    assert len(told) == 3
    assert all("été".encode() in text for *_, text in told)
    assert sound_of(target) == sound_of(source)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_shape_of_pixels_is_kept(colorizer, tmp_path, pictures, suffix):
    source = make_film(tmp_path / f"a{suffix}", pictures[:3], codec="libx264", shape=Fraction(16, 11))
    colorize_film(colorizer, source, tmp_path / f"b{suffix}")
    shapes = []
    for path in (source, tmp_path / f"b{suffix}"):
        with av.open(str(path)) as film:
            shapes.append(film.streams.video[0].sample_aspect_ratio)
    assert shapes == [Fraction(16, 11)] * 2


@pytest.mark.parametrize(("suffix", "other", "advice"), [(".mkv", ".mp4", ".mkv"), (".mp4", ".mkv", ".mp4 or .mov")])
def test_subtitles_that_do_not_fit_are_told_before_any_picture_is_made(
    colorizer, tmp_path, full, suffix, other, advice
):
    source = full(suffix)
    with pytest.raises(PhotoError, match=rf"subtitle \(\w+\) does not fit into \{other}; write into {advice} by -o"):
        colorize_film(colorizer, source, tmp_path / f"new{other}")
    assert not list(tmp_path.glob("*new*"))


def test_sound_that_does_not_fit_is_told_before_any_picture_is_made(colorizer, tmp_path, pictures):
    source = make_film(tmp_path / "a.mkv", pictures, codec="libx264", sound="pcm_s16le")  # FFmpeg tells it at the end
    with pytest.raises(PhotoError, match=r"a\.mkv: its sound or subtitles do not fit into \.mp4 .*; write into \.mkv"):
        colorize_film(colorizer, source, tmp_path / "new.mp4")
    assert not list(tmp_path.glob("*new*"))
    colorize_film(colorizer, source, tmp_path / "new.mkv")
    assert sound_of(tmp_path / "new.mkv") == sound_of(source)


def test_a_full_disk_at_the_end_is_not_called_a_film_that_does_not_fit(colorizer, tmp_path, pictures, monkeypatch):
    source = make_film(tmp_path / "a.mkv", pictures[:3], codec="libx264")

    def full_disk(*_):
        raise av.FFmpegError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(module.join.__globals__, "_video", full_disk)
    with pytest.raises(OSError, match="No space left") as caught:
        colorize_film(colorizer, source, tmp_path / "new.mkv")
    assert not isinstance(caught.value, PhotoError)


def test_ten_bits_stay_ten(colorizer, tmp_path):
    ramp = np.tile(np.linspace(64, 940, WIDTH).astype(np.uint16), (HEIGHT, 1))
    with av.open(str(tmp_path / "a.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray10le"
        for _ in range(3):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, format="gray10le")))
        film.mux(stream.encode(None))
    colorize_film(colorizer, tmp_path / "a.mkv", tmp_path / "b.mkv")
    with av.open(str(tmp_path / "b.mkv")) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == 3
    assert "10" in frames[0].format.name
    plane = frames[1].planes[0]
    luma = np.frombuffer(plane, np.uint16).reshape(HEIGHT, -1)[:, :WIDTH]
    assert np.array_equal(luma, ramp)
