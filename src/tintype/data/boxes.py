"""Boxes around objects, and PASCAL VOC's XML annotations that hold them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Boxes(NamedTuple):
    """The objects in one image.

    Attributes:
        corners: (m, 4) float32: left, top, right and bottom pixel, counted from 0. All four belong to the box, which is
            right - left + 1 wide; torchvision's operators want right + 1 and bottom + 1.
        classes: (m,) int64.
        difficult: (m,) bool: objects that count neither for nor against.
        truncated: (m,) bool: objects that go on outside the box.
    """

    corners: NDArray[np.float32]
    classes: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


def read_annotation(path: Path, classes: Sequence[str]) -> Boxes:
    """Read an annotation of a VOC devkit, where pixels are counted from 1.

    torchvision's VOCDetection hands the same file on as nested dictionaries of strings; this takes what is used.

    Args:
        path: of the XML file.
        classes: names, in the order of their ids.

    Raises:
        DataError: the file cannot be read, is damaged, or names another class.
    """
    try:
        objects = ElementTree.parse(path).getroot().findall("object")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is damaged: {error}") from error
    corners = [_corners(path, each) for each in objects]
    names = [_text(each, "name") for each in objects]
    for name in names:
        if name not in classes:
            raise DataError(f"{path} has an object of the class {name!r}, which is none of {', '.join(classes)}")
    return Boxes(
        np.array(corners, np.float32).reshape(-1, 4) - 1,
        np.array([classes.index(name) for name in names], np.int64),
        *(np.array([_text(each, tag) == "1" for each in objects], bool) for tag in ("difficult", "truncated")),
    )


def _corners(path: Path, each: ElementTree.Element) -> list[float]:
    try:
        left, top, right, bottom = (float(_text(each, f"bndbox/{tag}")) for tag in _CORNERS)  # some of 2011 are broken
    except ValueError as error:
        raise DataError(f"{path} is damaged: an object without a box of four numbers") from error
    if not (left <= right and top <= bottom):
        raise DataError(f"{path} is damaged: a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g})")
    return [left, top, right, bottom]


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
