"""Writing the video of a film, part by part: every part begins with a key frame and needs no other."""

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from tintype.runtime.errors import PhotoError
from tintype.video.planes import Coding

_LOSSLESS = {"ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "png", "v210", "qtrle"}
_THREADS = 4  # always as many: the encoders' output depends on it

OPTIONS: dict[str, dict[str, str]] = {
    # Without B-frames every frame is stored in the order in which it is shown, so that parts can be joined as they are.
    "libx264": {"crf": "17", "preset": "medium", "bf": "0"},
    "libx265": {"crf": "18", "preset": "medium", "x265-params": "bframes=0:log-level=none:pools=4:frame-threads=2"},
    "libvpx-vp9": {"crf": "24", "b": "0", "cpu-used": "4", "auto-alt-ref": "0", "row-mt": "0", "lag-in-frames": "0"},
    "ffv1": {"level": "3", "g": "1", "slices": "4"},
}


def encoder_for(source: str, target: Path, coding: Coding) -> str:
    """The encoder for a film whose codec was `source`: what was lossless stays so where the container allows it."""
    suffix = target.suffix.lower()
    if suffix == ".webm":
        return "libvpx-vp9"
    if suffix == ".mkv" and source in _LOSSLESS:
        return "ffv1"
    return "libx265" if coding.bits > 8 else "libx264"


class Part:
    """A file with some frames of the film, complete once it is closed. NUT, which keeps any time base."""

    def __init__(self, path: Path, encoder: str, coding: Coding, stream: av.VideoStream):
        try:
            self._container = av.open(str(path), "w", format="nut")
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            self._stream: Any = self._container.add_stream(encoder, rate=rate, options=dict(OPTIONS[encoder]))
        except av.FFmpegError as error:
            raise PhotoError(f"{path}: {encoder} is not there ({error.strerror})") from None
        source, context = stream.codec_context, cast(av.VideoCodecContext, self._stream.codec_context)
        self._base = stream.time_base or Fraction(1, 1000)
        self._stream.time_base = context.time_base = self._base
        context.width, context.height, context.pix_fmt = source.width, source.height, coding.format
        context.thread_count = _THREADS
        context.color_range, context.colorspace = 1 + coding.full, coding.matrix
        context.color_primaries, context.color_trc = source.color_primaries, source.color_trc
        if stream.sample_aspect_ratio:
            context.sample_aspect_ratio = stream.sample_aspect_ratio

    def add(self, frame: av.VideoFrame, time: int) -> None:
        frame.pts, frame.time_base = time, self._base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        self._container.close()
