"""What goes along from the photograph to its colour version: EXIF, XMP and resolution."""

import math
import re
from typing import BinaryIO

from PIL import Image

from tintype.runtime.photo import Metadata

EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
_ORIENTATION = 0x0112
_COLOR_SPACE, _SRGB = 0xA001, 1
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_X_RESOLUTION, _Y_RESOLUTION = 0x011A, 0x011B

# Tags of the first directory that describe the photograph. All others describe how its pixels were stored, and would
# be wrong in another file (in TIFF they stand in the same directory).
_DESCRIPTIVE = {
    0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x011D, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749,
    0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F,
}  # fmt: skip
_XMP_ORIENTATION = rb"""\s*tiff:Orientation\s*=\s*("[^"]*"|'[^']*')|<tiff:Orientation\s*>[^<]*</tiff:Orientation\s*>"""


def read_orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8, of what the loaded picture holds; 1 where there is none or it makes no sense."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF of any brokenness must not keep the photograph from being read
        return 1
    return value if value in range(1, 9) else 1


def read_metadata(picture: Image.Image) -> Metadata:
    """Collects what can be carried over. A part that is damaged is left out."""
    turned = read_orientation(picture) >= 5
    try:
        exif = _exif(picture.getexif(), turned)
    except Exception:
        exif = None
    return Metadata(exif, _xmp(picture), _dpi(picture, turned))


def read_tiff_exif(file: BinaryIO) -> Metadata:
    """EXIF of a file that is TIFF inside, though no picture that Pillow knows, as most raw files are."""
    try:
        exif = Image.Exif()
        exif.load_from_fp(file)
        return Metadata(_exif(exif, exif.get(_ORIENTATION, 1) in range(5, 9)))
    except Exception:
        return Metadata()


def _exif(old: Image.Exif, turned: bool) -> bytes | None:
    new = Image.Exif()
    for tag, value in old.items():
        if tag in _DESCRIPTIVE:
            new[tag] = value
    for ifd in (EXIF_IFD, GPS_IFD):
        if values := dict(old.get_ifd(ifd)):
            values.pop(INTEROP_IFD, None)  # says which colour space the camera's file had
            new.get_ifd(ifd).update(values)
    if not len(new) and not new.get_ifd(EXIF_IFD) and not new.get_ifd(GPS_IFD):
        return None
    details = new.get_ifd(EXIF_IFD)
    if _COLOR_SPACE in details:
        details[_COLOR_SPACE] = _SRGB
    if turned:
        for first, second in ((_PIXEL_WIDTH, _PIXEL_HEIGHT), (_X_RESOLUTION, _Y_RESOLUTION)):
            tags = new if first == _X_RESOLUTION else details
            if first in tags and second in tags:
                tags[first], tags[second] = tags[second], tags[first]
    return new.tobytes()


def _xmp(picture: Image.Image) -> bytes | None:
    xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if not isinstance(xmp, bytes):
        return None
    xmp = re.sub(_XMP_ORIENTATION, b"", xmp)
    return None if b"tiff:Orientation" in xmp else xmp  # damaged, but some programs would turn the picture by it


def _dpi(picture: Image.Image, turned: bool) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and 1 <= value <= 65535 for value in (x, y)):
        return None
    return (y, x) if turned else (x, y)
