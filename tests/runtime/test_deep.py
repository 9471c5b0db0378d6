"""Colour TIFF with 16 bits a channel."""

import struct

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from runtime.test_read import _refusal, _wide_profile
from tintype.runtime import PhotoError
from tintype.runtime.read import read_photo

tifffile = pytest.importorskip("tifffile")
RGB = np.random.default_rng(0).integers(0, 65536, (53, 70, 3)).astype(np.uint16)


def _lightness(path):
    photo = read_photo(path)
    return photo.lightness[photo.codes]


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_all_16_bits_are_read(tmp_path, byteorder, compression):
    options = {"compression": compression, "rowsperstrip": 7}
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", byteorder=byteorder, **options)
    np.testing.assert_allclose(_lightness(tmp_path / "x.tif"), rgb2lab(RGB / 65535)[..., 0], atol=0.02)


def test_steps_of_one_level_are_seen(tmp_path):
    ramp = np.arange(30000, 30900, 3, dtype=np.uint16)[None].repeat(4, axis=0)
    tifffile.imwrite(tmp_path / "x.tif", np.dstack([ramp, ramp, ramp // 2]), photometric="rgb")
    assert (np.diff(_lightness(tmp_path / "x.tif")[0]) > 0).mean() > 0.99


def test_our_own_16_bit_output_is_read_back(tmp_path):
    """Deflate, with differences, strips and alpha; the lightness is that of the photograph before."""
    from tintype.runtime.merge import Merge
    from tintype.runtime.photo import Metadata, Photo, photo_from_array
    from tintype.runtime.write import write_photo

    levels = np.random.default_rng(1).integers(0, 65536, (600, 700)).astype(np.uint16)
    alpha = np.random.default_rng(2).integers(0, 256, levels.shape, dtype=np.uint8)
    photo = photo_from_array(levels)
    offset = np.array([10, 15], np.float32).reshape(2, 1, 1)
    picture = Merge(Photo(photo.codes, photo.lightness, alpha), 0 * offset, offset, 4096, 1.0)
    write_photo(picture, True, Metadata(), tmp_path / "x.tif", False, 2, 16)
    back = read_photo(tmp_path / "x.tif", 2)
    assert np.array_equal(back.alpha, alpha)
    np.testing.assert_allclose(back.lightness[back.codes], photo.lightness[levels], atol=0.02)


def test_it_goes_through_its_profile(tmp_path):
    rng = np.random.default_rng(3)
    pale = rng.integers(60, 200, (53, 70, 1)) + rng.integers(-25, 25, (53, 70, 3))  # inside of sRGB's gamut
    for name, levels in (("deep", (pale * 257).astype(np.uint16)), ("shallow", pale.astype(np.uint8))):
        tifffile.imwrite(tmp_path / f"{name}.tif", levels, photometric="rgb", iccprofile=_wide_profile())
    deep, shallow = (_lightness(tmp_path / f"{name}.tif") for name in ("deep", "shallow"))
    assert np.abs(deep - shallow).max() < 0.6  # LittleCMS has 8 bits here
    assert np.abs(deep - rgb2lab(pale / 255)[..., 0]).max() > 1.5


def test_the_orange_of_colour_film_is_seen(tmp_path):
    grey = np.random.default_rng(0).integers(20000, 65000, (300, 400, 1))
    for name, mask in (("film", (1, 0.6, 0.35)), ("print", (1, 0.95, 0.85))):
        levels = (grey * np.array(mask)).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.tif", levels, photometric="rgb", rowsperstrip=11)
        assert read_photo(tmp_path / f"{name}.tif", 2).orange == (name == "film")


def test_it_is_turned_upright(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    wanted = np.rot90(rgb2lab(RGB / 65535)[..., 0], -1)
    np.testing.assert_allclose(_lightness(tmp_path / "x.tif"), wanted, atol=0.02)


def test_one_that_is_cut_short_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb")
    data = (tmp_path / "x.tif").read_bytes()
    (tmp_path / "x.tif").write_bytes(data[: len(data) - 5000])
    with pytest.raises(PhotoError, match="not complete") as caught:
        read_photo(tmp_path / "x.tif")
    assert str(caught.value).startswith(f"{tmp_path / 'x.tif'}: ")


def test_damaged_tags_are_refused_or_read(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", RGB, photometric="rgb", rowsperstrip=7)
    whole = (tmp_path / "x.tif").read_bytes()
    (place,) = struct.unpack("<I", whole[4:8])
    rng = np.random.default_rng(0)
    for _ in range(80):
        data = bytearray(whole)
        for at in rng.integers(place, place + 200, 4):
            data[at] = rng.integers(0, 256)
        assert "\n" not in (_refusal(tmp_path / "x.tif", data) or "")


def test_other_kinds_are_read_as_before(tmp_path):
    levels = (RGB // 257).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "x.tif")
    np.testing.assert_allclose(_lightness(tmp_path / "x.tif"), rgb2lab(levels)[..., 0], atol=0.02)
