"""Preparing the pictures of a study: each photograph in true colours and in each method's, small and alike."""

import os
import secrets
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.errors import PhotoError
from tintype.runtime.folders import find
from tintype.runtime.read import read_rgb
from tintype.study.errors import StudyError
from tintype.study.folder import PICTURES, Picture, write_file

SIDE = 256
GREY = 8  # of 255: how far apart red, green and blue may be in a photograph that passes for grey


@dataclass(frozen=True)
class Source:
    """A photograph and the files of it: in true colours, and by each method. Its name is its place in the folder."""

    name: str
    true: Path
    methods: Mapping[str, Path]


def match(true: Path, methods: Mapping[str, Path]) -> tuple[list[Source], dict[str, str]]:
    """Pairs the photographs of a folder with the methods' pictures of the same name, whatever their suffix.

    Returns:
        The photographs that every method has, and for each other one why it is left out.

    Raises:
        StudyError: two files of a folder differ only in suffix, or a folder has no pictures.
    """
    photographs = _by_stem(true)
    made = {method: _by_stem(folder) for method, folder in methods.items()}
    sources, left_out = [], {}
    for stem, path in photographs.items():
        missing = [str(methods[method]) for method, files in made.items() if stem not in files]
        if missing:
            left_out[str(path)] = f"{path}: left out of every method, as it is not in {', '.join(missing)}"
        else:
            name = path.relative_to(true).as_posix().encode(errors="backslashreplace").decode()
            sources.append(Source(name, path, {method: files[stem] for method, files in made.items()}))
    return sources, left_out


def prepare(sources: Iterable[Source], folder: Path) -> tuple[list[Picture], dict[str, str], dict[str, int]]:
    """Writes the pictures of a study into the folder `pictures`, under random names.

    Each is reduced so that its shorter side is 256, and cropped to the middle 256 x 256. All versions of a photograph
    are treated alike and written as PNG files of equal length, so that nothing but what they show sets them apart.

    Returns:
        The pictures that were written, for each other photograph why it is left out, and for each method how many of
        its pictures are the true ones, pixel for pixel, if any.

    Raises:
        OSError: a file cannot be written.
    """
    (folder / PICTURES).mkdir()
    pictures: list[Picture] = []
    left_out: dict[str, str] = {}
    same: Counter[str] = Counter()
    for source in sources:
        try:
            versions = _read(source)
        except PhotoError as error:
            left_out[str(source.true)] = f"{error}; left out of every method"
            continue
        same.update(
            method
            for method, made in zip(source.methods, versions[1:], strict=True)
            if np.array_equal(made, versions[0])
        )
        files = _of_one_length([_png(version) for version in versions])
        names = [f"{secrets.token_hex(16)}.png" for _ in files]
        for name, data in zip(names, files, strict=True):
            write_file(folder / PICTURES / name, data)
        true, *others = names
        pictures.append(Picture(source.name, true, dict(zip(source.methods, others, strict=True))))
    return pictures, left_out, dict(same)


def square(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a picture, (h, w, 3) to (256, 256, 3), after its shorter side is brought to 256 (Lanczos)."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) / 2, (width - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box))


def is_grey(rgb: NDArray[np.uint8]) -> bool:
    """Whether a picture has next to no colour: in 99 of 100 pixels red, green and blue are nearly equal."""
    spread = rgb.max(axis=2).astype(int) - rgb.min(axis=2)
    return bool(np.percentile(spread, 99) <= GREY)


def _by_stem(folder: Path) -> dict[str, Path]:
    """The pictures below a folder, by their path in it without suffix."""
    found = find((str(folder),))
    if not found.files:
        raise StudyError(f"{folder}: no pictures in this folder")
    files: dict[str, Path] = {}
    for path, base in found.files.values():
        stem = os.path.splitext(os.path.relpath(path, base))[0]
        if stem in files:
            raise StudyError(f"{path} and {files[stem]} have one name; keep one of the two")
        files[stem] = Path(path)
    return files


def _read(source: Source) -> list[NDArray[np.uint8]]:
    """The prepared picture in true colours, then by each method."""
    true = _read_rgb(source.true)
    if is_grey(square(true)):
        raise PhotoError(f"{source.true}: a grey picture, beside which any colours would be found out")
    versions = [square(true)]
    for path in source.methods.values():
        made = _read_rgb(path)
        if made.shape != true.shape:
            (height, width), (h, w) = made.shape[:2], true.shape[:2]
            raise PhotoError(f"{path}: {width} x {height} pixels, but the photograph {source.true} has {w} x {h}")
        versions.append(square(made))
    return versions


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    try:
        return read_rgb(path)
    except OSError as error:
        raise PhotoError(f"{path}: {error.strerror}") from error


def _png(rgb: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def _of_one_length(files: list[bytes]) -> list[bytes]:
    """PNG files made equally long by a chunk that decoders skip: made-up colours are smoother, and so more compact."""
    empty, end = 12, files[0][-12:]
    longest = max(map(len, files)) + empty
    return [file[:-12] + _chunk(b"paDd", bytes(longest - len(file) - empty)) + end for file in files]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
