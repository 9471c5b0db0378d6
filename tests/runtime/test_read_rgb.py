"""The colours of a photograph, for whoever measures on it."""

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from tintype.runtime.errors import PhotoError
from tintype.runtime.read import read_photo, read_rgb

COLOURS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_pixels_come_as_they_are_stored(tmp_path, suffix):
    Image.fromarray(COLOURS).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_rgb(tmp_path / f"a.{suffix}"), COLOURS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright_as_pillow_turns_them(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert (orientation == 1) == np.array_equal(expected, COLOURS)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), expected)


def test_alpha_is_left_away(tmp_path):
    alpha = np.full((12, 20, 1), 99, np.uint8)
    Image.fromarray(np.concatenate([COLOURS, alpha], axis=-1)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), COLOURS)


def test_grey_has_three_equal_channels(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), np.repeat(grey[..., None], 3, axis=-1))


def test_sixteen_bit_grey_is_rounded_to_eight(tmp_path):
    grey = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png")[..., 1], grey // 257)


def test_colours_pass_through_the_profile(tmp_path):
    """A Lab colour's sRGB, by LittleCMS, from pixels of a profile whose red and blue are exchanged."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = bytearray(srgb.tobytes())
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ")  # first occurrences: the table of tags
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    Image.fromarray(COLOURS).save(tmp_path / "a.png", icc_profile=bytes(swapped))
    difference = read_rgb(tmp_path / "a.png").astype(int) - COLOURS[..., ::-1]
    assert np.abs(difference).max() <= 2


def test_a_lab_file_is_refused_in_one_line(tmp_path):
    Image.new("LAB", (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(PhotoError, match=r"a\.tif: has Lab pixels; save it as RGB"):
        read_rgb(tmp_path / "a.tif")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\nand no more"])
def test_bad_files_are_refused_with_the_line_of_the_colorizer(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PhotoError) as expected:
        read_photo(path)
    with pytest.raises(PhotoError) as error:
        read_rgb(path)
    assert str(error.value) == str(expected.value)
