import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from tintype.data import DamagedPhotoError
from tintype.data.decode import _decode, center_crop, full_size, random_crop

BILINEAR = Image.Resampling.BILINEAR


def _by_pillow(picture, box, crop):
    return np.asarray(picture.resize((crop, crop), BILINEAR, box=box), np.float64)


def _difference(pixels, expected):
    return np.abs(np.asarray(pixels, np.float64) - np.asarray(expected, np.float64)).mean()


def _detailed(height, width, grain=8):
    """A picture with detail of a few pixels, which shows where a crop lies."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (height // grain, width // grain, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(("height", "width"), [(40, 60), (136, 181), (333, 250), (1200, 1600)])
def test_the_centre_crop_is_that_of_full_decoding_and_antialiased_resizing(picture, encode, height, width):
    image = picture(0, height, width)
    short = min(height, width)
    left, top = (width - short) / 2, (height - short) / 2
    expected = _by_pillow(image, (left, top, left + short, top + short), 112)
    assert _difference(center_crop(encode(image), 112), expected) < 1.5


def test_a_crop_lies_where_it_is_said_to(encode):
    image = _detailed(240, 320)
    data = encode(image)
    for side, left, top in ((0.5, 0, 0), (0.5, 1, 0), (0.75, 0.5, 1), (1.0, 0.25, 0)):
        length = 240 * side
        x, y = left * (320 - length), top * (240 - length)
        expected = _by_pillow(image, (x, y, x + length, y + length), 100)
        assert _difference(random_crop(data, 100, side, left, top, flip=False), expected) < 3


def test_a_crop_from_a_scaled_decode_lies_where_it_is_said_to(encode):
    image = _detailed(960, 1280, grain=80)
    length = 720
    x, y = 0.3 * (1280 - length), 0.8 * (960 - length)
    expected = _by_pillow(image, (x, y, x + length, y + length), 64)
    assert _difference(random_crop(encode(image), 64, 0.75, 0.3, 0.8, flip=False), expected) < 3


def test_a_flipped_crop_is_the_mirror_image(encode):
    data = encode(_detailed(120, 160))
    crop = random_crop(data, 64, 0.6, 0.3, 0.8, flip=False)
    np.testing.assert_array_equal(random_crop(data, 64, 0.6, 0.3, 0.8, flip=True), crop[:, ::-1])


def test_fine_stripes_become_grey_not_coarse_stripes(encode):
    stripes = np.zeros((402, 402, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = center_crop(encode(Image.fromarray(stripes), "PNG"), 100).astype(int)
    assert np.abs(crop[5:-5, 5:-5] - 127).max() < 40


def test_jpeg_is_decoded_at_the_smallest_cheap_scale_that_covers_the_crop(picture, encode):
    data = encode(picture(0, 800, 1000))
    for at_least, expected in ((801, 800), (500, 800), (400, 400), (301, 400), (200, 200), (101, 200), (40, 100)):
        pixels, _ = _decode(data, at_least)
        assert min(pixels.shape[:2]) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(picture, encode, kind, orientation):
    upright = picture(3, 64, 64)
    turned = {
        1: upright,
        2: ImageOps.mirror(upright),
        3: upright.rotate(180),
        4: ImageOps.flip(upright),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.rotate(90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.rotate(-90),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(turned, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    # Pillow's own reading says that this test's turns are right.
    with Image.open(io.BytesIO(data)) as image:
        assert _difference(ImageOps.exif_transpose(image).convert("RGB"), upright) < 2
    assert _difference(center_crop(data, 64), upright) < 2


def test_broken_exif_does_not_cost_the_photograph(picture, encode):
    image = picture(0)
    data = encode(image, exif=b"Exif\0\0II*\0garbage" + bytes(range(200)))
    assert _difference(center_crop(data, 40), _by_pillow(image, (8, 0, 48, 40), 40)) < 1.5


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_kind_of_jpeg_is_read(picture, encode, subsampling, progressive):
    image = picture(1, 64, 64)
    data = encode(image, subsampling=subsampling, progressive=progressive)
    assert _difference(center_crop(data, 64), image) < 1.5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_grey_photographs_have_three_equal_channels(picture, encode, kind):
    grey = picture(0, 64, 64).convert("L")
    crop = center_crop(encode(grey, kind), 64)
    assert _difference(crop, np.stack([grey] * 3, axis=-1)) < 1
    assert (crop == crop[..., :1]).all()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_read_as_pillow_reads_it(picture, encode, kind):
    inks = np.array(picture(0, 64, 64).convert("CMYK"))
    inks[..., 3] = 30
    data = encode(Image.fromarray(inks, "CMYK"), kind)
    with Image.open(io.BytesIO(data)) as image:
        expected = image.convert("RGB")
    assert _difference(center_crop(data, 64), expected) < 3


def test_sixteen_bits_are_scaled_not_clipped(encode):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    for kind in ("PNG", "TIFF"):
        crop = center_crop(encode(Image.fromarray(ramp), kind), 64)
        assert _difference(crop[..., 0], ramp / 257) < 1


def test_palettes_and_two_levels_are_read(picture, encode):
    image = picture(0, 64, 64)
    for converted in (image.quantize(64), image.convert("1")):
        crop = center_crop(encode(converted, "PNG"), 64)
        assert _difference(crop, converted.convert("RGB")) < 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(encode, mode):
    image = Image.new("RGBA", (64, 64), (200, 30, 30, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 64))
    crop = center_crop(encode(image.convert(mode), "TIFF" if mode == "PA" else "PNG"), 64)
    assert (crop[:, :30] == 255).all()
    assert (crop[:, 34:] < 255).any(axis=-1).all()


def test_transparent_palette_entries_are_white(encode):
    image = Image.new("P", (64, 64), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (32, 0, 64, 64))
    crop = center_crop(encode(image, "PNG", transparency=0), 64)
    assert (crop[:, :30] == 255).all()
    assert (crop[:, 34:] == [200, 100, 50]).all()


def test_one_pixel_fills_a_crop(encode):
    crop = center_crop(encode(Image.new("RGB", (1, 1), (10, 200, 90)), "PNG"), 16)
    assert (crop == [10, 200, 90]).all()
    assert crop.shape == (16, 16, 3)


def test_long_thin_photographs_are_not_squashed(encode):
    image = _detailed(48, 960)
    expected = _by_pillow(image, (456, 0, 504, 48), 48)
    assert _difference(center_crop(encode(image), 48), expected) < 3


def test_damaged_files_are_refused_with_a_reason(picture, encode):
    whole = encode(_detailed(120, 160))
    png = encode(picture(0), "PNG")
    middle = len(whole) // 2
    for data in (
        b"",
        b"hello",
        whole[:300],
        whole[:middle],
        whole[:-20],
        whole[:middle] + b"\xff\xd9" + whole[middle + 2 :],
        png[: len(png) // 2],
        png[:50] + bytes(10) + png[60:],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ):
        with pytest.raises(DamagedPhotoError, match=r"^[^\n]{5,}$"):
            center_crop(data, 32)


def test_bytes_too_many_are_no_damage(encode):
    image = _detailed(120, 160)
    whole = encode(image)
    data = whole[:-2] + b"\0\0\0" + whole[-2:]
    np.testing.assert_array_equal(center_crop(data, 64), center_crop(whole, 64))


def test_a_decompression_bomb_is_refused(monkeypatch, encode):
    data = encode(Image.new("RGB", (200, 200)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(DamagedPhotoError, match=r"^[^\n]*exceeds limit"):
        center_crop(data, 32)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_broken_exif_does_not_cost_photographs_of_other_formats(format):
    file = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(file, format, exif=b"Exif\0\0nonsense", lossless=True)
    assert (center_crop(file.getvalue(), 8) == [255, 0, 0]).all()


def test_sixteen_bits_in_which_white_is_zero_are_turned_over():
    file = io.BytesIO()
    levels = np.full((20, 20), 50 * 257, np.uint16)
    Image.fromarray(levels).save(file, "TIFF", tiffinfo={262: 0})
    assert (center_crop(file.getvalue(), 8) == 205).all()


def test_floating_point_pixels_are_refused():
    file = io.BytesIO()
    Image.fromarray(np.full((20, 20), 0.5, np.float32)).save(file, "TIFF")
    with pytest.raises(DamagedPhotoError, match="floating-point"):
        center_crop(file.getvalue(), 8)


def test_a_whole_photograph_is_read_upright_in_its_full_size(picture, encode):
    wide = picture(4, 40, 300)
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG"):
        assert _difference(full_size(encode(wide, kind)), wide) < 2
        assert _difference(full_size(encode(wide.rotate(90, expand=True), kind, exif=exif)), wide) < 2
    with pytest.raises(DamagedPhotoError):
        full_size(b"no")
