"""Whole files of every format that is read, what may befall them, and what must come of it."""

import io
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageCms, features

from runtime.dng import save_dng, scene
from tintype.runtime import PhotoError
from tintype.runtime.icc import srgb_profile
from tintype.runtime.read import count_pages, read_photo
from tintype.runtime.write import write_photo

_GREY = Image.linear_gradient("L").resize((48, 40))
_COLOUR = Image.merge("RGB", [_GREY, _GREY.rotate(180), _GREY.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="A"/></x:xmpmeta>'
_EXTREMES = 0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF
OUTPUTS = ("x.jpg", 8), ("x.png", 8), ("x.tif", 8), ("x.webp", 8), ("x.bmp", 8), ("x.png", 16), ("x.tif", 16)


def whole_files():
    """Name, whose suffix is the format's, to content."""
    exif = _exif()
    tags = {"exif": exif, "icc_profile": srgb_profile()}
    grey16 = Image.fromarray(np.asarray(_GREY).astype(np.uint16) * 257)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    made = {
        "grey.jpg": _saved(_GREY, "JPEG"),
        "colour.jpg": _saved(_COLOUR, "JPEG", dpi=(300, 300), xmp=_XMP, **tags),
        "cmyk.jpg": _saved(_COLOUR.convert("CMYK"), "JPEG", icc_profile=lab),
        "progressive.jpg": _saved(_COLOUR, "JPEG", progressive=True, subsampling=0, **tags),
        "views.jpg": _saved(_COLOUR, "MPO", save_all=True, append_images=[_COLOUR.copy()]),
        "1 bit.png": _saved(_GREY.convert("1"), "PNG"),
        "grey.png": _saved(_GREY, "PNG", dpi=(72, 72)),
        "16 bit.png": _saved(grey16, "PNG"),
        "palette.png": _saved(_COLOUR.quantize(16), "PNG", transparency=3),
        "alpha.png": _saved(_COLOUR.convert("RGBA"), "PNG", **tags),
        "16 bit.tif": _saved(grey16, "TIFF"),
        "pages.tif": _saved(_GREY, "TIFF", save_all=True, append_images=[_COLOUR.copy(), _GREY.copy()]),
        "lzw.tif": _saved(_COLOUR, "TIFF", compression="tiff_lzw", tiffinfo={317: 2, 700: _XMP}),
        "deflate.tif": _saved(_COLOUR, "TIFF", compression="tiff_adobe_deflate", icc_profile=srgb_profile()),
        "packbits.tif": _saved(_COLOUR.quantize(16), "TIFF", compression="packbits"),
        "fax.tif": _saved(_GREY.convert("1"), "TIFF", compression="group4"),
        "jpeg.tif": _saved(_COLOUR, "TIFF", compression="jpeg"),
        "exif.tif": _saved(_COLOUR, "TIFF", exif=exif),
        "lab.tif": _saved(_COLOUR.convert("CMYK"), "TIFF"),
        "tiles.tif": _tiles(),
        "deep.tif": _deep(),
        "lossy.webp": _saved(_COLOUR, "WEBP", xmp=_XMP, **tags),
        "lossless.webp": _saved(_COLOUR.convert("RGBA"), "WEBP", lossless=True),
        "colour.bmp": _saved(_COLOUR, "BMP"),
        "palette.bmp": _saved(_COLOUR.quantize(16), "BMP"),
        "palette.gif": _saved(_COLOUR.quantize(64), "GIF"),
        "film.gif": _saved(_COLOUR.quantize(16), "GIF", save_all=True, append_images=[_GREY.quantize(8)]),
    }
    if features.check("avif"):
        made["colour.avif"] = _saved(_COLOUR, "AVIF", xmp=_XMP, **tags)
    if find_spec("pillow_heif"):
        import pillow_heif

        file = io.BytesIO()
        pillow_heif.from_pillow(_COLOUR).save(file, exif=exif.tobytes())
        made["colour.heic"] = file.getvalue()
    if find_spec("rawpy"):
        with TemporaryDirectory() as folder:
            made["camera.dng"] = save_dng(Path(folder) / "x.dng", scene()).read_bytes()
    return made


def odd_metadata(rng):
    """A whole picture, of one of the formats that hold such, with a profile, EXIF and XMP that are damaged."""
    format = str(rng.choice(["JPEG", "PNG", "TIFF", "WEBP"]))
    mode = str(rng.choice(["L", "RGB", "CMYK"])) if format in ("JPEG", "TIFF") else str(rng.choice(["L", "RGB"]))
    profiles = [srgb_profile(), ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
    exif, profile, xmp = (damaged(data, rng) for data in (_exif().tobytes(), profiles[rng.integers(2)], _XMP))
    if format == "PNG":
        text = "".join(chr(byte) for byte in xmp)
        return ".png", _png_with(_saved(_COLOUR.convert(mode), "PNG", icc_profile=profile), exif, text)
    if format == "TIFF":
        return ".tif", _saved(_COLOUR.convert(mode), "TIFF", icc_profile=profile, tiffinfo={700: xmp})
    return f".{format.lower()}", _saved(_COLOUR.convert(mode), format, icc_profile=profile, exif=exif, xmp=xmp)


def damaged(data, rng, other=b""):
    """Bytes with one to three accidents: cut short, bits turned, numbers made extreme, parts moved, doubled or lost.

    Args:
        data: a file.
        rng: a numpy generator, which alone decides what happens.
        other: a file of which parts may get in.
    """
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        size = len(damaged)
        if size < 16:
            break
        reach = size if rng.random() < 0.5 else min(size, 600)  # headers
        place, length = int(rng.integers(0, reach)), int(rng.integers(1, max(2, size // 8)))
        what = rng.integers(0, 7)
        if what == 0:
            del damaged[max(8, place) :]
        elif what == 1:
            for there in rng.integers(0, reach, rng.integers(1, 9)):
                damaged[there] ^= 1 << int(rng.integers(0, 8))
        elif what == 2:
            width, order = int(rng.choice([1, 2, 4])), str(rng.choice(["big", "little"]))
            number = int(rng.choice([*_EXTREMES, size])) % (1 << 8 * width)
            damaged[place : place + width] = number.to_bytes(width, order)
        elif what == 3:
            del damaged[place : place + length]
        elif what == 4:
            damaged[place:place] = damaged[place : place + length]
        elif what == 5:
            there = int(rng.integers(0, size))
            part = damaged[there : there + length]
            damaged[place : place + len(part)] = part
        elif other:
            there = int(rng.integers(0, len(other)))
            damaged[place:place] = other[there : there + length]
    if damaged[:4] == b"\x89PNG" and rng.random() < 0.8:
        damaged = _with_sums(damaged)
    return bytes(damaged)


def outcome(path, folder, output):
    """What comes of a file: "read", or "refused" in one line that names it. Raises AssertionError, or whatever comes.

    Args:
        path: the file.
        folder: where its metadata are written to, in another picture that is then read.
        output: one of OUTPUTS.
    """
    try:
        assert count_pages(path) >= 1
        photo = read_photo(path, page=0)
    except (PhotoError, OSError) as error:
        (line,) = str(error).splitlines()
        if str(path) not in line:
            raise
        return "refused"
    assert photo.codes.ndim == 2
    assert photo.codes.size
    assert np.isfinite(photo.lightness).all()
    assert photo.lightness.min() >= -0.01
    assert photo.lightness.max() <= 100.01
    name, depth = output
    write_photo(_Grey(), False, photo.metadata, Path(folder) / name, True, depth=depth)
    assert read_photo(Path(folder) / name).codes.shape == _Grey.shape
    return "read"


class _Grey:
    """In the place of a picture that is made."""

    shape = 20, 30

    def pixels(self, threads):
        return np.full(self.shape, 0xFF808080, np.uint32)

    def painter(self, wide=False):
        return lambda y0, y1, out: out.fill(0x8080 if wide else 0xFF808080)


def _exif():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x0131], exif[0x011A] = 6, "a description", "a program", 300.0
    exif.get_ifd(0x8769).update({0x9003: "1911:11:11 11:11:11", 0x829A: 0.01, 0xA002: 48, 0x927C: b"maker" * 9})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 3.5)})
    return exif


def _saved(image, format, **options):
    file = io.BytesIO()
    image.copy().save(file, format, **options)  # a copy: JPEG's settings stay with the image that was saved
    return file.getvalue()


def tiff(tags, data):
    """A TIFF file whose pixels begin at byte 8, of tags: number, kind (3 or 4, of 16 and 32 bits), values."""
    place, more = 8 + len(data), b""
    behind = place + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, more = struct.pack("<I", behind + len(more)), more + packed
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", place) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + more


def _tiles():
    tags = [(256, 3, [48]), (257, 3, [40]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1]), (277, 3, [1])]
    places = [8 + 256 * number for number in range(9)]
    tags += [(322, 3, [16]), (323, 3, [16]), (324, 4, places), (325, 4, [256] * 9)]
    return tiff(tags, bytes(range(256)) * 9)


def _deep():
    """RGB of 16 bits a channel by Deflate, in strips of 16 rows."""
    rows = np.repeat(np.asarray(_GREY).astype("<u2")[..., None] * 257, 3, axis=-1)
    strips = [zlib.compress(rows[top : top + 16].tobytes()) for top in range(0, 40, 16)]
    places = [8 + sum(map(len, strips[:number])) for number in range(3)]
    tags = [(256, 3, [48]), (257, 3, [40]), (258, 3, [16] * 3), (259, 3, [8]), (262, 3, [2]), (273, 4, places)]
    tags += [(277, 3, [3]), (278, 3, [16]), (279, 4, [len(strip) for strip in strips]), (284, 3, [1])]
    return tiff(tags, b"".join(strips))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_with(png, exif, text):
    added = _chunk(b"eXIf", exif) + _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text.encode())
    return png[:33] + added + png[33:]


def _with_sums(png):
    """A PNG whose chunks have the check sums that they should have, so that their content is looked at."""
    png, place = bytearray(png), 8
    while place + 12 <= len(png):
        length = min(int.from_bytes(png[place : place + 4], "big"), len(png) - place - 12)
        end = place + 8 + length
        png[end : end + 4] = zlib.crc32(png[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return png
