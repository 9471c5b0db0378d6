import io
import time
from itertools import pairwise

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageCms

from tintype.runtime import jpeg
from tintype.runtime.jpeg import write_jpeg


def _picture(height, width):
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 20, (height, width))
    return np.stack([x * 3 + noise, y * 5 + noise, x + y], axis=-1).astype(np.uint8)


def _written(pixels, threads=1, **options):
    file = io.BytesIO()
    painter = lambda: lambda y0, y1: Image.fromarray(pixels[y0:y1])  # noqa: E731
    write_jpeg(file, pixels.shape[:2], painter, {"quality": 95, **options}, threads)
    return file.getvalue()


def _by_pillow(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling="4:4:4", **options)
    return file.getvalue()


@pytest.mark.parametrize("strip", [1, 2000, 10_000_000])
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (16, 24), (203, 131), (129, 8), (7, 300), (1000, 3)])
def test_strips_joined_are_the_picture_that_pillow_writes_at_once(shape, strip, monkeypatch):
    """Decoded by two programs, as one decoder may forgive what another does not."""
    monkeypatch.setattr(jpeg, "_STRIP", strip)
    pixels = _picture(*shape)
    ours, pillows = _written(pixels, threads=3), _by_pillow(pixels)
    for decode in (lambda blob: np.asarray(Image.open(io.BytesIO(blob))), simplejpeg.decode_jpeg):
        np.testing.assert_array_equal(decode(ours), decode(pillows))


def test_a_small_picture_is_written_byte_for_byte_as_by_pillow():
    pixels = _picture(60, 90)
    assert _written(pixels) == _by_pillow(pixels)


def test_the_header_is_the_whole_pictures(monkeypatch):
    monkeypatch.setattr(jpeg, "_STRIP", 640)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[270] = "x" * 50_000
    options = {"icc_profile": profile, "exif": exif.tobytes(), "dpi": (300, 300)}
    blob = _written(_picture(100, 80), **options)
    with Image.open(io.BytesIO(blob)) as image:
        assert image.size == (80, 100)
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == (300, 300)
        assert image.getexif()[270] == "x" * 50_000
    assert blob.count(b"Exif") == blob.count(b"JFIF") == 1


def test_restart_markers_count_on_from_strip_to_strip(monkeypatch):
    monkeypatch.setattr(jpeg, "_STRIP", 1)  # a row of blocks each
    blob = _written(_picture(8 * 11, 16))
    markers = [second for first, second in pairwise(blob) if first == 0xFF and second & 0xF8 == 0xD0]
    assert markers == [0xD0 + n % 8 for n in range(10)]


@pytest.mark.parametrize("width", [1, 5000, 65500])
def test_there_are_never_more_blocks_between_markers_than_jpeg_can_count(width):
    pixels = np.zeros((8 * 1030 if width == 5000 else 80, width, 3), np.uint8)
    pixels[:, :, 0] = np.arange(len(pixels))[:, None] % 256
    np.testing.assert_array_equal(simplejpeg.decode_jpeg(_written(pixels)), simplejpeg.decode_jpeg(_by_pillow(pixels)))


@pytest.mark.parametrize("system", ["has none", "refuses"])
def test_without_files_in_memory_the_result_is_the_same(monkeypatch, system):
    monkeypatch.setattr(jpeg, "_STRIP", 640)
    pixels = _picture(90, 70)
    expected = _written(pixels, threads=2)

    def refuse(name):
        raise PermissionError

    if system == "refuses":
        monkeypatch.setattr(jpeg.os, "memfd_create", refuse)
    else:
        monkeypatch.delattr(jpeg.os, "memfd_create")
    assert _written(pixels, threads=2) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_what_goes_wrong_in_a_strip_is_raised_and_the_rest_is_not_begun(threads, monkeypatch):
    monkeypatch.setattr(jpeg, "_STRIP", 1)
    begun = []

    def rows(y0, y1):
        begun.append(y0)
        if y0 == 0:
            raise MemoryError
        time.sleep(0.05)
        return Image.new("RGB", (16, y1 - y0))

    file = io.BytesIO()
    with pytest.raises(MemoryError):
        write_jpeg(file, (8 * 100, 16), lambda: rows, {"quality": 95}, threads)
    assert len(begun) < 10
    assert not file.getvalue()
