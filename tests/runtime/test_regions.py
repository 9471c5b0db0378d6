"""What a colorizer does with borders, stereo cards and pages, from the outside."""

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.color import rgb2lab

from tintype.runtime.read import read_photo

TONE = 235


def _scan(height=300, width=360, margin=40):
    """A photograph on paper."""
    sheet = np.full((height + 2 * margin, width + 2 * margin), TONE, np.uint8)
    picture = Image.fromarray(skimage.data.astronaut()).convert("L").resize((width, height))
    sheet[margin:-margin, margin:-margin] = picture
    return sheet


def _chroma(image):
    return np.hypot(*rgb2lab(np.asarray(image))[..., 1:].transpose(2, 0, 1))


@pytest.mark.parametrize("enlarged", [1, 5])
def test_a_border_stays_as_neutral_as_it_was_and_the_picture_gets_colours(colorizer, enlarged):
    """Also where a pixel of the guide is several of the photograph."""
    margin = 40 * enlarged
    scan = _scan(300 * enlarged, 360 * enlarged, margin)
    chroma = _chroma(colorizer(scan))
    seam = 6 * enlarged  # colours end within two pixels of the guide
    for part in (np.s_[: margin - seam], np.s_[:, : margin - seam], np.s_[seam - margin :], np.s_[:, seam - margin :]):
        assert chroma[part].max() < 0.5
    assert chroma[margin:-margin, margin:-margin].mean() > 5
    assert _chroma(colorizer(scan, as_is=True))[: margin - seam].mean() > 5


def test_the_picture_inside_gets_the_colours_that_it_would_get_alone(colorizer):
    scan = _scan()
    inside, alone = colorizer(scan), colorizer(scan[41:-41, 41:-41])
    difference = np.asarray(inside)[41:-41, 41:-41].astype(int) - np.asarray(alone)
    assert np.abs(difference)[10:-10, 10:-10].mean() < 2


def test_a_prediction_covers_all_of_a_scan_and_is_grey_and_certain_on_its_border(colorizer):
    scan = _scan()
    prediction = colorizer.predict(scan)
    assert prediction.ab.shape[1:] == prediction.entropy.shape
    height, width = prediction.entropy.shape
    assert abs(width / height - scan.shape[1] / scan.shape[0]) < 0.1
    assert (prediction.ab[:, 0] == 0).all()
    assert (prediction.entropy[:, 0] == 0).all()
    assert np.abs(prediction.ab[:, height // 2, width // 2]).max() > 0


def test_as_is_is_what_there_was_before_for_photographs_without_marks(colorizer, grey):
    assert np.array_equal(np.asarray(colorizer(grey)), np.asarray(colorizer(grey, as_is=True)))


def test_lightness_stays_that_of_a_faded_print(colorizer):
    faded = (90 + 0.3 * skimage.data.camera()[::2, ::2]).astype(np.uint8)
    for as_is in (True, False):
        lab = rgb2lab(np.asarray(colorizer(faded, as_is=as_is, saturation=0.3)))
        wanted = rgb2lab(np.repeat(faded[..., None], 3, axis=-1))
        assert np.abs(lab[..., 0] - wanted[..., 0]).max() < 1


def _pages(path):
    pages = [Image.fromarray(np.full((40 + n, 50), 60 + 50 * n, np.uint8)) for n in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


@pytest.mark.parametrize("depth", [8, 16])
def test_all_pages_of_a_tiff_are_colorized_into_one(colorizer, tmp_path, depth):
    _pages(tmp_path / "x.tif")
    assert colorizer.colorize_file(tmp_path / "x.tif", tmp_path / "y.tif", depth=depth) == []
    with Image.open(tmp_path / "y.tif") as image:
        assert image.n_frames == 3
    for number in range(3):
        before, after = (read_photo(tmp_path / name, page=number) for name in ("x.tif", "y.tif"))
        light = [photo.lightness[photo.codes] for photo in (before, after)]
        assert np.abs(light[0] - light[1]).max() < 1
    with Image.open(tmp_path / "y.tif") as image:
        assert _chroma(image.convert("RGB")).mean() > 5


def test_pages_have_numbers_where_the_format_has_no_pages(colorizer, tmp_path):
    _pages(tmp_path / "x.tif")
    (remark,) = colorizer.colorize_file(tmp_path / "x.tif", tmp_path / "y.png")
    assert "3 pages" in remark
    names = [tmp_path / f"y-{number}.png" for number in (1, 2, 3)]
    assert sorted(tmp_path.glob("*.png")) == names
    for number, name in enumerate(names):
        with Image.open(name) as image:
            assert image.size == (50, 40 + number)
    names[1].unlink()
    before = names[0].stat().st_mtime_ns
    colorizer.colorize_file(tmp_path / "x.tif", tmp_path / "y.png")
    assert names[1].exists()
    assert names[0].stat().st_mtime_ns == before
    colorizer.colorize_file(tmp_path / "x.tif", tmp_path / "y.png", overwrite=True)
    assert names[0].stat().st_mtime_ns != before
