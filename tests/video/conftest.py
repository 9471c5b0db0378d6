"""A model that paints what is light and what is dark in different colours, and small films."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")
sys.path.insert(0, str(Path(__file__).parent.parent))

import av

from runtime.conftest import save_bundle
from tintype.runtime.colorizer import Colorizer

WIDTH, HEIGHT = 96, 64


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return save_bundle(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def colorizer(bundle):
    return Colorizer(bundle, threads=1)


def scene(seed, number=0, *, gain=1.0, grain=3.0):
    """Frame `number` of a scene that moves slowly: smooth blobs, (HEIGHT, WIDTH) uint8 from 16 to 235."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.zeros((HEIGHT, WIDTH))
    for _ in range(14):
        cy, cx, size = rng.uniform(0, HEIGHT), rng.uniform(0, WIDTH + 40), rng.uniform(4, 12)
        sign = rng.choice([-1, 1])
        picture += sign * np.exp(-(((y - cy) ** 2 + (x + 0.7 * number - cx) ** 2) / (2 * size**2)))
    picture = 110 + 60 * picture * gain + np.random.default_rng(1000 * seed + number).normal(0, grain, picture.shape)
    return picture.clip(16, 235).astype(np.uint8)


def make_film(
    path, pictures, *, times=None, sound=False, codec="ffv1", base=Fraction(1, 25), rotation=0, full=False, shape=None
):
    """A grey film; `times` in units of `base`."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.color_range = 1 + full
        if shape:
            stream.codec_context.sample_aspect_ratio = shape
        if rotation:
            stream.set_display_rotation(rotation)
        usual = "aac" if path.suffix != ".mkv" else "flac"
        voice = film.add_stream(usual if sound is True else sound, rate=48000) if sound else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane, values in zip(frame.planes, (picture, None, None), strict=True):
                lines = np.full((plane.buffer_size // plane.line_size, plane.line_size), 128, np.uint8)
                if values is not None:
                    lines[:HEIGHT, :WIDTH] = values
                plane.update(lines)
            frame.pts, frame.time_base = (times[number] if times else number), base
            film.mux(stream.encode(frame))
        if voice is not None:
            kind = "fltp" if voice.codec_context.name == "aac" else "s16"
            for number in range(len(pictures) * 48000 // 25 // 1024):
                wave = 0.3 * np.sin(np.arange(1024) / (10 + number))
                samples = wave[None].repeat(2, 0).astype(np.float32)
                if kind == "s16":
                    samples = (samples * 32767).astype(np.int16).T.reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=kind, layout="stereo")
                frame.sample_rate, frame.pts = 48000, 1024 * number
                film.mux(voice.encode(frame))
            film.mux(voice.encode(None))
        film.mux(stream.encode(None))
    return path


def decoded(path):
    """Times in seconds, and the planes of each frame."""
    times, planes = [], []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            times.append(frame.pts * frame.time_base)
            picture = []
            for plane in frame.planes:
                lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                picture.append(lines[: plane.height, : plane.width].copy())
            planes.append(picture)
    return times, planes


def sound_of(path):
    with av.open(str(path)) as film:
        return [(p.pts * p.time_base, bytes(p)) for p in film.demux(film.streams.audio[0]) if p.size]


@pytest.fixture
def pictures():
    return [scene(1, number) for number in range(12)] + [scene(2, number) for number in range(12)]
