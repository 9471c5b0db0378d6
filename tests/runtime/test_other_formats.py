"""AVIF, HEIC, cameras' raw files, and TIFF files of several pages."""

import sys

import numpy as np
import pytest
from PIL import Image, features

from runtime.dng import save_dng, scene
from tintype.runtime import PhotoError
from tintype.runtime.formats import can_be_read, output_suffix
from tintype.runtime.read import count_pages, read_photo, read_size

RAMP = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))


def _lightness(path):
    photo = read_photo(path)
    return photo.lightness[photo.codes]


def _close_to_ramp(path):
    Image.fromarray(RAMP).save(path.with_suffix(".png"))
    return np.abs(_lightness(path) - _lightness(path.with_suffix(".png"))).mean() < 1


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read_and_turned_upright(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "x.avif", quality=95)
    assert _close_to_ramp(tmp_path / "x.avif")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RAMP).save(tmp_path / "y.avif", quality=95, exif=exif)
    light = _lightness(tmp_path / "y.avif")
    assert light.shape == (96, 64)
    assert light[-1].mean() - light[0].mean() > 90


def test_heic_is_read_with_its_exif(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x010E] = "Grandmother"
    pillow_heif.from_pillow(Image.fromarray(RAMP)).save(tmp_path / "x.heic", quality=95, exif=exif.tobytes())
    assert _close_to_ramp(tmp_path / "x.heic")
    assert b"Grandmother" in read_photo(tmp_path / "x.heic").metadata.exif


@pytest.mark.parametrize(("name", "library"), [("x.heic", "pillow_heif"), ("x.dng", "rawpy")])
def test_without_its_library_a_format_says_what_to_install(tmp_path, monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(PhotoError, match=f"pip install {library.replace('_', '-')}") as caught:
        read_photo(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_a_raw_file_is_developed_upright_with_more_than_8_bits(tmp_path):
    pytest.importorskip("rawpy")
    photo = read_photo(save_dng(tmp_path / "x.dng", scene()))
    light = photo.lightness[photo.codes]
    assert (np.diff(light[40:60, 8:-8].mean(axis=0)) > 0).all()
    assert light[8:12, 8:12].min() > light[40:60].max()
    assert len(np.unique(photo.codes)) > 256 or photo.codes.dtype == np.uint16
    assert b"Grandfather" in photo.metadata.exif

    turned = read_photo(save_dng(tmp_path / "y.dng", scene(), orientation=6))
    assert turned.codes.shape == (96, 64)
    np.testing.assert_allclose(np.rot90(light, -1), turned.lightness[turned.codes], atol=3)
    assert read_size(tmp_path / "y.dng") == (64, 96)


@pytest.mark.parametrize("content", [b"hello", b"", b"II*\0" + bytes(300)])
def test_what_is_no_raw_file_is_refused_in_one_line(tmp_path, content):
    pytest.importorskip("rawpy")
    (tmp_path / "x.nef").write_bytes(content)
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / "x.nef")
    assert str(caught.value).startswith(f"{tmp_path / 'x.nef'}: ")
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        read_photo(tmp_path / "none.nef")


def test_formats_that_are_only_read_become_png():
    for name in ("a.heic", "a.HEIF", "a.avif", "a.NEF", "a.dng"):
        assert can_be_read(name)
        assert output_suffix(name) == ".png"
    assert not can_be_read("a.txt")


def _pages(path, count=3, **options):
    pages = [Image.fromarray(np.full((20, 30 + 2 * n), 60 * n + 30, np.uint8)) for n in range(count)]
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)


def test_pages_of_a_tiff_are_read_by_number(tmp_path):
    _pages(tmp_path / "x.tif")
    assert count_pages(tmp_path / "x.tif") == 3
    for number in range(3):
        photo = read_photo(tmp_path / "x.tif", page=number)
        assert photo.codes.shape == (20, 30 + 2 * number)
        assert (photo.codes == 60 * number + 30).all()
    with pytest.raises(PhotoError, match="no page 4"):
        read_photo(tmp_path / "x.tif", page=3)


def test_other_formats_have_one_page(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "x.png")
    assert count_pages(tmp_path / "x.png") == 1


def test_previews_in_a_tiff_are_no_pages(tmp_path):
    picture, preview = Image.fromarray(RAMP), Image.fromarray(RAMP[::4, ::4])
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    picture.save(tmp_path / "x.tif", save_all=True, append_images=[preview])
    with Image.open(tmp_path / "x.tif") as image:
        assert image.n_frames == 2
    assert count_pages(tmp_path / "x.tif") == 1
    assert read_photo(tmp_path / "x.tif").codes.shape == RAMP.shape
