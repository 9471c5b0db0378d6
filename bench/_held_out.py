"""Colour photographs of a source: those that the bundled model's recipe trains on, and those that it holds out."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tintype.data import DataError, Photo, open_photos
from tintype.evaluate import Photograph
from tintype.evaluate.colour_error import picture_ab
from tintype.evaluate.photograph import grey_of
from tintype.pretrain import load_recipe

GREY = 3.0  # mean chroma, in ab units, under which a photograph counts as grey
SMALLEST = 96  # pixels on the short side


def photographs(source: str, trained: int, held_out: int, seed: int = 0) -> tuple[list[Photograph], list[Photograph]]:
    """Photographs to choose settings with, and others to measure on.

    Args:
        source: a folder, list or tar, as the recipe was given it, so that it is parted in the same way.
        trained: how many of those that the recipe trains on.
        held_out: how many of those that it holds out.
        seed: of the choice. Grey and very small photographs are passed over.
    """
    try:
        parts = open_photos([source]).split(load_recipe("bundled", ()).data.val_fraction)
    except DataError as error:
        raise SystemExit(str(error)) from None
    return _choose(parts[0], trained, seed), _choose(parts[1], held_out, seed)


def _choose(photos: Sequence[Photo], count: int, seed: int) -> list[Photograph]:
    chosen: list[Photograph] = []
    for number in np.random.default_rng(seed).permutation(len(photos)):
        if len(chosen) == count:
            break
        photo = photos[int(number)]
        try:
            with Image.open(io.BytesIO(photo.read())) as image:
                true = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise SystemExit(f"{photo.path}: {error}") from None
        if min(true.shape[:2]) >= SMALLEST and np.hypot(*picture_ab(true)).mean() >= GREY:
            chosen.append(Photograph(Path(photo.key), true, grey_of(true), true.shape[:2]))
    return chosen
