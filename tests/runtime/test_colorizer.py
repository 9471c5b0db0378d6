import errno
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from tintype.runtime import Colorizer, PhotoError, layout
from tintype.runtime import colorizer as colorizing


def _lab(image):
    return rgb2lab(np.asarray(image)[..., :3])


def _grey_lab(levels):
    return rgb2lab(np.repeat(np.asarray(levels)[..., None], 3, axis=-1))[..., 0]


def test_colour_is_the_models_and_lightness_the_photographs(colorizer, grey):
    """The tiny model gives a = 0.4 L - 10, b = 40 - 0.6 L from means of lightness."""
    image = colorizer(grey)
    assert (image.mode, image.size) == ("RGB", (130, 97))
    lab, light = _lab(image), _grey_lab(grey)
    middle = (light > 25) & (light < 75)  # there, these colours are inside of the gamut
    assert np.abs(lab[..., 0] - light)[middle].max() < 0.5
    smooth = np.zeros_like(middle)
    smooth[4:36, 4:60] = True  # no edge in reach
    assert np.abs(lab[..., 1] - (0.4 * light - 10))[middle & smooth].mean() < 1
    assert np.abs(lab[..., 2] - (40 - 0.6 * light))[middle & smooth].mean() < 1.5


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 1), (3, 5), (1, 3000), (3000, 1), (4, 700), (31, 33), (300, 200)]
)
def test_any_size_comes_back_in_that_size(colorizer, shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = colorizer(levels)
    assert image.size == shape[::-1]
    assert np.abs(_lab(image)[..., 0] - _grey_lab(levels)).max() < 1.5


def test_colours_of_the_input_make_no_difference(colorizer, grey):
    sepia = np.asarray(Image.merge("RGB", [Image.fromarray(grey).point(lambda v, f=f: v * f) for f in (0.9, 0.7, 0.5)]))
    light = _lab(sepia)[..., 0]
    assert np.abs(_lab(colorizer(sepia))[..., 0] - light)[(light > 25) & (light < 75)].max() < 0.5


def test_paths_images_and_arrays_give_the_same(colorizer, grey, tmp_path):
    expected = np.asarray(colorizer(grey))
    Image.fromarray(grey).save(tmp_path / "x.png")
    for photo in (
        tmp_path / "x.png",
        str(tmp_path / "x.png"),
        Image.fromarray(grey),
        Image.fromarray(grey).convert("RGB"),
        grey[..., None],
        np.repeat(grey[..., None], 3, axis=-1),
        grey.astype(np.uint16) * 257,
        grey / 255,
        (grey / 255).astype(np.float32),
        np.asfortranarray(grey),
        grey[::-1][::-1],
    ):
        assert np.abs(np.asarray(colorizer(photo)).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_alpha_comes_back_as_it_was(colorizer, kind):
    rgba = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    scaled = {np.uint8: rgba, np.uint16: rgba.astype(np.uint16) * 257, np.float32: rgba / np.float32(255)}[kind]
    image = colorizer(scaled)
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image)[..., 3], rgba[..., 3])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4, 4, 5), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "no pixels"),
        (np.zeros((4, 4), np.int32), "int32"),
        (np.zeros((4, 4), bool), "bool"),
        (np.full((4, 4), 200.0), "from 0 to 1"),
        (np.full((4, 4), -0.1), "from 0 to 1"),
        (np.full((4, 4), np.nan), "from 0 to 1"),
    ],
)
def test_other_arrays_are_refused(colorizer, array, message):
    with pytest.raises(PhotoError, match=message) as caught:
        colorizer(array)
    assert "\n" not in str(caught.value)


def test_other_things_are_refused(colorizer):
    with pytest.raises(TypeError, match="list"):
        colorizer([[1, 2], [3, 4]])


def test_prediction_is_at_the_networks_resolution(colorizer, grey):
    found = colorizer.predict(grey)
    assert found.ab.shape == (2, 14, 19)  # 55 x 74 pixels
    assert found.entropy.shape == (14, 19)
    assert found.ab.dtype == found.entropy.dtype == np.float32
    np.testing.assert_allclose(found.ab[0], 0.4 * 100 * found.entropy - 10, atol=1e-3)


def test_size_and_temperature_reach_the_network(bundle, grey):
    larger = Colorizer(bundle, size=128, threads=1)
    assert larger.predict(grey).ab.shape == (2, 28, 37)  # 111 x 148 pixels
    np.testing.assert_allclose(larger.predict(grey, temperature=0.25).ab, 2 * larger.predict(grey).ab, atol=1e-3)


def test_saturation_zero_is_grey_and_keeps_the_levels(colorizer, grey):
    painted = np.asarray(colorizer(grey, saturation=0)).astype(int)
    assert np.abs(painted - grey[..., None]).max() == 0


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": -1}, {"temperature": float("nan")}])
def test_a_temperature_without_meaning_is_refused(colorizer, grey, settings):
    with pytest.raises(ValueError, match="temperature"):
        colorizer(grey, **settings)
    with pytest.raises(ValueError, match="temperature"):
        colorizer.predict(grey, **settings)


@pytest.mark.parametrize("saturation", [-0.5, float("nan")])
def test_a_saturation_without_meaning_is_refused(colorizer, grey, saturation):
    with pytest.raises(ValueError, match="saturation"):
        colorizer(grey, saturation=saturation)


@pytest.mark.parametrize("settings", [{"size": 0}, {"threads": 0}, {"size": -3}])
def test_sizes_and_threads_below_one_are_refused(bundle, settings):
    with pytest.raises(ValueError, match="at least 1"):
        Colorizer(bundle, **settings)


def test_threads_can_share_a_colorizer(colorizer):
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (rng.integers(1, 120), rng.integers(1, 120)), dtype=np.uint8) for _ in range(12)]
    alone = [np.asarray(colorizer(photo)) for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: np.asarray(colorizer(photo)), photos))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


@pytest.fixture
def source(tmp_path, grey):
    Image.fromarray(grey).save(tmp_path / "source.png", dpi=(300, 300))
    return tmp_path / "source.png"


def test_a_file_gives_the_same_picture_as_a_call(colorizer, source, tmp_path):
    colorizer.colorize_file(source, tmp_path / "target.png")
    with Image.open(tmp_path / "target.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(colorizer(source)))
        assert round(image.info["dpi"][0]) == 300


def test_temperature_and_saturation_reach_the_file(colorizer, source, tmp_path):
    colorizer.colorize_file(str(source), str(tmp_path / "target.png"), temperature=0.3, saturation=0.5)
    expected = np.asarray(colorizer(source, temperature=0.3, saturation=0.5))
    with Image.open(tmp_path / "target.png") as image:
        assert np.array_equal(np.asarray(image), expected)


def test_a_target_that_is_there_is_not_replaced_unless_told(colorizer, source, tmp_path, monkeypatch):
    (tmp_path / "target.jpg").write_bytes(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(colorizing, "read_photo", None)  # and no time is spent on reading
        with pytest.raises(FileExistsError) as caught:
            colorizer.colorize_file(source, tmp_path / "target.jpg")
    assert caught.value.filename == str(tmp_path / "target.jpg")
    assert (tmp_path / "target.jpg").read_bytes() == b"old"
    colorizer.colorize_file(source, tmp_path / "target.jpg", overwrite=True)
    with Image.open(tmp_path / "target.jpg") as image:
        assert image.size == (130, 97)


@pytest.mark.parametrize("kind", ["same name", "hard link", "symbolic link"])
def test_the_photograph_itself_is_never_replaced(colorizer, source, tmp_path, kind):
    before = source.read_bytes()
    target = source if kind == "same name" else tmp_path / "other.png"
    if kind == "hard link":
        os.link(source, target)
    elif kind == "symbolic link":
        target.symlink_to(source)
    with pytest.raises(PhotoError, match="photograph itself"):
        colorizer.colorize_file(source, target, overwrite=True)
    assert source.read_bytes() == before


def test_a_target_of_an_unknown_format_is_refused_at_once(colorizer, source, tmp_path, monkeypatch):
    monkeypatch.setattr(colorizing, "read_photo", None)
    with pytest.raises(PhotoError, match=r"\.gif"):
        colorizer.colorize_file(source, tmp_path / "target.gif")


@pytest.mark.parametrize("stage", ["read_photo", "predict", "Upsampler", "Merge", "write_photo"])
@pytest.mark.parametrize("problem", [RuntimeError("broken"), KeyboardInterrupt(), MemoryError()])
def test_whatever_breaks_nothing_is_left_behind(colorizer, source, tmp_path, monkeypatch, stage, problem):
    def failing(*_, **__):
        raise problem

    monkeypatch.setattr(layout if stage == "Upsampler" else colorizing, stage, failing)
    with pytest.raises(type(problem)):
        colorizer.colorize_file(source, tmp_path / "target.png")
    assert os.listdir(tmp_path) == ["source.png"]


def test_a_missing_source_and_a_missing_folder_are_told_apart(colorizer, source, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        colorizer.colorize_file(tmp_path / "none.jpg", tmp_path / "target.jpg")
    assert caught.value.filename == str(tmp_path / "none.jpg")
    with pytest.raises(FileNotFoundError) as caught:
        colorizer.colorize_file(source, tmp_path / "none" / "target.jpg")
    assert (caught.value.filename, caught.value.errno) == (str(tmp_path / "none" / "target.jpg"), errno.ENOENT)


def test_a_picture_of_many_tiles_keeps_its_lightness_and_shows_no_seams(colorizer):
    """Several tiles and strips of every stage, and a factor of reduction above 1."""
    y, x = np.mgrid[0:700, 0:900]
    levels = (40 + 170 * x / 900 + 20 * np.sin(y / 40)).astype(np.uint8)
    lab = _lab(colorizer(levels))
    assert np.abs(lab[..., 0] - _grey_lab(levels)).max() < 0.5
    for axis in (0, 1):
        steps = np.abs(np.diff(lab[..., 1], axis=axis))
        assert np.percentile(steps, 99.9) < 2.5  # rounding to 8 bits makes steps of 1
