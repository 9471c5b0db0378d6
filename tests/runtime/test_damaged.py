"""Files that are damaged, or made to do damage: each gives a photograph, or one line, and that soon."""

import io
import os
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from runtime.damage import OUTPUTS, damaged, odd_metadata, outcome, tiff, whole_files
from tintype.runtime import PhotoError
from tintype.runtime.read import count_pages, read_photo
from tintype.runtime.scans import MOST_SCANS

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32), dtype=np.uint8)


@pytest.fixture(scope="module")
def whole():
    return whole_files()


def test_whole_files_of_every_format_are_read(whole, tmp_path):
    """Or else damage done to them would mean little."""
    came = {}
    for number, (name, data) in enumerate(whole.items()):
        (tmp_path / name).write_bytes(data)
        came[name] = outcome(tmp_path / name, tmp_path, OUTPUTS[number % len(OUTPUTS)])
    assert [name for name, what in came.items() if what != "read"] == ["film.gif"]


def test_damaged_files_are_refused_in_one_line_or_read_and_written(whole, tmp_path):
    """Some of what bench/decoder_fuzz.py tries by the ten thousand."""
    rng = np.random.default_rng(0)
    came = []
    for number in range(6):
        for name, data in whole.items():
            path = tmp_path / name
            path.write_bytes(damaged(data, rng, whole["colour.jpg"]))
            came.append(outcome(path, tmp_path, OUTPUTS[number]))
    assert 0.1 < came.count("read") / len(came) < 0.9


def test_damaged_metadata_keep_no_picture_from_being_read_and_written(tmp_path):
    rng = np.random.default_rng(1)
    for number in range(40):
        suffix, data = odd_metadata(rng)
        (tmp_path / f"odd{suffix}").write_bytes(data)
        assert outcome(tmp_path / f"odd{suffix}", tmp_path, OUTPUTS[number % len(OUTPUTS)]) == "read"


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
    begun = time.process_time()
    assert "more than 5000 pages" in _refusal(tmp_path / "x.tif")
    assert time.process_time() - begun < 10


def test_a_gif_of_very_many_frames_is_refused_soon(tmp_path):
    whole = _encoded("GIF")
    start = whole.index(b"\x2c")
    (tmp_path / "x.gif").write_bytes(whole[:start] + whole[start:-1] * 20_000 + whole[-1:])
    begun = time.process_time()
    assert "several frames" in _refusal(tmp_path / "x.gif")
    assert time.process_time() - begun < 5
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


def test_a_strip_that_is_the_whole_picture_takes_little_more_memory_than_its_pixels(tmp_path):
    """By Deflate it may be a thousand times smaller in the file."""
    side = 1500
    strip = zlib.compress(bytes(6 * side * side))
    tags = [(256, 4, [side]), (257, 4, [side]), (258, 3, [16] * 3), (259, 3, [8]), (262, 3, [2]), (273, 4, [8])]
    tags += [(277, 3, [3]), (278, 4, [side]), (279, 4, [len(strip)]), (284, 3, [1])]
    (tmp_path / "x.tif").write_bytes(tiff(tags, strip))
    read_photo(tmp_path / "x.tif")  # makes the tables
    tracemalloc.start()
    try:
        assert read_photo(tmp_path / "x.tif").codes.shape == (side, side)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * (2 * 6 + 2 + 1) * side * side  # the strip, twice when zlib joins it, lightness and alpha
