"""Keeps libtiff, by which Pillow decodes TIFF pictures, from writing on the terminal what it thinks of them."""

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path

import PIL


@cache
def hush() -> None:
    """Takes libtiff's handlers of errors and warnings away, where its library can be found: what is wrong with a file
    is raised by Pillow as well."""
    beside = Path(PIL.__file__).parent
    places = [*beside.parent.glob("pillow.libs/libtiff*"), *beside.glob(".dylibs/libtiff*")]
    system = ctypes.util.find_library("tiff")
    for place in [str(place) for place in places] or ([system] if system else []):
        try:
            library = ctypes.CDLL(place)
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                setter = getattr(library, name)
                setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
                setter(None)
        except (OSError, AttributeError):
            continue
