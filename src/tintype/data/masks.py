"""Photographs with a mask each, which gives the class of every pixel: folders or tars of images and masks.

    train = open_segmented("camvid/train", classes=11, void=11)                    # 1.jpg beside 1.png
    train = open_segmented("images/train", "masks/train", classes=19, void=255)
    pixels, mask = train.read(0)

A VOC devkit is opened by `voc.py`, as the same thing.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tintype.data.decode import full_size
from tintype.data.errors import DamagedPhotoError, DataError
from tintype.data.missing import require_all
from tintype.data.shards import SUFFIXES, split_file, split_member
from tintype.data.tar import members
from tintype.data.unpack import is_tar, uncompressed
from tintype.data.walk import walk

Mask = NDArray[np.uint8]

_MASK = ".png"


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a member of a tar.

    Attributes:
        shown: its path, for messages.
        path: of the file or uncompressed tar.
        offset: where it begins there, in bytes.
        size: in bytes; -1: up to the file's end.
    """

    shown: str
    path: str
    offset: int = 0
    size: int = -1

    @classmethod
    def of(cls, path: Path) -> "Part":
        """A whole file."""
        return cls(str(path), str(path))

    def read(self) -> bytes:
        """Raises OSError."""
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset)
            return file.read(self.size)


class Pair(NamedTuple):
    """A photograph and its mask, unread; `name` is that of both, without suffix."""

    name: str
    photograph: Part
    mask: Part


class Segmented:
    """Photographs with masks, by number.

    Args:
        pairs: of them.
        classes: number of classes; their ids are 0..classes-1.
        void: id of pixels that belong to no class.
    """

    def __init__(self, pairs: Sequence[Pair], classes: int, void: int):
        self.pairs, self.classes, self.void = pairs, classes, void

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, number: int) -> tuple[NDArray[np.uint8], Mask]:
        """A photograph, RGB (h, w, 3) uint8, and its mask of class ids, (h, w) uint8.

        Raises:
            DataError: either is damaged, they differ in size, or the mask has an id that is neither a class's nor void.
        """
        _, photograph, mask = self.pairs[number]
        pixels, ids = _read(photograph, full_size), _read(mask, _DECODERS[split_file(mask.shown)[1]])
        if pixels.shape[:2] != ids.shape:
            sizes = [f"{width} by {height}" for height, width in (ids.shape, pixels.shape[:2])]
            raise DataError(f"{mask.shown} has {sizes[0]} pixels, but its photograph {sizes[1]}")
        known = np.zeros(256, bool)
        known[: self.classes] = known[self.void] = True
        if not known[ids].all():
            other = ids[~known[ids]][0]
            raise DataError(
                f"{mask.shown} has the class id {other}, which is none of 0..{self.classes - 1} nor void ({self.void})"
            )
        return pixels, ids


def open_segmented(images: str | Path, masks: str | Path | None = None, *, classes: int, void: int) -> Segmented:
    """Find photographs and their masks.

    Each place is a folder (searched with all below it, tars included) or a tar (.tar, .tar.gz, .tgz). A mask is a PNG
    of the same name as its photograph, in levels of grey or with a palette, of which the levels are class ids.

    Args:
        images: where the photographs lie.
        masks: where their masks lie, under the same names; None: beside the photographs, which then are no PNGs.
        classes, void: as in `Segmented`.

    Raises:
        DataError: a place is not there or cannot be read, a photograph lacks its mask, or a mask its photograph.
    """
    found = _find(Path(images))
    photographs = {name: part for name, files in found.items() if (part := _first(files, beside=masks is None))}
    by_name = found if masks is None else _find(Path(masks))
    drawn = {name: files[_MASK] for name, files in by_name.items() if _MASK in files}
    if not photographs or not drawn:
        what, where = ("masks (.png)", masks or images) if photographs else ("photographs", images)
        raise DataError(f"no {what} found in {where}")
    require_all(masks or images, len(photographs), [name + _MASK for name in photographs if name not in drawn])
    require_all(
        images, len(drawn), [f"the photograph of {part.shown}" for n, part in drawn.items() if n not in photographs]
    )
    return Segmented([Pair(name, part, drawn[name]) for name, part in sorted(photographs.items())], classes, void)


def _first(files: Mapping[str, Part], beside: bool) -> Part | None:
    """The photograph among files of one name; masks may lie beside it."""
    return next((files[suffix] for suffix in SUFFIXES if suffix in files and not (beside and suffix == _MASK)), None)


def _find(place: Path) -> dict[str, dict[str, Part]]:
    """Files by their name without suffix, and by suffix."""
    found: dict[str, dict[str, Part]] = {}
    try:
        for name, suffix, part in _files(place):
            other = found.setdefault(name, {}).setdefault(suffix, part)
            if other is not part and suffix in SUFFIXES:
                raise DataError(f"{part.shown} and {other.shown} have the same name")
    except OSError as error:
        raise DataError(f"cannot read {error.filename or place}: {error.strerror or error}") from error
    return found


def _files(place: Path) -> Iterator[tuple[str, str, Part]]:
    if place.is_dir():
        for name in walk(place):
            if is_tar(name):
                yield from _in_tar(place / name)
            else:
                yield *split_file(Path(name).as_posix()), Part.of(place / name)
    elif is_tar(place.name):
        yield from _in_tar(place)
    else:
        raise DataError(f"{place} is not a folder or tar" if place.exists() else f"{place} does not exist")


def _in_tar(shown: Path) -> Iterator[tuple[str, str, Part]]:
    path = uncompressed(shown)
    with open(path, "rb", buffering=0) as file:
        for member in members(file, shown):
            yield (
                *split_member(member.name),
                Part(f"{shown}:{member.name}", str(path), member.offset, member.size),
            )


def _read(part: Part, decode: Callable[[bytes], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    try:
        return decode(part.read())
    except OSError as error:
        raise DataError(f"cannot read {part.shown}: {error.strerror or error}") from error
    except DamagedPhotoError as error:
        raise DataError(f"{part.shown}: {error}") from error


def _decode_png(data: bytes) -> Mask:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode not in ("1", "L", "P"):
                raise DamagedPhotoError("no mask, for its pixels are not class ids of 8 bits but colours or the like")
            return np.array(image).astype(np.uint8)
    except UnidentifiedImageError as error:  # says where in memory it is
        raise DamagedPhotoError("no PNG") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedPhotoError(str(error)) from error


def _decode_sbd(data: bytes) -> Mask:
    """A mask of the Semantic Boundaries Dataset (Hariharan et al. 2011), read as by torchvision's SBDataset."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DamagedPhotoError("masks in MATLAB's form need scipy: pip install scipy") from error
    try:
        return np.asarray(loadmat(io.BytesIO(data))["GTcls"][0]["Segmentation"][0], np.uint8)
    except Exception as error:  # SciPy raises many kinds on damaged files
        raise DamagedPhotoError("no mask of the Semantic Boundaries Dataset") from error


_DECODERS: dict[str, Callable[[bytes], Mask]] = {_MASK: _decode_png, ".mat": _decode_sbd}
