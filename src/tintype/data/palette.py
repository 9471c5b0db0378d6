"""Masks as palette PNGs in the colours of the PASCAL VOC devkit, which viewers show and its tools read."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def voc_colours() -> NDArray[np.uint8]:
    """The devkit's colour of each class id, (256, 3) RGB (VOClabelcolormap.m): 0 is black, 255 (void) cream.

    The id's bits, from the lowest, go to red, green and blue in turn, to their highest bits first.
    """
    ids = np.arange(256)[:, None]
    colours = np.zeros((256, 3), np.int64)
    for place in range(8):
        colours |= (ids >> (3 * place + np.arange(3)) & 1) << (7 - place)
    return colours.astype(np.uint8)


def write_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    """Write a mask as a palette PNG that holds the class ids, coloured as VOC's own.

    The file is replaced if it is there, and has its name only once it is complete.

    Args:
        path: of the PNG.
        mask: class ids, (h, w).

    Raises:
        OSError: it cannot be written.
    """
    image = Image.fromarray(mask)
    image.putpalette(voc_colours().tobytes())
    partial = path.with_name(f".{path.name}.part")
    try:
        image.save(partial, "PNG")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
