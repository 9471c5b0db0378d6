"""The formats that pictures are read from and written in, by suffix. Needs no library: listing folders is quick."""

import os

FORMATS = {  # suffix: Pillow's name
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
}
DEEP = {"PNG", "TIFF"}  # may have 16 bits a channel
RAW = {".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"}  # of cameras
READ_ONLY = {".heic", ".heif", ".avif", *RAW}

FILMS = {  # suffix: FFmpeg's name
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
OTHER_FILMS = (
    ".avi",
    ".mpg",
    ".mpeg",
    ".mts",
    ".m2ts",
    ".wmv",
    ".flv",
    ".ogv",
    ".3gp",
    ".dv",
    ".vob",
    ".mxf",
)  # read only


def is_film(path: str) -> bool:
    """Whether the suffix of a path means a film."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix in FILMS or suffix in OTHER_FILMS


def has_format(path: str) -> bool:
    """Whether the suffix of a path means a format that is read and written."""
    return os.path.splitext(path)[1].lower() in FORMATS


def has_16_bits(path: str) -> bool:
    """Whether the suffix of a path means a format that is written with 16 bits a channel, if wanted."""
    return FORMATS.get(os.path.splitext(path)[1].lower()) in DEEP


def can_be_read(path: str) -> bool:
    """Whether the suffix of a path means a photograph."""
    return has_format(path) or os.path.splitext(path)[1].lower() in READ_ONLY


def output_suffix(source: str) -> str:
    """The suffix that the colour version of a photograph should have: its own where that can be written, else .png.

    Films that cannot be written in their own format become .mkv, which holds nearly everything.
    """
    if is_film(source):
        suffix = os.path.splitext(source)[1]
        return suffix if suffix.lower() in FILMS else ".mkv"
    return os.path.splitext(source)[1] if has_format(source) else ".png"
