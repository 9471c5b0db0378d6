import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from skimage.color import rgb2lab

from tintype.runtime import PhotoError, read
from tintype.runtime.icc import _profile
from tintype.runtime.read import photo_from_image, read_photo

GREY = np.random.default_rng(0).integers(0, 256, (12, 17), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 17, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(2).integers(0, 256, (12, 17), dtype=np.uint8)


def _lightness(path_or_image):
    read = photo_from_image if isinstance(path_or_image, Image.Image) else read_photo
    photo = read(path_or_image)
    return photo.lightness[photo.codes]


def _lab(rgb):
    return rgb2lab(rgb)[..., 0]


def _grey_lab(levels):
    return _lab(np.repeat(np.asarray(levels)[..., None], 3, axis=-1))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".gif"])
def test_grey_files_give_the_lightness_of_their_levels(tmp_path, suffix):
    Image.fromarray(GREY).save(tmp_path / f"x{suffix}")
    np.testing.assert_allclose(_lightness(tmp_path / f"x{suffix}"), _grey_lab(GREY), atol=1e-3)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_colour_files_give_the_lightness_of_lab(tmp_path, suffix):
    Image.fromarray(COLOUR).save(tmp_path / f"x{suffix}", **({"lossless": True} if suffix == ".webp" else {}))
    np.testing.assert_allclose(_lightness(tmp_path / f"x{suffix}"), _lab(COLOUR), atol=0.02)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_read_as_pillow_decodes_it(tmp_path, mode):
    Image.fromarray(COLOUR).convert(mode).save(tmp_path / "x.jpg", quality=95)
    decoded = np.asarray(Image.open(tmp_path / "x.jpg").convert("RGB"))
    np.testing.assert_allclose(_lightness(tmp_path / "x.jpg"), _lab(decoded), atol=0.02)


def test_grey_in_three_channels_is_kept_in_one_byte(tmp_path):
    Image.fromarray(GREY).convert("RGB").save(tmp_path / "x.png")
    photo = read_photo(tmp_path / "x.png")
    assert photo.codes.dtype == np.uint8
    assert np.array_equal(photo.codes, GREY)


@pytest.mark.parametrize("mode", ["1", "P", "YCbCr", "HSV", "CMYK", "RGBX", "L", "La", "RGBa", "PA"])
def test_every_mode_is_read_as_pillow_converts_it_to_rgb(mode):
    step = {"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode)
    image = Image.fromarray(COLOUR)
    image = image.convert(step).convert(mode) if step else image.convert(mode)
    straight = image.convert({"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}[mode]) if step else image
    expected = straight.convert("RGB")
    np.testing.assert_allclose(_lightness(image), _lab(np.asarray(expected)), atol=0.02)


def test_lab_files_give_their_lightness():
    lab = np.dstack([GREY, ALPHA, ALPHA])
    np.testing.assert_allclose(_lightness(Image.fromarray(lab, "LAB")), GREY / 2.55, atol=1e-3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_keeps_its_steps(tmp_path, suffix):
    levels = np.arange(20000, 20200, dtype=np.uint16).reshape(10, 20)
    Image.fromarray(levels).save(tmp_path / f"x{suffix}")
    light = _lightness(tmp_path / f"x{suffix}")
    np.testing.assert_allclose(light, _grey_lab(levels / 65535), atol=1e-3)
    assert (np.diff(light.ravel()) > 0).all()


def test_big_endian_and_32_bit_tiff_are_read_as_16_bit(tmp_path):
    levels = np.arange(0, 60000, 1000, dtype=np.uint16).reshape(6, 10)
    _tiff(tmp_path / "big.tif", levels, ">")
    Image.fromarray(levels.astype(np.int32)).save(tmp_path / "int.tif")
    for name in ("big.tif", "int.tif"):
        np.testing.assert_allclose(_lightness(tmp_path / name), _grey_lab(levels / 65535), atol=1e-3)


def test_16_bit_tiff_with_zero_for_white_is_turned_over(tmp_path):
    levels = np.arange(0, 60000, 1000, dtype=np.uint16).reshape(6, 10)
    _tiff(tmp_path / "x.tif", 65535 - levels, "<", photometric=0)
    np.testing.assert_allclose(_lightness(tmp_path / "x.tif"), _grey_lab(levels / 65535), atol=1e-3)


def _tiff(path, levels, order, photometric=1):
    """The smallest 16-bit TIFF, in either byte order."""
    height, width = levels.shape
    entries = [(256, width), (257, height), (258, 16), (259, 1), (262, photometric), (273, 8), (277, 1), (278, height)]
    entries.append((279, levels.nbytes))
    directory = struct.pack(order + "H", len(entries))
    for tag, value in entries:
        directory += struct.pack(order + "HHI", tag, 4 if tag in (273, 279) else 3, 1)
        directory += struct.pack(order + ("I" if tag in (273, 279) else "Hxx"), value)
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + levels.nbytes)
    path.write_bytes(header + levels.astype(order + "u2").tobytes() + directory + bytes(4))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = np.zeros((16, 24), np.uint8)
    picture[:8, :12], picture[8:, :12] = 250, 120
    lossless = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(picture).convert("RGB").save(tmp_path / f"x{suffix}", exif=exif, **lossless)
    with Image.open(tmp_path / f"x{suffix}") as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        np.testing.assert_allclose(_lightness(image), _lab(expected), atol=0.02)
    np.testing.assert_allclose(_lightness(tmp_path / f"x{suffix}"), _lab(expected), atol=0.02)


def test_alpha_is_turned_with_the_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.dstack([COLOUR, ALPHA]))
    image.save(tmp_path / "x.png", exif=exif)
    assert np.array_equal(read_photo(tmp_path / "x.png").alpha, np.rot90(ALPHA, -1))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_alpha_is_kept_aside(mode):
    image = Image.fromarray(COLOUR).convert(mode[:-1])
    image = Image.merge("LA", [image, Image.fromarray(ALPHA)]) if mode == "LA" else image.convert(mode)
    image.putalpha(Image.fromarray(ALPHA))
    assert np.array_equal(photo_from_image(image).alpha, ALPHA)


def test_opaque_alpha_is_none():
    assert photo_from_image(Image.fromarray(COLOUR).convert("RGBA")).alpha is None


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "I;16"])
def test_a_transparent_colour_becomes_alpha(tmp_path, mode):
    levels = GREY.astype(np.uint16) * 257 if mode == "I;16" else GREY
    image = Image.fromarray(levels) if mode in ("L", "I;16") else Image.fromarray(COLOUR).convert(mode)
    key = {"1": 255, "L": int(GREY[3, 4]), "RGB": tuple(int(v) for v in COLOUR[3, 4]), "I;16": int(GREY[3, 4]) * 257}
    image.save(tmp_path / "x.png", transparency=image.getpixel((4, 3)) if mode == "P" else key[mode])
    if mode == "I;16":
        hidden = GREY[3, 4] == GREY
    else:
        hidden = np.asarray(Image.open(tmp_path / "x.png").convert("RGBA"))[..., 3] == 0
    alpha = read_photo(tmp_path / "x.png").alpha
    assert hidden.any()
    assert np.array_equal(alpha, np.where(hidden, 0, 255))


def test_palette_with_alpha_in_bytes_is_read_without_a_warning(tmp_path):
    image = Image.fromarray(COLOUR).convert("P")
    image.save(tmp_path / "x.png", transparency=bytes(range(0, 256)))
    expected = np.asarray(Image.open(tmp_path / "x.png").convert("RGBA"))[..., 3]
    assert np.array_equal(read_photo(tmp_path / "x.png").alpha, expected)


def _gamma_profile(gamma):
    return _profile(b"GRAY", "gamma", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))})


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_goes_through_its_profile(tmp_path, gamma, bits):
    levels = np.linspace(0, 2**bits - 1, 200).astype(f"uint{bits}").reshape(10, 20)
    Image.fromarray(levels).save(tmp_path / "x.png", icc_profile=_gamma_profile(gamma))
    luminance = (levels / (2**bits - 1)) ** (round(gamma * 256) / 256)
    expected = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    np.testing.assert_allclose(_lightness(tmp_path / "x.png"), expected, atol=0.1)


def test_grey_under_an_rgb_profile_means_equal_red_green_and_blue(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(GREY).save(tmp_path / "x.png", icc_profile=srgb)
    np.testing.assert_allclose(_lightness(tmp_path / "x.png"), _grey_lab(GREY), atol=0.05)


def _wide_profile():
    """Adobe RGB's primaries and gamma, adapted to D50."""

    def xyz(*values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563)
    columns = {
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
    }
    curves = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _profile(b"RGB ", "wide", {tag: xyz(*column) for tag, column in columns.items()} | curves)


def test_colour_goes_through_its_profile(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "x.png", icc_profile=_wide_profile())
    image = Image.fromarray(COLOUR)
    wide = ImageCms.ImageCmsProfile(io.BytesIO(_wide_profile()))
    srgb = ImageCms.profileToProfile(image, wide, ImageCms.createProfile("sRGB"))
    light = _lightness(tmp_path / "x.png")
    np.testing.assert_allclose(light, _lab(np.asarray(srgb)), atol=0.7)  # the target's curve is rounded to 8 bits
    assert np.abs(light - _lab(COLOUR)).max() > 3


def test_alpha_survives_a_profile(tmp_path):
    image = Image.fromarray(np.dstack([COLOUR, ALPHA]))
    image.save(tmp_path / "x.png", icc_profile=_wide_profile())
    assert np.array_equal(read_photo(tmp_path / "x.png").alpha, ALPHA)


@pytest.mark.parametrize("profile", [b"nonsense", _wide_profile()[:300], _gamma_profile(2.2)])
def test_a_profile_that_is_damaged_or_of_another_kind_is_passed_over(tmp_path, profile):
    Image.fromarray(COLOUR).save(tmp_path / "x.tif", icc_profile=profile)
    np.testing.assert_allclose(_lightness(tmp_path / "x.tif"), _lab(COLOUR), atol=0.02)


def test_the_first_picture_of_an_mpo_is_read(tmp_path):
    first, second = Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)
    first.save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=[second])
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.n_frames == 2
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_allclose(_lightness(tmp_path / "x.jpg"), _lab(expected), atol=0.02)


def _animation(path, format, **options):
    first, *others = (Image.fromarray(GREY + np.uint8(60 * i)).convert("RGB") for i in range(3))
    first.save(path, format, save_all=True, append_images=others, **options)


@pytest.mark.parametrize(
    ("format", "message"),
    [("GIF", "several frames"), ("WEBP", "several frames"), ("PNG", "several frames"), ("TIFF", "3 pages")],
)
def test_several_frames_or_pages_are_refused(tmp_path, format, message):
    _animation(tmp_path / "x", format)
    _assert_refused(tmp_path / "x", message)


def _assert_refused(path, message):
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert message in text
    assert "\n" not in text


def test_what_is_no_photograph_is_refused(tmp_path):
    for content, message in (
        (b"", "empty"),
        (b"hello, world, this is a text file", "not a photograph"),
        (b"\x00" * 100, "not a photograph"),
        (b"%PDF-1.4 and so on", "not a photograph"),
        (b"\xff\xd8\xff\xe0 that is all", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
        (b"II*\0" + bytes(40), "damaged"),
        (b"MM\0*" + b"\xff" * 60, "damaged"),
        (b"RIFF\x20\0\0\0WEBPVP8 " + bytes(30), "damaged"),
        (b"BM" + bytes(80), "damaged"),
        (b"GIF89a" + bytes(7), "damaged"),
        (b"GIF8", "damaged"),
    ):
        (tmp_path / "x").write_bytes(content)
        _assert_refused(tmp_path / "x", message)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_a_file_cut_short_anywhere_is_refused_or_read(tmp_path, format):
    """And never raises anything else, nor warns."""
    whole = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, format, **({"compression": "tiff_lzw"} if format == "TIFF" else {}))
    data = whole.getvalue()
    refusals = [_refusal(tmp_path / "x", data[:length]) for length in np.linspace(1, len(data) - 1, 40).astype(int)]
    refusals = [text for text in refusals if text]
    assert len(refusals) > 30
    assert all(text.startswith(f"{tmp_path / 'x'}: ") and "\n" not in text for text in refusals)


def _refusal(path, content):
    path.write_bytes(content)
    try:
        read_photo(path)
    except PhotoError as error:
        return str(error)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_damaged_bytes_are_refused_or_read(tmp_path, format):
    whole = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    options = {} if format in ("BMP", "GIF") else {"exif": exif}
    Image.fromarray(COLOUR).save(whole, format, **options)
    rng = np.random.default_rng(4)
    for _ in range(60):
        data = bytearray(whole.getvalue())
        for place in rng.integers(4, min(len(data), 400), 6):
            data[place] = rng.integers(0, 256)
        assert "\n" not in (_refusal(tmp_path / "x", data) or "")


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "x.tif")
    _assert_refused(tmp_path / "x.tif", "floating-point")


def test_pixels_of_32_bits_are_refused(tmp_path):
    Image.fromarray(GREY.astype(np.int32) * 100000).save(tmp_path / "x.tif")
    _assert_refused(tmp_path / "x.tif", "32-bit")


def test_a_picture_that_would_not_fit_into_memory_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack("<2sI4xIIiiHHII16x", b"BM", 54, 54, 40, 20001, 10000, 1, 24, 0, 0)
    (tmp_path / "x.bmp").write_bytes(header)
    _assert_refused(tmp_path / "x.bmp", "20001x10000")


def test_pictures_beyond_pillows_own_limit_are_read_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)  # 204 pixels: more than twice as many
    for suffix in (".png", ".jpg", ".bmp", ".gif"):
        Image.fromarray(GREY).save(tmp_path / f"x{suffix}")
        assert read_photo(tmp_path / f"x{suffix}").codes.shape == GREY.shape


def test_a_header_that_pillow_warns_of_is_read_without_a_warning(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png")
    data = (tmp_path / "x.png").read_bytes()
    chunk = b"acTL" + bytes(8)  # an animation of no frames
    chunk = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "x.png").write_bytes(data[:33] + chunk + data[33:])
    with pytest.warns(UserWarning, match="APNG"):
        Image.open(tmp_path / "x.png").close()
    assert np.array_equal(read_photo(tmp_path / "x.png").codes, GREY)


def test_neither_filters_of_warnings_nor_limits_of_pillow_are_changed(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png")
    before = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    read_photo(tmp_path / "x.png")
    assert (list(warnings.filters), Image.MAX_IMAGE_PIXELS) == before


def test_a_missing_file_and_a_folder_raise_what_the_system_says(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        read_photo(tmp_path / "nothing.jpg")
    assert caught.value.filename == str(tmp_path / "nothing.jpg")
    with pytest.raises(IsADirectoryError):
        read_photo(tmp_path)


def test_a_device_is_not_waited_for():
    with pytest.raises(PhotoError, match="not a regular file"):
        read_photo("/dev/null")


def test_a_disk_error_while_decoding_names_the_file(tmp_path, monkeypatch):
    Image.fromarray(GREY).save(tmp_path / "x.png")

    def failing(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(read, "read_pixels", failing)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_photo(tmp_path / "x.png")
    assert caught.value.filename == str(tmp_path / "x.png")


def test_libtiff_writes_nothing_to_the_terminal(tmp_path, capfd):
    whole = io.BytesIO()
    Image.fromarray(COLOUR).save(whole, "TIFF", compression="tiff_lzw")
    for length in range(100, len(whole.getvalue()), 50):
        (tmp_path / "x.tif").write_bytes(whole.getvalue()[:length])
        with pytest.raises(PhotoError):
            read_photo(tmp_path / "x.tif")
    assert capfd.readouterr() == ("", "")
