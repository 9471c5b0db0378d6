"""Methods to be measured: functions from a photograph to the 8-bit RGB picture that they make of its grey."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.color.lab import lab_to_rgb, rgb_to_lab
from tintype.evaluate.colour_error import picture_ab, strips
from tintype.evaluate.photograph import Photograph, read_colours, resized
from tintype.runtime.errors import PhotoError
from tintype.runtime.folders import find

Method = Callable[[Photograph], NDArray[np.uint8]]


class Colorizes(Protocol):
    """What is asked of a `tintype.Colorizer`."""

    def __call__(self, photo: Image.Image, *, temperature: float | None, saturation: float) -> Image.Image: ...


def grey(photograph: Photograph) -> NDArray[np.uint8]:
    """The grey picture itself: what no colour at all scores."""
    return np.repeat(photograph.grey[..., None], 3, axis=-1)


def true(photograph: Photograph) -> NDArray[np.uint8]:
    """The true picture: what perfect colours score."""
    return photograph.true


def colorized(colorizer: Colorizes, temperature: float | None = None, saturation: float = 1.0) -> Method:
    """What `colorizer` makes of the grey picture, as a person would get it: at full size, in 8 bits."""

    def method(photograph: Photograph) -> NDArray[np.uint8]:
        picture = colorizer(Image.fromarray(photograph.grey), temperature=temperature, saturation=saturation)
        return np.asarray(picture.convert("RGB"))

    return method


def random_colours(paths: Sequence[Path], seed: int = 0, root: Path = Path()) -> Method:
    """The colours (CIE ab) of another photograph on this one's lightness: the row "Random" of Zhang16's Table 1.

    Photographs are put in a seeded order, in a circle; each gets the colours of the next that can be read, stretched
    to its size.

    Args:
        paths: where colours come from; each photograph measured is one of them.
        seed: of the order.
        root: the folder that their places are counted from, so that the order is the same wherever it lies.
    """

    def key(path: Path) -> bytes:
        place = path.relative_to(root) if path.is_relative_to(root) else path
        return hashlib.sha256(f"{seed} {place.as_posix()}".encode(errors="surrogateescape")).digest()

    circle = sorted(paths, key=key)
    place = {path: number for number, path in enumerate(circle)}

    def method(photograph: Photograph) -> NDArray[np.uint8]:
        start = place[photograph.path]
        for step in range(1, len(circle)):
            other = circle[(start + step) % len(circle)]
            try:
                colours = read_colours(other)
            except PhotoError:
                continue
            return with_colours(photograph.grey, resized(colours, *photograph.grey.shape))
        raise PhotoError("there is no other photograph to take colours from")

    return method


def with_colours(grey: NDArray[np.uint8], colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The lightness of a grey picture (h, w) with the CIE ab of another (h, w, 3), clipped to sRGB."""
    every = np.repeat(np.arange(256, dtype=np.float32)[None] / np.float32(255), 3, axis=0)  # of the greys
    lightness = rgb_to_lab(every, axis=0)[0]
    picture = np.empty_like(colours)
    for rows in strips(*grey.shape):
        lab = np.concatenate([lightness[grey[rows]][None], picture_ab(colours[rows])])
        picture[rows] = np.moveaxis(np.rint(255 * lab_to_rgb(lab)), 0, -1)
    return picture


class Pictures:
    """A method: pictures that another program made, matched by file name; the suffix may differ.

    A picture is looked for at the photograph's place below the folder, then by its name alone; in both under the same
    suffix first, then under any, where that leaves no doubt. It has the size of the photograph's file, and is then
    resized as that is, or the protocol's.

    Args:
        folder: the pictures.
        paths: the photographs.
        root: the folder that their places are counted from.

    Raises:
        ValueError: there is no picture for any photograph.
    """

    def __init__(self, folder: Path, paths: Sequence[Path], root: Path):
        found = [Path(path) for path, _ in find((str(folder),)).files.values()]
        self.folder = folder
        self.files: dict[Path, Path] = {}  # by photograph
        self._doubtful: set[Path] = set()
        keys: tuple[Callable[[Path, Path], object], ...] = (
            lambda path, base: path.relative_to(base),
            lambda path, base: path.relative_to(base).with_suffix(""),
            lambda path, base: path.name,
            lambda path, base: path.stem,
        )
        for key in keys:
            there = _grouped((key(path, folder), path) for path in found)
            asked = _grouped((key(path, root), path) for path in paths)
            for name, photographs in asked.items():
                matches = there.get(name, [])
                if len(matches) == len(photographs) == 1:
                    self.files.setdefault(photographs[0], matches[0])
                elif matches:
                    self._doubtful |= {*photographs}
        if not self.files:
            raise ValueError(f"{folder}: no picture here has the name of a photograph")

    def __call__(self, photograph: Photograph) -> NDArray[np.uint8]:
        """The picture of a photograph.

        Raises:
            PhotoError: there is none, it cannot be read, or has another size.
        """
        file = self.files.get(photograph.path)
        if file is None:
            why = "several pictures, or one for several photographs," if photograph.path in self._doubtful else "none"
            raise PhotoError(f"{photograph.path}: {self.folder} has {why} of this name")
        picture = read_colours(file)
        if picture.shape[:2] not in (photograph.size, photograph.grey.shape):
            (height, width), (h, w) = photograph.size, picture.shape[:2]
            raise PhotoError(f"{file}: is {w} x {h}, the photograph {width} x {height}")
        return resized(picture, *photograph.grey.shape)


def _grouped(pairs: Iterable[tuple[object, Path]]) -> dict[object, list[Path]]:
    groups: dict[object, list[Path]] = {}
    for key, path in pairs:
        groups.setdefault(key, []).append(path)
    return groups
