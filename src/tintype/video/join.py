"""Joining the parts of a film, and copying its sound and subtitles, without encoding anything again."""

from __future__ import annotations

import errno
import heapq
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tintype.runtime.errors import DISK_FULL, PhotoError
from tintype.video.read import opened

_COPIED = ("audio", "subtitle", "attachment")


def check_streams(source: Path, target: Path, format: str) -> None:
    """Whether a format takes a film's sound and subtitles, before hours go into its pictures.

    Raises:
        PhotoError: it does not.
    """
    with opened(source) as (film, _), _holding(source, target), av.open(io.BytesIO(), "w", format=format) as out:
        copies = _copies(film, out, source, target)
        if not copies:
            return
        out.start_encoding()
        waited = {copies[stream.index].index for stream in film.streams.audio if stream.index in copies}
        for _, _, packet in _others(film, copies) if waited else ():  # some faults show only with sound, or at the end
            waited.discard(packet.stream.index)
            out.mux(packet)
            if not waited:
                break


def join(
    parts: Sequence[Path], source: Path, target: Path, last: int, colours: tuple[int, int], format: str | None = None
) -> None:
    """Writes a film.

    Args:
        parts: its video.
        source: what sound, subtitles, chapters and metadata are taken from.
        target: a file, written under this name as it goes.
        last: duration of the last frame, in units of the source's time base.
        colours: its range and matrix, which not every codec writes down itself.

    Raises:
        PhotoError: the target's format does not take the sound or subtitles.
    """
    with opened(source) as (film, picture), av.open(str(parts[0])) as first:
        rotation = _rotation(film, picture)
        with opened(source) as (again, _), _holding(source, target), av.open(str(target), "w", format=format) as out:
            if format in ("mp4", "mov", "ipod"):
                out.container_options["movflags"] = "+faststart"
            out.metadata.update({key: value for key, value in film.metadata.items() if key not in _FORMATS_OWN})
            video: Any = out.add_stream_from_template(first.streams.video[0], opaque=True)
            video.time_base = picture.time_base
            video.codec_context.color_range, video.codec_context.colorspace = colours
            if picture.sample_aspect_ratio:
                video.codec_context.sample_aspect_ratio = picture.sample_aspect_ratio
            video.metadata.update(picture.metadata)
            if rotation:
                video.set_display_rotation(rotation)
            copies = _copies(again, out, source, target)
            chapters = film.chapters()
            if chapters:
                out.set_chapters(chapters)
            for _, _, packet in heapq.merge(
                _video(parts, video, picture.time_base or Fraction(1, 1000), last),
                _others(again, copies),
                key=lambda entry: entry[:2],
            ):
                out.mux(packet)


def _copies(film: Any, out: Any, source: Path, target: Path) -> dict[int, Any]:
    """Streams of `out` for the sound, subtitles and attachments of a film, by these' numbers."""
    copies: dict[int, Any] = {}
    for stream in film.streams:
        if stream.type in _COPIED:
            try:
                copies[stream.index] = out.add_stream_from_template(stream, opaque=True)
            except (ValueError, av.FFmpegError):
                raise PhotoError(
                    f"{source}: its {stream.type} ({stream.name}) does not fit into {target.suffix}; {_advice(target)}"
                ) from None
            copies[stream.index].metadata.update(stream.metadata)
            copies[stream.index].disposition = stream.disposition
    return copies


@contextmanager
def _holding(source: Path, target: Path) -> Iterator[None]:
    """Tells what a format does not take; a disk that is full is another matter."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in {*DISK_FULL, errno.EIO}:
            raise OSError(error.errno, error.strerror) from None
        told = f"{source}: its sound or subtitles do not fit into {target.suffix} ({error.strerror}); {_advice(target)}"
        raise PhotoError(told) from None


def _advice(target: Path) -> str:
    return f"write into {'.mp4 or .mov' if target.suffix.lower() == '.mkv' else '.mkv'} by -o"


_FORMATS_OWN = {"major_brand", "minor_version", "compatible_brands", "encoder"}


def _video(
    parts: Sequence[Path], stream: Any, base: Fraction, last: int
) -> Iterator[tuple[float, int, av.Packet[Any]]]:
    waiting: av.Packet[Any] | None = None
    for path in parts:
        with av.open(str(path)) as part:
            for packet in part.demux(part.streams.video[0]):
                if packet.size == 0 or packet.pts is None:
                    continue
                time = round(packet.pts * packet.time_base / base)
                packet.pts = packet.dts = time
                packet.time_base = base
                packet.stream = stream
                if waiting is not None:
                    waiting.duration = time - (waiting.pts or 0)
                    yield float((waiting.pts or 0) * base), 0, waiting
                waiting = packet
    if waiting is not None:
        waiting.duration = last
        yield float((waiting.pts or 0) * base), 0, waiting


def _others(film: Any, copies: dict[int, Any]) -> Iterator[tuple[float, int, av.Packet[Any]]]:
    wanted = [stream for stream in film.streams if stream.index in copies and stream.type != "attachment"]
    if not wanted:
        return
    at = 0.0
    for packet in film.demux(*wanted):
        if packet.dts is None and packet.pts is None:
            continue
        at = max(at, float((packet.dts if packet.dts is not None else packet.pts) * packet.time_base))
        packet.stream = copies[packet.stream_index]
        yield at, 1, packet


def _rotation(film: Any, stream: av.VideoStream) -> int:
    for frame in film.decode(stream):
        return int(frame.rotation)
    return 0
