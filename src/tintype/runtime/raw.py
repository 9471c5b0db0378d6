"""Cameras' raw files, developed by LibRaw to 16-bit sRGB."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from tintype.runtime.errors import PhotoError
from tintype.runtime.kinds import quiet
from tintype.runtime.metadata import read_tiff_exif
from tintype.runtime.photo import Photo, photo_from_array

_CLIPPED = 0.001  # share of the pixels that brightening may make white


def read_raw(name: str, most: int) -> Photo:
    """Develops a raw file: the camera's white balance, upright, brightened until few pixels are white.

    Args:
        name: its path.
        most: pixels, beyond which it is refused before it is developed.

    Raises:
        PhotoError: LibRaw is not installed, or cannot read it, or it is too large.
    """
    with _opened(name) as raw, _in_words(name):
        width, height = _size(raw)
        if width * height > most:
            raise PhotoError(f"{name}: {width}x{height} is too large; the limit is {most // 10**6} megapixels")
        rgb = raw.postprocess(
            use_camera_wb=True, output_bps=16, gamma=(2.4, 12.92), auto_bright_thr=_CLIPPED, output_color=_srgb()
        )
    with open(name, "rb") as file, quiet():
        metadata = read_tiff_exif(file)
    return replace(photo_from_array(np.ascontiguousarray(rgb)), metadata=metadata)


def raw_size(name: str) -> tuple[int, int]:
    """Width and height as developed. Raises as `read_raw`."""
    with _opened(name) as raw:
        return _size(raw)


def _opened(name: str) -> Any:
    try:
        import rawpy
    except ImportError:
        raise PhotoError(f"{name}: raw files need one more library; run: pip install rawpy") from None
    open(name, "rb").close()  # says what the system says, where it cannot be opened
    with _in_words(name):
        return rawpy.imread(name)


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """LibRaw's errors, which are bytes, as ours."""
    import rawpy

    try:
        yield
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else type(error).__name__
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise PhotoError(f"{name}: no raw file that can be developed, or damaged ({reason})") from None


def _size(raw: Any) -> tuple[int, int]:
    sizes = raw.sizes
    return (sizes.height, sizes.width) if sizes.flip in (5, 6) else (sizes.width, sizes.height)


def _srgb() -> Any:
    import rawpy

    return rawpy.ColorSpace.sRGB
