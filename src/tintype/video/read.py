"""Reading films: the frames of the first video stream, with the times at which they are shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av

from tintype.runtime.errors import PhotoError

_COVER = 1 << 10


@contextmanager
def opened(path: Path) -> Iterator[tuple["av.container.InputContainer", av.VideoStream]]:
    """A film and its video stream.

    Raises:
        PhotoError: it is damaged, or there is no video in it; in one line.
        OSError: the file cannot be opened.
    """
    with path.open("rb"):  # says what is wrong with the file itself
        pass
    av.logging.set_level(None)
    try:
        container = av.open(str(path), "r")
    except av.FFmpegError as error:
        raise PhotoError(f"{path}: not a film that can be read ({error.strerror})") from None
    with container:
        streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
        if not streams or streams[0].codec_context is None or not streams[0].width:
            raise PhotoError(f"{path}: there is no video in it that can be read")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def frames(
    path: Path, container: "av.container.InputContainer", stream: av.VideoStream
) -> Iterator[tuple[int, int, av.VideoFrame]]:
    """Each frame with its time and its duration, in units of the stream's time base; times always rise.

    Raises:
        PhotoError: the film is damaged at its beginning, so that no frame can be read, or its size changes.
    """
    base = stream.time_base or Fraction(1, 1000)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    usual = max(1, round(1 / (rate * base)))
    last: int | None = None
    size = None
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.FFmpegError:  # a damaged place: what follows may be whole
            continue
        for frame in decoded:
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                raise PhotoError(f"{path}: its pictures change their size, which is not supported")
            time = frame.pts if frame.pts is not None else (0 if last is None else last + usual)
            time = time if last is None else max(time, last + 1)
            last = time
            yield time, frame.duration or usual, frame
    if last is None:
        raise PhotoError(f"{path}: damaged: not one frame of it can be read")
