"""Stand-in until the runtime's reader is there."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tintype.runtime.errors import PhotoError


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3)."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{path}: {error}") from error
