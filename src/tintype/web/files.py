"""What the formats that pictures are written in are called on the web."""

from PIL import Image

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp", "BMP": "image/bmp"}
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp"}


def own_suffix(path: str) -> str:
    """Of the format that a photograph's colour version has: its own, or PNG where that cannot be written."""
    try:
        with Image.open(path) as image:
            return SUFFIXES.get(str(image.format), ".png")
    except OSError:  # a camera's raw file
        return ".png"
