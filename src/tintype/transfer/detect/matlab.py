"""Proposals as they come with Fast R-CNN (selective_search_data, of Girshick): voc_2007_trainval.mat and others."""

from pathlib import Path

import numpy as np

from tintype.data.errors import DataError
from tintype.transfer.detect.edges import Edges, from_corners


def read_matlab(path: Path) -> dict[str, Edges]:
    """The boxes of each picture, by its name.

    The file has two lists: `images`, names, and `boxes`, (n, 4) of each: top, left, bottom and right pixel, counted
    from 1.

    Raises:
        DataError: the file cannot be read, or is no such file, or scipy is not installed.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError(f"{path}: boxes in MATLAB's form need scipy: pip install scipy") from error
    try:
        held = loadmat(path, variable_names=["images", "boxes"])
        names = [str(np.squeeze(name)) for name in held["images"].ravel()]
        boxes = [np.asarray(each, np.float64).reshape(-1, 4)[:, [1, 0, 3, 2]] for each in held["boxes"].ravel()]
        return dict(zip(names, (from_corners(each - 1) for each in boxes), strict=True))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # SciPy raises many kinds on damaged files
        raise DataError(f"{path} does not hold lists 'images' and 'boxes', as selective_search_data does") from error
