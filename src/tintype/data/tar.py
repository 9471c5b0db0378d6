"""Where the members of a tar lie, so that they can be read at random.

The standard library's tarfile takes three times as long for each member, and takes a damaged header for the end.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tintype.data.errors import DataError

_BLOCK = 512
_FILES = (b"0", b"\0", b"7")
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders


class Member(NamedTuple):
    """A regular file in a tar: its name, and where its bytes lie."""

    name: str
    offset: int
    size: int


def members(file: BinaryIO, shown: object) -> Iterator[Member]:
    """The regular files in an uncompressed tar (ustar, GNU or pax), in order. Hidden ones are left out.

    Args:
        file: the tar, open; between two members it may be read elsewhere.
        shown: its name in messages.

    Raises:
        DataError: not a tar, or damaged.
    """
    end = file.seek(0, 2)
    offset = 0
    override: dict[str, str] = {}
    while header := _read(file, offset, _BLOCK):
        if not any(header):
            return
        if not _is_header(header):
            what = f"is damaged: no header at byte {offset}" if offset else "is not a tar"
            raise DataError(f"{shown} {what}")
        kind = header[156:157]
        damaged = DataError(f"{shown} is damaged: no sense in its header at byte {offset}")
        try:
            size = 0 if kind in _WITHOUT_DATA else int(override.get("size") or _number(header[124:136]))
        except ValueError:
            raise damaged from None
        if size < 0:
            raise damaged
        data = offset + _BLOCK
        if data + size > end:
            raise DataError(f"{shown} is damaged: cut short at byte {end}")
        offset = data + -(-size // _BLOCK) * _BLOCK
        if kind == b"L":  # GNU: the next member's name
            override["path"] = _text(_read(file, data, size))
        elif kind == b"x":  # pax: the next member's attributes
            try:
                override.update(_records(_read(file, data, size)))
            except ValueError:
                raise damaged from None
        elif kind != b"g":
            name = override.get("path") or _name(header)
            hidden = name.rpartition("/")[2].startswith(".")
            if kind in _FILES and not name.endswith("/") and not hidden:
                yield Member(name, data, size)
            override = {}
    if offset == 0:
        raise DataError(f"{shown} is empty, not a tar")


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _is_header(header: bytes) -> bool:
    if len(header) < _BLOCK:
        return False
    try:
        checksum = _number(header[148:156])
    except ValueError:
        return False
    return sum(header) - sum(header[148:156]) + 8 * ord(" ") == checksum


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # too large for octal
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _records(data: bytes) -> dict[str, str]:
    """pax attributes: records of the form "LENGTH KEY=VALUE\\n". Raises ValueError where they are not."""
    records = {}
    while data:
        digits, _, _ = data.partition(b" ")
        length = int(digits)
        if not len(digits) < length <= len(data):
            raise ValueError
        record = data[len(digits) + 1 : length - 1]
        key, _, value = record.decode("utf-8", "surrogateescape").partition("=")
        records[key] = value
        data = data[length:]
    return records
