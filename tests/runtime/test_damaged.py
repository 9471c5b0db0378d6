"""Files that are damaged, or made to do damage: each gives a photograph, or one line, and that soon."""

import io
import os
import struct
import time

import numpy as np
import pytest
from PIL import Image

from tintype.runtime import PhotoError
from tintype.runtime.read import count_pages, read_photo
from tintype.runtime.scans import MOST_SCANS

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32), dtype=np.uint8)


def _encoded(format, **options):
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, format, **options)
    return file.getvalue()


def _progressive(scans):
    """A progressive JPEG whose last scan comes so many times more, without pixels."""
    data = _encoded("JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    length = int.from_bytes(data[last + 2 : last + 4], "big")
    return data[:-2] + data[last : last + 2 + length] * scans + data[-2:]


def _refusal(path):
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: ")
    return line


def test_a_jpeg_of_more_scans_than_any_program_writes_is_refused(tmp_path):
    (tmp_path / "few.jpg").write_bytes(_progressive(MOST_SCANS // 2))
    assert read_photo(tmp_path / "few.jpg").codes.shape == NOISE.shape
    (tmp_path / "many.jpg").write_bytes(_progressive(MOST_SCANS))
    assert f"more than {MOST_SCANS} scans" in _refusal(tmp_path / "many.jpg")


def test_what_follows_a_jpeg_is_not_counted(tmp_path):
    """Telephones write short films there."""
    whole = _encoded("JPEG")
    (tmp_path / "x.jpg").write_bytes(whole + b"\xff\xda\0\x02" * (2 * MOST_SCANS))
    (tmp_path / "y.jpg").write_bytes(whole)
    assert np.array_equal(read_photo(tmp_path / "x.jpg").codes, read_photo(tmp_path / "y.jpg").codes)


def _tiff(pages):
    """A TIFF of one pixel, and so many pages that all show it."""
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    size = 2 + len(entries) + 4
    places = [8 + number * size for number in range(1, pages)] + [0]
    return (
        b"II*\0"
        + struct.pack("<I", 8)
        + b"".join(struct.pack("<H", len(tags)) + entries + struct.pack("<I", place) for place in places)
    )


@pytest.mark.parametrize("count", [1, 3])
def test_pages_are_counted(tmp_path, count):
    (tmp_path / "x.tif").write_bytes(_tiff(count))
    assert count_pages(tmp_path / "x.tif") == count


def test_a_tiff_of_very_many_pages_is_refused_soon(tmp_path):
    """Pillow's own count takes an hour for a million of them."""
    (tmp_path / "x.tif").write_bytes(_tiff(200_000))
    begun = time.monotonic()
    assert "more than 5000 pages" in _refusal(tmp_path / "x.tif")
    assert time.monotonic() - begun < 30


def test_a_gif_of_very_many_frames_is_refused_soon(tmp_path):
    whole = _encoded("GIF")
    start = whole.index(b"\x2c")
    (tmp_path / "x.gif").write_bytes(whole[:start] + whole[start:-1] * 20_000 + whole[-1:])
    begun = time.monotonic()
    assert "several frames" in _refusal(tmp_path / "x.gif")
    assert time.monotonic() - begun < 5
    assert os.path.getsize(tmp_path / "x.gif") > 10_000_000


@pytest.mark.parametrize(
    "orientation",
    [
        b'<rdf:Description tiff:Orientation="6',
        b'<rdf:Description tiff:Orientation = "6"/>',
        b"<rdf:Description tiff:Orientation='6'/>",
        b"<rdf:Description><tiff:Orientation >6</tiff:Orientation></rdf:Description>",
        b"<rdf:Description><tiff:Orientation>6</tiff",
    ],
)
def test_no_xmp_turns_what_is_written_however_it_is_put(tmp_path, orientation):
    """Pillow, for one, searches it for a number, whether it is XML or not."""
    (tmp_path / "x.jpg").write_bytes(_encoded("JPEG", xmp=b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + orientation))
    assert b"Orientation" not in (read_photo(tmp_path / "x.jpg").metadata.xmp or b"")
