import errno
import os
import subprocess

import numpy as np
import pytest
from PIL import Image

from tintype.runtime import PhotoError, jpeg
from tintype.runtime.formats import output_suffix
from tintype.runtime.merge import Merge
from tintype.runtime.photo import Metadata, Photo, even_lightness
from tintype.runtime.read import read_photo
from tintype.runtime.write import write_photo

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
SUFFIXES = [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".JPG"]
LOSSLESS = [".png", ".tif", ".bmp"]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="A"/></x:xmpmeta>'


def _pixels(alpha=None):
    alpha = np.full(RGB.shape[:2], 255, np.uint8) if alpha is None else alpha
    return np.ascontiguousarray(np.dstack([RGB, alpha])).view(np.uint32)[..., 0]


class Whole:
    """A picture that is there already, in the place of one that is made."""

    def __init__(self, pixels):
        self.shape, self._pixels = pixels.shape, pixels

    def pixels(self, threads):
        return self._pixels

    def painter(self):
        return lambda y0, y1, out: np.copyto(out, self._pixels[y0:y1])


def _write(target, alpha=None, metadata=None, overwrite=False):
    write_photo(Whole(_pixels(alpha)), alpha is not None, metadata or Metadata(), target, overwrite)
    with Image.open(target) as image:
        image.load()
        return image


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_written(tmp_path, suffix):
    image = _write(tmp_path / f"x{suffix}")
    assert image.mode == "RGB"
    assert image.size == (30, 20)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_jpeg_made_strip_by_strip_is_the_picture_that_pillow_writes_at_once(tmp_path, monkeypatch, alpha, threads):
    monkeypatch.setattr(jpeg, "_STRIP", 150 * 40)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 65536, (211, 150)).astype(np.uint16)
    transparency = rng.integers(0, 256, codes.shape, dtype=np.uint8) if alpha else None
    photo = Photo(codes, even_lightness(65536), transparency)
    colour = rng.uniform(-0.3, 0.3, (2, 71, 50)).astype(np.float32), rng.normal(0, 20, (2, 71, 50)).astype(np.float32)
    picture = Merge(photo, *colour, 3, 1.0)
    write_photo(picture, alpha, Metadata(), tmp_path / "x.jpg", False, threads)
    whole = picture.pixels().view(np.uint8).reshape(*codes.shape, 4)
    image = Image.fromarray(whole)
    if alpha:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image.convert("RGB").save(tmp_path / "y.jpg", quality=95, subsampling="4:4:4")
    with Image.open(tmp_path / "x.jpg") as ours, Image.open(tmp_path / "y.jpg") as pillows:
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(pillows))


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_keep_every_pixel(tmp_path, suffix):
    assert np.array_equal(np.asarray(_write(tmp_path / f"x{suffix}")), RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_stay_close(tmp_path, suffix):
    smooth = np.asarray(Image.fromarray(RGB[:4, :6]).resize((60, 40), Image.Resampling.BICUBIC))
    pixels = np.ascontiguousarray(np.dstack([smooth, np.full((40, 60), 255, np.uint8)])).view(np.uint32)[..., 0]
    write_photo(Whole(pixels), False, Metadata(), tmp_path / f"x{suffix}", False)
    error = np.asarray(Image.open(tmp_path / f"x{suffix}")).astype(int) - smooth
    assert np.sqrt((error**2).mean()) < 5


def test_jpeg_keeps_colour_at_full_resolution(tmp_path):
    image = _write(tmp_path / "x.jpg")
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    assert "progression" not in image.info


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_alpha_is_kept_where_the_format_has_it(tmp_path, suffix):
    image = _write(tmp_path / f"x{suffix}", ALPHA)
    assert np.array_equal(np.asarray(image), np.dstack([RGB, ALPHA]))


def test_webp_keeps_alpha(tmp_path):
    assert np.array_equal(np.asarray(_write(tmp_path / "x.webp", ALPHA))[..., 3], ALPHA)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_what_is_transparent_becomes_white_where_it_cannot_be_kept(tmp_path, suffix):
    alpha = np.zeros((20, 30), np.uint8)
    assert np.asarray(_write(tmp_path / f"x{suffix}", alpha)).min() >= 254


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_pictures_are_tagged_as_srgb(tmp_path, suffix):
    from tintype.runtime.icc import srgb_profile

    assert _write(tmp_path / f"x{suffix}").info["icc_profile"] == srgb_profile()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp"])
def test_the_same_picture_gives_the_same_bytes(tmp_path, suffix):
    for name in "ab":
        _write(tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def _source(path, orientation=6):
    """A photograph as a camera or a scanner writes it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8298], exif[0x0132] = orientation, "Grandmother", "Public", "1931:05:17 12:00:00"
    exif.get_ifd(0x8769).update(
        {0x9003: "1931:05:17 12:00:00", 0xA001: 65535, 0xA002: 30, 0xA003: 20, 0x927C: b"notes"}
    )
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 3.0)})
    options = {} if path.suffix == ".tif" else {"xmp": XMP}
    if path.suffix == ".tif":
        exif[700] = XMP
    if path.suffix == ".png":
        from PIL.PngImagePlugin import PngInfo

        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    Image.fromarray(RGB).save(path, exif=exif.tobytes(), dpi=(600, 300), **options)
    return path


@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp"])
def test_metadata_is_carried_over(tmp_path, source, target):
    photo = read_photo(_source(tmp_path / f"in{source}"))
    image = _write(tmp_path / f"out{target}", metadata=photo.metadata)
    exif = image.getexif()
    assert (exif[0x010E], exif[0x8298], exif[0x0132]) == ("Grandmother", "Public", "1931:05:17 12:00:00")
    details = exif.get_ifd(0x8769)
    assert details[0x9003] == "1931:05:17 12:00:00"
    assert details[0xA001] == 1  # the colour space is sRGB now
    assert (details[0xA002], details[0xA003]) == (20, 30)  # turned
    assert exif.get_ifd(0x8825)[2] == (48.0, 12.0, 3.0)
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp").encode()
    assert b'dc:title="A"' in xmp


@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp"])
def test_what_is_written_is_upright(tmp_path, source, target):
    photo = read_photo(_source(tmp_path / f"in{source}"))
    _write(tmp_path / f"out{target}", metadata=photo.metadata)
    with Image.open(tmp_path / f"out{target}") as image:
        assert image.size == (30, 20)  # TIFF files would be turned when they are loaded
        assert image.getexif().get(0x0112, 1) == 1
        image.load()
        assert image.size == (30, 20)


@pytest.mark.parametrize("source", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".bmp"])
def test_resolution_is_carried_over_and_turned_with_the_picture(tmp_path, source, target):
    photo = read_photo(_source(tmp_path / f"in{source}"))
    image = _write(tmp_path / f"out{target}", metadata=photo.metadata)
    assert tuple(round(float(v)) for v in image.info["dpi"]) == (300, 600)


def test_the_layout_of_a_tiff_does_not_go_into_other_files(tmp_path):
    photo = read_photo(_source(tmp_path / "in.tif"))
    tags = set(_write(tmp_path / "out.jpg", metadata=photo.metadata).getexif())
    assert not tags & {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 700, 34675}


def test_a_thumbnail_is_not_carried_over(tmp_path):
    """It would still show the grey picture, and lying on its side."""
    plain = _source(tmp_path / "in.jpg").read_bytes()
    thumbnail = b"\xff\xd8thumbnail\xff\xd9"
    exif = Image.Exif()
    exif[0x010E] = "x"
    block = bytearray(exif.tobytes())
    directory = len(block) - 6
    count = block[6 + 8] + 256 * block[6 + 9] if block[6:8] == b"II" else block[6 + 9]
    order = "little" if block[6:8] == b"II" else "big"
    link = 6 + 8 + 2 + 12 * count
    block[link : link + 4] = directory.to_bytes(4, order)
    place = directory + 2 + 24 + 4
    block += (2).to_bytes(2, order)
    for tag, value in ((0x0201, place), (0x0202, len(thumbnail))):
        block += tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order) + value.to_bytes(4, order)
    block += bytes(4) + thumbnail
    Image.open(tmp_path / "in.jpg").save(tmp_path / "thumb.jpg", exif=bytes(block))
    assert thumbnail in (tmp_path / "thumb.jpg").read_bytes()
    assert plain
    _write(tmp_path / "out.jpg", metadata=read_photo(tmp_path / "thumb.jpg").metadata)
    assert b"thumbnail" not in (tmp_path / "out.jpg").read_bytes()


def test_metadata_too_long_for_a_jpeg_is_left_out(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "x" * 70000
    image = _write(tmp_path / "x.jpg", metadata=Metadata(exif.tobytes(), b"y" * 70000))
    assert not dict(image.getexif())


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x07" * 60, b"Exif\0\0", b"no EXIF at all"])
def test_damaged_exif_does_not_keep_a_photograph_from_being_read(tmp_path, exif):
    Image.fromarray(RGB).save(tmp_path / "x.jpg", exif=exif)
    photo = read_photo(tmp_path / "x.jpg")
    assert photo.codes.shape == (20, 30)
    _write(tmp_path / "out.jpg", metadata=photo.metadata)


@pytest.mark.parametrize("name", ["x.gif", "x", "x.jpg.bak", "x.jp2"])
def test_other_formats_are_refused_by_name(tmp_path, name):
    with pytest.raises(PhotoError, match=r"use \.jpg"):
        _write(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("suffix", "limit"), [(".jpg", 65500), (".webp", 16383)])
def test_a_picture_too_large_for_its_format_is_refused_in_one_line(tmp_path, suffix, limit):
    with pytest.raises(PhotoError, match=str(limit)) as caught:
        write_photo(Whole(np.zeros((1, limit + 1), np.uint32)), False, Metadata(), tmp_path / f"x{suffix}", False)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "suffix"),
    [("a.jpg", ".jpg"), ("a.JPEG", ".JPEG"), ("a.tif", ".tif"), ("a.gif", ".png"), ("a.mpo", ".png"), ("a", ".png")],
)
def test_the_suffix_stays_where_it_can_be_written(source, suffix):
    assert output_suffix(source) == output_suffix(f"folder.jpg/{source}") == suffix


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("problem", [RuntimeError("broken"), KeyboardInterrupt()])
def test_nothing_is_left_behind_when_encoding_breaks_off(tmp_path, monkeypatch, suffix, problem):
    def save(self, file, *_, **__):
        file.write(b"half a picture")
        file.flush()
        raise problem

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(type(problem)):
        _write(tmp_path / f"x{suffix}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp"])
def test_a_full_disk_says_so_and_keeps_nothing(tmp_path, suffix, capfd):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs the rights of root")
    try:
        noise = np.random.default_rng(0).integers(0, 2**32, (400, 400), dtype=np.uint32)
        with pytest.raises(OSError, match="No space left") as caught:
            write_photo(Whole(noise), False, Metadata(), folder / f"x{suffix}", False)
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(folder / f"x{suffix}")
        assert os.listdir(folder) == []
    finally:
        subprocess.run(["umount", folder], check=True)
    assert capfd.readouterr() == ("", "")


def test_another_reader_finds_the_tags_of_a_tiff(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    photo = read_photo(_source(tmp_path / "in.jpg"))
    _write(tmp_path / "out.tif", ALPHA, photo.metadata)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        (page,) = file.pages
        tags = page.tags
        assert (page.imagelength, page.imagewidth, page.samplesperpixel) == (20, 30, 4)
        assert [tag.code for tag in tags] == sorted(tag.code for tag in tags)
        assert tags["ImageDescription"].value == "Grandmother"
        assert tags["ExifTag"].value["DateTimeOriginal"] == "1931:05:17 12:00:00"
        assert b'dc:title="A"' in tags["XMP"].value
