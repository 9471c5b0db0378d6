"""Methods to be measured: functions from a photograph to the 8-bit RGB picture that they make of its grey."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.color.lab import lab_to_rgb, rgb_to_lab
from tintype.evaluate.colour_error import strips
from tintype.evaluate.photograph import Photograph, read_colours, resized
from tintype.runtime.errors import PhotoError
from tintype.runtime.folders import find

Method = Callable[[Photograph], NDArray[np.uint8]]
_Key = TypeVar("_Key")


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
    picture = np.empty_like(colours)
    for rows in strips(*grey.shape):
        lightness, lab = (
            rgb_to_lab(one.astype(np.float32) / np.float32(255), axis=-1)
            for one in (np.repeat(grey[rows][..., None], 3, axis=-1), colours[rows])
        )
        lab[..., 0] = lightness[..., 0]
        picture[rows] = np.rint(255 * lab_to_rgb(lab, axis=-1))
    return picture


def pictures(folder: Path, paths: Sequence[Path], root: Path) -> Method:
    """Pictures that another program made, matched by file name; the suffix may differ.

    A picture is looked for at the photograph's place below `folder`, then by its name alone. It has the size of the
    photograph's file, and is then resized as that is, or the protocol's.

    Args:
        folder: the pictures.
        paths: the photographs.
        root: the folder that their places are counted from.

    Raises:
        ValueError: there is no picture for any photograph.
    """
    found = [Path(path) for path, _ in find((str(folder),)).files.values()]
    by_place = _unique((path.relative_to(folder).with_suffix(""), path) for path in found)
    by_name = _unique((path.stem, path) for path in found)
    photographs = _unique((path.stem, path) for path in paths)

    def match(path: Path) -> Path | None:
        place = path.relative_to(root).with_suffix("") if path.is_relative_to(root) else None
        if place in by_place:
            return by_place[place]
        return by_name.get(path.stem) if path.stem in photographs else None

    if not any(match(path) for path in paths):
        raise ValueError(f"{folder}: no picture here has the name of a photograph")

    def method(photograph: Photograph) -> NDArray[np.uint8]:
        file = match(photograph.path)
        if file is None:
            raise PhotoError(f"{photograph.path}: no picture of this name, or more than one, in {folder}")
        picture = read_colours(file)
        if picture.shape[:2] not in (photograph.size, photograph.grey.shape):
            (height, width), (h, w) = photograph.size, picture.shape[:2]
            raise PhotoError(f"{file}: is {w} x {h}, the photograph {width} x {height}")
        return resized(picture, *photograph.grey.shape)

    return method


def _unique(pairs: Iterable[tuple[_Key, Path]]) -> dict[_Key, Path]:
    """Those keys that one path alone has."""
    all_of: dict[_Key, list[Path]] = {}
    for key, path in pairs:
        all_of.setdefault(key, []).append(path)
    return {key: only for key, (only, *others) in all_of.items() if not others}
