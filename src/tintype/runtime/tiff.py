"""EXIF in TIFF files: Pillow writes it into uncompressed ones only, so it is added to compressed ones here."""

import struct
from typing import BinaryIO

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

_XMP = 700
_ENTRY = 12  # bytes


def add_metadata(file: BinaryIO, exif: bytes | None, xmp: bytes | None) -> None:
    """Adds EXIF and XMP to a TIFF file of one picture, open for reading and writing.

    The new tags are appended, then a directory of them and the old ones, to which the header is made to point.
    """
    file.seek(0)
    header = file.read(8)
    order = "<" if header[:2] == b"II" else ">"
    tags = ImageFileDirectory_v2(header)
    if exif:
        source = Image.Exif()
        source.load(exif)
        for tag, value in source.items():
            tags[tag] = source.get_ifd(tag) if tag in (0x8769, 0x8825) else value
    if xmp:
        tags[_XMP] = xmp

    (place,) = struct.unpack(order + "I", header[4:])
    old = _entries(file, place, order)
    block_place = _end(file)
    file.write(tags.tobytes(block_place))
    new = _entries(file, block_place, order)
    directory_place = _end(file)
    entries = [entry for _, entry in sorted((new | old).items())]  # what describes the pixels is the old one's to say
    file.write(struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4))
    file.seek(4)
    file.write(struct.pack(order + "I", directory_place))


def _entries(file: BinaryIO, place: int, order: str) -> dict[int, bytes]:
    """The entries of the directory at a place, by tag."""
    file.seek(place)
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = [file.read(_ENTRY) for _ in range(count)]
    return {struct.unpack(order + "H", entry[:2])[0]: entry for entry in entries}


def _end(file: BinaryIO) -> int:
    """Goes to the end of a file, at an even place, as directories must be."""
    end = file.seek(0, 2)
    file.write(bytes(end % 2))
    return end + end % 2
