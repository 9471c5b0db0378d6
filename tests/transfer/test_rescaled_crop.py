import numpy as np
import pytest
from PIL import Image

from tintype.transfer.rescaled_crop import centre_crop, random_crop, squash


def _noise(height=90, width=120, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _ramp(height, width):
    """Column x is of the value x / 2."""
    return np.broadcast_to((np.arange(width) / 2).astype(np.uint8)[None, :, None], (height, width, 3))


def _rng(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("how", ["window", "picture"])
def test_a_crop_follows_from_the_seed_alone(how):
    photo = _noise()
    first = [random_crop(photo, 32, 0.5, 2, how, _rng(seed)) for seed in range(8)]
    np.random.seed(1)  # noqa: NPY002 (what others draw must not matter)
    again = [random_crop(photo, 32, 0.5, 2, how, _rng(seed)) for seed in range(8)]
    for crop, same in zip(first, again, strict=True):
        assert (crop.shape, crop.dtype) == ((32, 32, 3), np.uint8)
        np.testing.assert_array_equal(crop, same)
    assert len({crop.tobytes() for crop in first}) == 8
    np.testing.assert_array_equal(photo, _noise())


@pytest.mark.parametrize("how", ["window", "picture"])
def test_at_scale_one_a_crop_is_a_part_of_the_photograph_or_its_mirror_image(how):
    """Each of the photograph's pixels says where it lies."""
    y, x = np.mgrid[:90, :120]
    photo = np.stack([x, y, 7 * x + 3 * y], axis=2).astype(np.uint8)
    places = []
    for seed in range(80):
        crop = random_crop(photo, 60, 1, 1, how, _rng(seed))
        mirrored = bool(crop[0, 0, 0] > crop[0, 1, 0])
        upright = crop[:, ::-1] if mirrored else crop
        left, top = upright[0, 0, :2].tolist()
        np.testing.assert_array_equal(upright, photo[top : top + 60, left : left + 60])
        places.append((mirrored, top, left))
    mirrored, top, left = np.array(places).T
    assert 25 < mirrored.sum() < 55
    assert (top.min() <= 3, top.max() >= 27, left.min() <= 5, left.max() >= 55) == (True,) * 4


@pytest.mark.parametrize("how", ["window", "picture"])
def test_scales_are_drawn_evenly_from_the_range(how):
    """Of a ramp, the rise over the crop's middle half tells how many of the photograph's pixels it is wide."""
    photo = _ramp(260, 500)
    scales = []
    for seed in range(150):
        crop = random_crop(photo, 100, 0.5, 2, how, _rng(seed)).astype(float)[50, :, 0]
        rise = abs(crop[75] - crop[25]) / 50 * 2  # the photograph's pixels to one of the crop
        scales.append(rise if how == "window" else 1 / rise)
    scales = np.array(scales)
    assert scales.min() > 0.45
    assert scales.max() < 2.15
    assert np.histogram(scales, [0, 0.875, 1.25, 1.625, 3])[0].min() > 20
    assert scales.mean() == pytest.approx(1.25, abs=0.12)


def test_a_window_is_never_larger_than_the_photograph_and_all_of_its_short_side_where_it_has_to_be():
    photo = _noise(40, 40)
    crop = random_crop(photo, 100, 0.5, 2, "window", _rng(1))  # at least 50 wanted, 40 there
    expected = np.asarray(Image.fromarray(photo).resize((100, 100), Image.Resampling.BILINEAR)).astype(int)
    assert min(np.abs(crop - one).max() for one in (expected, expected[:, ::-1])) <= 2
    for seed in range(20):
        assert random_crop(_noise(40, 70) | 1, 64, 0.5, 2, "window", _rng(seed)).min() > 0


def test_a_picture_smaller_than_the_crop_is_padded_with_black_all_around():
    photo = np.full((40, 61, 3), 200, np.uint8)
    crop = random_crop(photo, 64, 0.5, 0.5, "picture", _rng(0))
    lit = (crop > 0).all(axis=2)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    assert (rows[0], rows[-1]) == (22, 41)  # 20 of 64, in the middle
    assert (columns[0], columns[-1]) in ((17, 46), (16, 47), (17, 47))  # 30 of 64; mirrored or not
    assert set(np.unique(crop).tolist()) == {0, 200}
    tall = centre_crop(np.full((200, 30, 3), 200, np.uint8), 64, 0.5, 2, "picture")
    assert (tall[:, 17:47] == 200).all()
    assert tall.sum() == 64 * 30 * 3 * 200


def test_a_rescaled_picture_is_what_another_library_makes_of_it():
    photo = np.array(Image.fromarray(_noise(9, 12)).resize((120, 90), Image.Resampling.BICUBIC))
    whole = np.asarray(Image.fromarray(photo).resize((72, 54), Image.Resampling.BILINEAR)).astype(int)
    crop = random_crop(photo, 54, 0.6, 0.6, "picture", _rng(4))
    found = [np.abs(crop - side[:, x : x + 54]).max() for side in (whole, whole[:, ::-1]) for x in range(19)]
    assert min(found) <= 2


@pytest.mark.parametrize("how", ["window", "picture"])
def test_the_centre_is_the_centre(how):
    photo = _noise(90, 120)
    np.testing.assert_array_equal(centre_crop(photo, 60, 0.5, 2, how), photo[15:75, 30:90])
    if how == "window":
        np.testing.assert_array_equal(centre_crop(photo, 30, 1, 9, how), squash(photo[:, 15:105], 30))


def test_squashing_keeps_all_of_the_photograph():
    photo = np.array(Image.fromarray(_noise(9, 12)).resize((120, 90), Image.Resampling.BICUBIC))
    expected = np.asarray(Image.fromarray(photo).resize((50, 50), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(squash(photo, 50) - expected).max() <= 2
