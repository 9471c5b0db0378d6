import io
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


def test_the_widest_picture_has_no_more_blocks_between_markers_than_jpeg_can_count():
    pixels = np.zeros((80, 65500, 3), np.uint8)
    pixels[:, :, 0] = np.arange(80)[:, None]
    np.testing.assert_array_equal(simplejpeg.decode_jpeg(_written(pixels)), simplejpeg.decode_jpeg(_by_pillow(pixels)))


def test_without_files_in_memory_the_result_is_the_same(monkeypatch):
    monkeypatch.setattr(jpeg, "_STRIP", 640)
    pixels = _picture(90, 70)
    expected = _written(pixels, threads=2)
    monkeypatch.delattr(jpeg.os, "memfd_create")
    assert _written(pixels, threads=2) == expected


def test_what_goes_wrong_in_a_strip_is_raised():
    def painter():
        raise MemoryError

    with pytest.raises(MemoryError):
        write_jpeg(io.BytesIO(), (10, 10), painter, {"quality": 95}, 2)
