"""Selective search (Uijlings et al., IJCV 2013) by OpenCV, in its fast mode."""

import ctypes
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError
from tintype.transfer.detect.edges import Edges

MISSING = (
    "selective search needs OpenCV with its contributed modules: pip install opencv-contrib-python-headless; "
    "or give the boxes that come with Fast R-CNN: --set proposals=FOLDER"
)


class Search(NamedTuple):
    """What is kept of the boxes that are found.

    Attributes:
        at_most: boxes of a picture.
        min_side: pixels of a box's shorter side.
        longest: pixels of a picture's longer side to which it is reduced for the search; 0 searches it as it is. VOC's
            pictures have 500.
    """

    at_most: int = 2000
    min_side: int = 16
    longest: int = 500


def require_opencv() -> None:
    """Raises DataError where OpenCV, or its module for selective search, is not installed."""
    try:
        import cv2

        cv2.ximgproc.segmentation.createSelectiveSearchSegmentation  # noqa: B018 (opencv-python lacks it)
    except (ImportError, AttributeError) as error:
        raise DataError(MISSING) from error


def selective_search(rgb: NDArray[np.uint8], search: Search) -> Edges:
    """Boxes that may hold objects, (n, 4), the likelier ones first.

    The same picture always gives the same boxes; on Windows, more than `at_most` of them are cut by chance.

    Args:
        rgb: (h, w, 3).
        search: what is kept.
    """
    import cv2

    height, width = rgb.shape[:2]
    scale = min(1.0, search.longest / max(height, width)) if search.longest else 1.0
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    bgr: Any = np.ascontiguousarray(rgb[..., ::-1])
    if small != (width, height):
        bgr = cv2.resize(bgr, small, interpolation=cv2.INTER_AREA)
    cv2.setNumThreads(1)  # pictures are searched side by side
    if os.name == "posix":
        ctypes.CDLL(None).srand(0)  # OpenCV orders boxes by C's rand()
    searcher = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    searcher.setBaseImage(bgr)
    searcher.switchToSelectiveSearchFast()
    found = np.asarray(searcher.process(), np.float32).reshape(-1, 4)  # left, top, width, height
    edges = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
    edges *= np.tile(np.array([width / small[0], height / small[1]], np.float32), 2)
    return tidy(edges, search)


def tidy(edges: Edges, search: Search) -> Edges:
    """Boxes in their order, without those that are too small or there already, `at_most` of them."""
    sides = edges[:, 2:] - edges[:, :2]
    edges = edges[(sides >= search.min_side).all(axis=1)]
    _, first = np.unique(edges, axis=0, return_index=True)
    return edges[np.sort(first)[: search.at_most]]
