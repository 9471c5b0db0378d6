"""What the formats that pictures are written in are called on the web, and which one a photograph's picture has."""

from tintype.runtime.formats import RAW

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp", "BMP": "image/bmp"}
SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp"}


def photograph(suffix: str) -> str:
    """What it is called on the disk: cameras' raw files are known by their suffixes, all others by content."""
    suffix = f".{suffix.lower().removeprefix('.')}"
    return f"photograph{suffix if suffix in RAW else ''}"
