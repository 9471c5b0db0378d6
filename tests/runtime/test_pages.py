"""16 bits a channel, and TIFF files of several pages."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb

from tintype.runtime import PhotoError
from tintype.runtime.merge import Merge
from tintype.runtime.pages import Page, write_pages
from tintype.runtime.photo import Metadata, Photo, even_lightness, photo_from_array
from tintype.runtime.read import read_photo
from tintype.runtime.write import check_depth, write_photo

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description dc:title="A"/></x:xmpmeta>'


def _merge(photo, a, b):
    offset = np.array([a, b], np.float32).reshape(2, 1, 1)
    return Merge(photo, np.zeros((2, 1, 1), np.float32), offset, 4096, 1.0)


def _read_16_bit(path):
    """By other readers than Pillow, which has 8 bits of these."""
    if path.suffix == ".tif":
        return pytest.importorskip("tifffile").imread(path)
    cv2 = pytest.importorskip("cv2")
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]]


def _metadata():
    exif = Image.Exif()
    exif[0x010E] = "Grandmother"
    exif.get_ifd(0x8769)[0x9003] = "1931:05:17 12:00:00"
    return Metadata(exif.tobytes(), XMP, (300.0, 600.0))


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_16_bits_are_those_that_scikit_image_has(tmp_path, suffix):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 65536, (70, 90)).astype(np.uint16)
    write_photo(
        _merge(Photo(codes, even_lightness(65536)), 6, 9), False, Metadata(), tmp_path / f"x{suffix}", False, 2, 16
    )
    lab = np.dstack([codes / 655.35, np.full(codes.shape, 6.0), np.full(codes.shape, 9.0)])
    wanted = 65535 * lab2rgb(lab)
    inside = (codes / 655.35 > 20) & (codes / 655.35 < 85)  # of the gamut
    assert np.abs(_read_16_bit(tmp_path / f"x{suffix}") - wanted)[inside].max() < 40  # its matrix has 6 digits


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_every_level_of_a_16_bit_scan_stays_distinct_in_lightness(tmp_path, suffix):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    write_photo(_merge(photo_from_array(levels), 12, 20), False, Metadata(), tmp_path / f"x{suffix}", False, 1, 16)
    rgb = _read_16_bit(tmp_path / f"x{suffix}").reshape(-1, 3) / 65535
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    luminance = linear @ [0.212671, 0.715160, 0.072169]
    assert len(np.unique(luminance)) == 65536
    grey = photo_from_array(levels).lightness[levels].ravel()
    light = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    assert np.abs(light - grey).max() < 0.01


def test_grey_stays_exactly_grey(tmp_path):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    write_photo(_merge(photo_from_array(levels), 0, 0), False, Metadata(), tmp_path / "x.tif", False, 1, 16)
    rgb = _read_16_bit(tmp_path / "x.tif").astype(int)
    assert (np.ptp(rgb, axis=-1) == 0).all()
    assert np.abs(rgb[..., 0] - levels).max() <= 1


def test_colours_outside_of_the_gamut_keep_their_lightness(tmp_path):
    levels = np.linspace(2000, 65000, 900).astype(np.uint16)[None]
    write_photo(_merge(photo_from_array(levels), 90, -100), False, Metadata(), tmp_path / "x.tif", False, 1, 16)
    rgb = _read_16_bit(tmp_path / "x.tif") / 65535
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    grey = levels / 65535
    grey = np.where(grey > 0.04045, ((grey + 0.055) / 1.055) ** 2.4, grey / 12.92)
    np.testing.assert_allclose(linear @ [0.212671, 0.715160, 0.072169], grey, atol=2e-4)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("alpha", [False, True])
def test_metadata_and_alpha_go_along_with_16_bits(tmp_path, suffix, alpha):
    levels = np.random.default_rng(0).integers(0, 65536, (31, 37)).astype(np.uint16)
    photo = photo_from_array(levels)
    transparency = np.random.default_rng(1).integers(0, 256, levels.shape, dtype=np.uint8)
    photo = Photo(photo.codes, photo.lightness, transparency if alpha else None)
    target = tmp_path / f"x{suffix}"
    write_photo(_merge(photo, 5, 5), alpha, _metadata(), target, False, 1, 16)
    with Image.open(target) as image:
        image.load()
        assert image.mode == ("RGBA" if alpha else "RGB")
        assert image.getexif()[0x010E] == "Grandmother"
        assert image.getexif().get_ifd(0x8769)[0x9003] == "1931:05:17 12:00:00"
        assert b"sRGB" in image.info["icc_profile"]
        assert tuple(round(float(value)) for value in image.info["dpi"]) == (300, 600)
    assert read_photo(target).metadata.xmp == XMP
    if alpha:
        assert np.array_equal(_read_16_bit(target)[..., 3], transparency.astype(int) * 257)


@pytest.mark.parametrize("depth", [8, 16])
def test_pages_are_those_that_each_would_be_alone(tmp_path, depth):
    rng = np.random.default_rng(0)
    photos = [photo_from_array(rng.integers(0, 256, (700 // n, 500 + n), dtype=np.uint8)) for n in (1, 2, 3)]
    pages = [Page(_merge(photo, 8 * n, -5), False, _metadata()) for n, photo in enumerate(photos)]
    write_pages(lambda: iter(pages), tmp_path / "x.tif", False, 2, depth)
    with Image.open(tmp_path / "x.tif") as image:
        assert image.n_frames == 3
        for number, page in enumerate(pages):
            image.seek(number)
            write_photo(page.picture, False, Metadata(), tmp_path / f"{number}.png", False)
            with Image.open(tmp_path / f"{number}.png") as alone:
                difference = np.asarray(image).astype(int) - np.asarray(alone)
            assert np.abs(difference).max() <= (0 if depth == 8 else 2)  # Pillow cuts 16 bits off
            assert image.getexif()[0x010E] == "Grandmother"


def test_the_file_is_one_that_tifffile_reads_too(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    levels = np.random.default_rng(0).integers(0, 256, (50, 61), dtype=np.uint8)
    pages = [Page(_merge(photo_from_array(levels), 5, 5), False, _metadata())] * 2
    write_pages(lambda: iter(pages), tmp_path / "x.tif", False)
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert len(file.pages) == 2
        for page in file.pages:
            codes = [tag.code for tag in page.tags]
            assert codes == sorted(codes)
            assert page.tags["ExifTag"].value["DateTimeOriginal"] == "1931:05:17 12:00:00"


def test_a_page_that_fails_leaves_nothing_behind(tmp_path):
    def pages():
        yield Page(_merge(photo_from_array(np.zeros((9, 9), np.uint8)), 0, 0), False, Metadata())
        raise PhotoError("page 2 is damaged")

    with pytest.raises(PhotoError, match="page 2"):
        write_pages(pages, tmp_path / "x.tif", False)
    assert list(tmp_path.iterdir()) == []


def test_formats_of_8_bits_refuse_16(tmp_path):
    for suffix in (".jpg", ".webp", ".bmp"):
        with pytest.raises(PhotoError, match=r"16, use \.png"):
            check_depth(tmp_path / f"x{suffix}", 16)
    check_depth(tmp_path / "x.jpg", 8)
    with pytest.raises(ValueError, match="8 or 16"):
        check_depth(tmp_path / "x.png", 12)
