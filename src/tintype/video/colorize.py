"""Colorizing a film, from a file to a file, in parts that are kept if the run is stopped."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tintype import __version__
from tintype.runtime.atomic import place_atomically
from tintype.runtime.batch import Stopped
from tintype.runtime.buffers import Codes, Plane
from tintype.runtime.colorizer import Colorizer, check_target
from tintype.runtime.errors import PhotoError
from tintype.runtime.formats import FILMS
from tintype.runtime.layout import Layout, lay_out
from tintype.runtime.merge import Merge
from tintype.runtime.photo import Photo
from tintype.runtime.predict import predict, seen
from tintype.runtime.reduce import guide_of
from tintype.video.encode import Part, encoder_for
from tintype.video.join import check_streams, join
from tintype.video.parts import Parts, fingerprint
from tintype.video.planes import Coding, build, chroma, coding, luma, luma_lightness, shrink
from tintype.video.read import frames, opened
from tintype.video.steady import AHEAD, Look, Steady

LENGTH = 96  # frames of a part


@dataclass
class _Frame:
    time: int
    duration: int
    codes: Codes
    layout: Layout
    look: Look


class _Picture:
    """What all frames of a film have in common: model, options, coding."""

    def __init__(self, colorizer: Colorizer, code: Coding, temperature: float | None):
        self.model, self.size, self.threads = colorizer.model, colorizer.size, colorizer.threads
        self.code, self._temperature = code, temperature

    def look(self, codes: Codes) -> tuple[Layout, Look]:
        photo = Photo(codes, luma_lightness(self.code.bits, self.code.full))
        layout = lay_out(self.model, guide_of(photo, self.size, self.threads), self.size, as_is=True)
        (region,) = layout.regions
        return layout, Look(seen(region), lambda: predict(self.model, region, self._temperature).ab)

    def paint(self, frame: _Frame, ab: Plane, saturation: float) -> av.VideoFrame:
        slope, offset = frame.layout.upsampler(self.threads)([ab])
        small = shrink(frame.codes, self.code)
        picture = _fitted(small, slope, offset, frame.layout.guide.factor, self.code, saturation)
        planes = chroma(picture, small.codes, self.code, self.threads)
        return build(frame.codes, planes, self.code)


def _fitted(small: Photo, slope: Plane, offset: Plane, factor: int, code: Coding, saturation: float) -> Merge:
    """Brings coefficients from blocks of the luma to blocks of the chroma planes' size."""
    if code.across == code.down and factor % code.down == 0:
        return Merge(small, slope, offset, factor // code.down, saturation)
    height, width = small.codes.shape
    whole = width * code.across / factor, height * code.down / factor

    def fit(planes: Plane) -> Plane:
        return np.stack(
            [
                np.asarray(
                    Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR, _box(plane, whole))
                )
                for plane in planes
            ]
        )

    return Merge(small, fit(slope), fit(offset), 1, saturation)


def _box(plane: Plane, whole: tuple[float, float]) -> tuple[float, float, float, float]:
    return 0, 0, min(whole[0], plane.shape[1]), min(whole[1], plane.shape[0])


def colorize_film(
    colorizer: Colorizer,
    source: str | Path,
    target: str | Path,
    *,
    temperature: float | None = None,
    saturation: float = 1.0,
    overwrite: bool = False,
    every: int = 1,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Colorizes a film into another, whose suffix says the format.

    Luma, sound, subtitles and the times of all frames are kept. A run that was stopped or killed is taken up where it
    was by the same call, and the result is the same as that of one that was not.

    Args:
        colorizer: the model.
        source, target: paths.
        temperature, saturation, overwrite: as of `Colorizer.colorize_file`.
        every: on which frames of a shot the network runs.
        stopped: asked at every frame whether to stop.
        progress: told, at every frame, how many are done and how many there are (0 if that is not known).

    Raises:
        PhotoError: the source cannot be read, or the target cannot be written in this format.
        Stopped: `stopped` said so.
        FileExistsError, OSError: as of `Colorizer.colorize_file`.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in FILMS:
        raise PhotoError(f"{target}: cannot write a film as {target.suffix}; use {', '.join(FILMS)}")
    check_target(source, target, overwrite, "film")
    check_streams(source, target, FILMS[target.suffix.lower()])
    status = source.stat()
    job = {
        "version": __version__,
        "source": [status.st_size, status.st_mtime_ns],
        "model": fingerprint(colorizer.model.path),
        "options": [colorizer.size, temperature, saturation, every, LENGTH],
    }
    parts = Parts(target, job)
    with parts.locked():
        last, *colours = _make(colorizer, source, target, parts, temperature, saturation, every, stopped, progress)
        whole = parts.folder / f"whole{target.suffix}"
        join(parts.finished()[0], source, whole, last, (colours[0], colours[1]), FILMS[target.suffix.lower()])
        place_atomically(whole, target, overwrite)
        parts.remove()


def _make(
    colorizer: Colorizer,
    source: Path,
    target: Path,
    parts: Parts,
    temperature: float | None,
    saturation: float,
    every: int,
    stopped: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> tuple[int, int, int]:
    """Makes the parts that are missing; the duration of the last frame, range and matrix of colours."""
    done, state = parts.finished()
    if state is not None and state["end"]:
        return int(state["duration"]), int(state["range"]), int(state["matrix"])
    steady = Steady(colorizer.model.stride, colorizer.model.ab_origin, every)
    if state is not None:
        steady.restore(state)
    start = number = 0 if state is None else int(state["frames"])
    part: Part | None = None
    with opened(source) as (container, stream):
        waiting: deque[_Frame] = deque()
        picture: _Picture | None = None
        duration = 1
        place = parts.folder / "unfinished.nut"

        def looked() -> Iterator[_Frame]:
            nonlocal picture
            for count, (time, duration, frame) in enumerate(frames(source, container, stream)):
                if stopped():
                    raise Stopped
                if picture is None:
                    code = coding(frame.format, frame.colorspace, frame.color_range, frame.height)
                    picture = _Picture(colorizer, code, temperature)
                if count >= start:
                    codes = luma(frame, picture.code)
                    yield _Frame(time, duration, codes, *picture.look(codes))

        rest = looked()
        try:
            while True:
                while len(waiting) <= AHEAD and (new := next(rest, None)):
                    waiting.append(new)
                if not waiting:
                    break
                frame = waiting.popleft()
                assert picture is not None
                ab = steady(frame.look, [later.look for later in waiting])
                if part is None:
                    place.unlink(missing_ok=True)
                    encoder = encoder_for(stream.codec_context.name, target, picture.code)
                    part = Part(place, encoder, picture.code, stream)
                part.add(picture.paint(frame, ab, saturation), frame.time)
                number, duration = number + 1, frame.duration
                progress(number, stream.frames)
                if number % LENGTH == 0 or not waiting:
                    part.close()
                    part = None
                    facts = {"frames": number, "end": not waiting, "duration": duration}
                    facts |= {"range": 1 + picture.code.full, "matrix": picture.code.matrix}
                    parts.finish(
                        len(done), place, steady.state() | {key: np.array(value) for key, value in facts.items()}
                    )
                    done.append(parts.name(len(done)))
        except BaseException:
            if part is not None:
                part.abandon()
            raise
    assert picture is not None
    return duration, 1 + picture.code.full, picture.code.matrix
