"""Cameras' raw files, developed by LibRaw to 16-bit sRGB."""

from typing import Any

import numpy as np
from PIL import Image

from tintype.runtime.errors import PhotoError
from tintype.runtime.kinds import quiet
from tintype.runtime.metadata import read_metadata
from tintype.runtime.photo import Metadata, Photo, photo_from_array

_CLIPPED = 0.001  # share of the pixels that brightening may make white


def read_raw(name: str, most: int) -> Photo:
    """Develops a raw file: the camera's white balance, upright, brightened until few pixels are white.

    Args:
        name: its path.
        most: pixels, beyond which it is refused before it is developed.

    Raises:
        PhotoError: LibRaw is not installed, or cannot read it, or it is too large.
    """
    with _opened(name) as raw:
        width, height = _size(raw)
        if width * height > most:
            raise PhotoError(f"{name}: {width}x{height} is too large; the limit is {most // 10**6} megapixels")
        rgb = raw.postprocess(
            use_camera_wb=True, output_bps=16, gamma=(2.4, 12.92), auto_bright_thr=_CLIPPED, output_color=_srgb()
        )
    photo = photo_from_array(np.ascontiguousarray(rgb))
    return Photo(photo.codes, photo.lightness, None, _metadata(name))


def raw_size(name: str) -> tuple[int, int]:
    """Width and height as developed. Raises as `read_raw`."""
    with _opened(name) as raw:
        return _size(raw)


def _opened(name: str) -> Any:
    try:
        import rawpy
    except ImportError:
        raise PhotoError(f'{name}: raw files need a library more; run: pip install "tintype[raw]"') from None
    open(name, "rb").close()  # says what the system says, where it cannot be opened
    return rawpy.imread(name)


def _size(raw: Any) -> tuple[int, int]:
    sizes = raw.sizes
    return (sizes.height, sizes.width) if sizes.flip in (5, 6) else (sizes.width, sizes.height)


def _srgb() -> Any:
    import rawpy

    return rawpy.ColorSpace.sRGB


def _metadata(name: str) -> Metadata:
    """EXIF, from those raw files that are TIFF inside."""
    try:
        from PIL.TiffImagePlugin import TiffImageFile

        with open(name, "rb") as file, quiet():
            picture: Image.Image = TiffImageFile(file, "")
            found = read_metadata(picture)
    except Exception:  # no TIFF, or a directory that Pillow does not understand: only the pixels are needed
        return Metadata()
    return Metadata(found.exif, found.xmp)
