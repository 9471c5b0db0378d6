"""What is sent to `tintype serve` in bench/api_load.py: photographs, broken ones, and such as are made to do harm."""

import io
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from runtime.damage import damaged, whole_files

GOOD, BAD, EITHER = ("200",), ("4xx",), ("200", "4xx")  # what may be answered, beside 503
MOST = 20_000_000  # bytes that the server is told to take
_FORM = {"Content-Type": "multipart/form-data; boundary=rand"}


@dataclass(frozen=True)
class Sent:
    """One request.

    Attributes:
        kind: what it is, for the table.
        allowed: answers.
        body: its body.
        query: of its address.
        headers: more of them.
        size: that the picture must have, where that is known.
    """

    kind: str
    allowed: tuple[str, ...]
    body: bytes
    query: str = ""
    headers: dict[str, str] | None = None
    size: tuple[int, int] | None = None


def requests() -> list[tuple[float, Callable[[np.random.Generator], Sent]]]:
    """How often each comes, and what makes it."""
    small, large = _photograph(640, 480), _photograph(4000, 3000)
    formats = {kind: _encoded(small, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP")}
    twelve = _encoded(large, "JPEG")
    whole = list(whole_files().values())
    deep = _encoded(Image.fromarray(np.asarray(small).astype(np.uint16) * 257), "TIFF")

    def good(kind: str, body: bytes, size: tuple[int, int], query: str = "", headers: dict[str, str] | None = None):
        return lambda rng: Sent(kind, GOOD, body, query, headers, size)

    def broken(rng: np.random.Generator) -> Sent:
        data = whole[rng.integers(len(whole))]
        return Sent("damaged", EITHER, damaged(data, rng, whole[rng.integers(len(whole))]))

    def cut(rng: np.random.Generator) -> Sent:
        return Sent("cut short", EITHER, twelve[: rng.integers(1, len(twelve))])

    def harm(rng: np.random.Generator) -> Sent:
        name = str(rng.choice(list(bombs)))
        return Sent(f"bomb: {name}", BAD, bombs[name])

    def wrong(rng: np.random.Generator) -> Sent:
        query, body, headers = wrongs[rng.integers(len(wrongs))]
        return Sent("wrong form", BAD, body, query, headers)

    bombs = _bombs()
    jpeg = formats["JPEG"]
    wrongs = [
        ("", b"", None),
        ("?temperature=hot", jpeg, None),
        ("?saturation=nan", jpeg, None),
        ("?format=exe", jpeg, None),
        ("?colour=red", jpeg, None),
        ("", b"nothing of the kind", _FORM),
        ("", b"x", {"Content-Type": "multipart/form-data"}),
        ("", _form(picture=jpeg), _FORM),
        ("", _form(file=jpeg, format=b"png" * 100_000), _FORM),
        ("", _form(file=jpeg, **{f"field{number}": b"1" for number in range(1000)}), _FORM),
        ("", _form(file=jpeg) + _form(file=jpeg), {"Content-Type": "multipart/form-data; boundary=other"}),
        ("", b'--rand\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n' + b"x: y\r\n" * 9999, _FORM),
    ]
    return [
        *((3, good(f"small {kind}", data, small.size)) for kind, data in formats.items()),
        (4, good("small, form", _form(file=jpeg, format=b"png"), small.size, "", _FORM)),
        (4, good("small, JSON", jpeg, small.size, "?json=1")),
        (3, good("small, 16 bit", deep, small.size, "?format=png")),
        (2, good("one pixel", _encoded(_photograph(1, 1), "PNG"), (1, 1))),
        (2, good("a line", _encoded(_photograph(3000, 1), "PNG"), (3000, 1))),
        (6, good("12 megapixels", twelve, large.size)),
        (0.2, good("50 megapixels", _png(7000, 7000), (7000, 7000), "?format=jpg")),
        (20, broken),
        (4, cut),
        (12, harm),
        (8, wrong),
        (1, lambda rng: Sent("too large", BAD, bytes(MOST + 1))),
        (1, lambda rng: Sent("too large, in parts", BAD, bytes(MOST + 1), "", {"Transfer-Encoding": "chunked"})),
    ]


def _photograph(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (max(1, height // 40), max(1, width // 40)), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.copy().save(file, kind, **options)
    return file.getvalue()


def _form(**fields: bytes) -> bytes:
    parts = []
    for name, value in fields.items():
        file = '; filename="x"' if name in ("file", "picture") else ""
        parts.append(
            f'--rand\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
        )
    return b"".join(parts) + b"--rand--\r\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *chunks: bytes, rows: int | None = None) -> bytes:
    """Black, which gets a thousand times smaller."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj()
    pixels = b"".join(packer.compress(bytes(width + 1)) for _ in range(height if rows is None else rows))
    rest = _chunk(b"IDAT", pixels + packer.flush()) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + rest


def _bombs() -> dict[str, bytes]:
    packed = zlib.compress(bytes(200_000_000))
    tall = struct.pack("<2sI4xIIiiHHII16x", b"BM", 54, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0)
    jpeg = bytearray(_encoded(_photograph(64, 64), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"  # 65500 x 65500
    progressive = _encoded(Image.new("L", (8000, 8000)), "JPEG", progressive=True)
    last = progressive.rfind(b"\xff\xda")
    scan = progressive[last : last + 2 + int.from_bytes(progressive[last + 2 : last + 4], "big")]
    gif = _encoded(Image.new("P", (1, 1)), "GIF")
    start = gif.index(b"\x2c")
    return {
        "PNG of giant dimensions": _png(2**31 - 1, 2**31 - 1, rows=0),
        "PNG of 120 megapixels": _png(12_000, 10_000),
        "PNG's profile": _png(64, 64, _chunk(b"iCCP", b"x\0\0" + packed), rows=0),
        "PNG's text": _png(64, 64, *[_chunk(b"zTXt", b"x\0\0" + packed)] * 4, rows=0),
        "BMP of giant dimensions": tall,
        "JPEG of giant dimensions": bytes(jpeg),
        "JPEG of many scans": progressive[:-2] + scan * 20_000 + progressive[-2:],
        "TIFF of many pages": _tiff(100_000),
        "GIF of many frames": gif[:start] + gif[start:-1] * 200_000 + gif[-1:],
    }


def _tiff(pages: int) -> bytes:
    """A TIFF of one pixel, which so many pages show."""
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    entries = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    places = [8 + number * (len(entries) + 4) for number in range(1, pages)] + [0]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(entries + struct.pack("<I", place) for place in places)
