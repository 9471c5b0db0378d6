"""A frame of film: its luma, kept as it is, and the chroma that gives it colour."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tintype.color.lab import luminance_to_lightness, srgb_to_linear
from tintype.runtime.buffers import Codes, Plane
from tintype.runtime.merge import Merge
from tintype.runtime.photo import Photo

_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
_WEIGHTS[9] = (0.2627, 0.0593)  # BT.2020
FULL = 2  # of color_range
_UNKNOWN = 2  # of colorspace


@dataclass(frozen=True)
class Coding:
    """How a film's colours are written.

    Attributes:
        format: of the pixels, planar with luma first.
        bits: of a sample.
        across, down: luma samples to a chroma sample.
        full: whether luma goes from 0 to the top, not from 16 to 235 (of 255).
        matrix: as in H.273, one of those that are known.
    """

    format: str
    bits: int
    across: int
    down: int
    full: bool
    matrix: int


def coding(format: av.VideoFormat, matrix: int, range: int, height: int) -> Coding:
    """How a film is written in colour that is decoded in this way."""
    name = format.name
    grey = name.startswith("gray")
    bits = format.components[0].bits
    full = range == FULL or name.startswith("yuvj") or (grey and range == 0)
    if matrix not in _WEIGHTS:
        matrix = 1 if height >= 720 or matrix != _UNKNOWN else 6  # what players take it for
    layout = "420"
    for known in ("422", "444"):
        if known in name and not format.is_rgb:
            layout = known
    if format.width % 2 or format.height % 2:
        layout = "444"
    depth = 8 if bits <= 8 else 10
    across, down = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[layout]
    return Coding(f"yuv{layout}p" + ("10le" if depth == 10 else ""), depth, across, down, full, matrix)


def luma(frame: av.VideoFrame, coding: Coding) -> Codes:
    """The luma of a frame, (H, W), as it is written in colour."""
    format = frame.format
    usable = format.is_planar or format.name.startswith("gray")
    if format.is_rgb or not usable or format.is_big_endian or format.name.startswith("nv"):
        frame = frame.reformat(format=coding.format, dst_colorspace=coding.matrix, dst_color_range=1 + coding.full)
        format = frame.format
    bits = format.components[0].bits
    plane = frame.planes[0]
    kind = np.uint8 if bits <= 8 else np.uint16
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size).view(kind)
    codes: NDArray[Any] = lines[: frame.height, : frame.width]
    if bits > coding.bits:
        codes = codes >> (bits - coding.bits)
    elif bits < coding.bits:
        codes = codes << (coding.bits - bits)
    return np.ascontiguousarray(codes)


@cache
def luma_lightness(bits: int, full: bool) -> Plane:
    """CIE L of each luma code, that of a grey in sRGB."""
    codes = np.arange(256 if bits == 8 else 65536) / 2.0 ** (bits - 8)
    grey = codes / (255 + 0.75 * (bits > 8)) if full else (codes - 16) / 219
    return np.asarray(luminance_to_lightness(srgb_to_linear(grey.clip(0, 1))), np.float32)


def chroma(picture: Merge, small: Codes, coding: Coding, threads: int) -> list[NDArray[Any]]:
    """Cb and Cr codes of a picture that has the size of the chroma planes.

    Chroma is held back where, with the luma as it is, red, green or blue would leave their range.
    """
    pixels = picture.pixels(threads).view(np.uint8).reshape(*picture.shape, 4)
    red, green, blue = (np.asarray(pixels[..., number], np.float32) / 255 for number in range(3))
    kr, kb = _WEIGHTS[coding.matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    unit = 2.0 ** (coding.bits - 8)
    grey = np.asarray(small, np.float32) / (255 * unit) if coding.full else (small / unit - 16) / 219
    grey = np.clip(grey, 0, 1)
    parts = [channel - y for channel in (red, green, blue)]
    high, low = np.maximum.reduce(parts), np.minimum.reduce(parts)
    share = np.minimum((1 - grey) / np.maximum(high, 1e-4), grey / np.maximum(-low, 1e-4)).clip(0, 1)
    scale = (255 if coding.full else 224) * unit
    planes = []
    for part, k in ((parts[2], kb), (parts[0], kr)):
        code = np.rint(share * part * (scale / (2 * (1 - k))) + 128 * unit)
        planes.append(code.clip(0, 256 * unit - 1).astype(np.uint8 if coding.bits == 8 else np.uint16))
    return planes


def shrink(codes: Codes, coding: Coding) -> Photo:
    """The luma as a photograph of the size of the chroma planes."""
    height, width = (
        -(-length // by) * by for length, by in zip(codes.shape, (coding.down, coding.across), strict=True)
    )
    padded = np.pad(codes, ((0, height - codes.shape[0]), (0, width - codes.shape[1])), "edge")
    blocks = padded.reshape(height // coding.down, coding.down, width // coding.across, coding.across)
    small = (blocks.sum(axis=(1, 3), dtype=np.uint32) + coding.down * coding.across // 2) // (
        coding.down * coding.across
    )
    return Photo(small.astype(codes.dtype), luma_lightness(coding.bits, coding.full))


def build(codes: Codes, planes: list[NDArray[Any]], coding: Coding) -> av.VideoFrame:
    """A frame of luma and chroma."""
    frame = av.VideoFrame(codes.shape[1], codes.shape[0], coding.format)
    for plane, values in zip(frame.planes, [codes, *planes], strict=True):
        lines = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        data = values.view(np.uint8).reshape(len(values), -1)
        lines[: len(data), : data.shape[1]] = data
        plane.update(lines.tobytes())
    frame.color_range = 1 + coding.full
    frame.colorspace = coding.matrix
    return frame
