import numpy as np
import pytest
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

from tintype.runtime import Colorizer
from tintype.runtime.photo import photo_from_array
from tintype.runtime.stereo import find_halves, shared


def _lightness(levels):
    photo = photo_from_array(levels)
    return photo.lightness[photo.codes]


def _card(apart=6, down=2, noise=2.0):
    """Two views of the astronaut, (200, 320) L: the right one shows things `apart` pixels further left, and higher."""
    picture = np.asarray(Image.fromarray(skimage.data.astronaut()).convert("L").resize((200, 220)), dtype=float)
    left = picture[10:210, 20:180]
    right = 0.95 * picture[10 + down : 210 + down, 20 + apart : 180 + apart]
    card = np.concatenate([left, right], axis=1)
    return (card + np.random.default_rng(0).normal(0, noise, card.shape)).clip(0, 255).astype(np.uint8)


def _whole(light):
    return 0, light.shape[0], 0, light.shape[1]


@pytest.mark.parametrize(("apart", "down"), [(6, 2), (-10, 0), (0, -4), (14, 0)])
def test_the_views_of_a_card_are_found_with_the_way_from_one_to_the_other(apart, down):
    light = _lightness(_card(apart, down))
    first, second, move = find_halves(light, _whole(light))
    assert (first, second) == ((0, 200, 0, 160), (0, 200, 160, 320))
    assert abs(move[0] - down) <= 2
    assert abs(move[1] - apart) <= 2


def test_what_shows_of_the_mount_between_the_views_belongs_to_neither():
    card = _card(6, 0)
    light = _lightness(np.concatenate([card[:, :160], np.full((200, 20), 200, np.uint8), card[:, 160:]], axis=1))
    first, second, move = find_halves(light, _whole(light))
    assert abs(first[3] - 160) <= 3
    assert abs(second[2] - 180) <= 3
    assert first[3] - first[2] == second[3] - second[2]
    assert abs(second[2] - 180 - move[1] + 6) <= 2  # what stands at the left of the right view stands there in the left


def _wide_photographs():
    for name in ("astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "moon"):
        yield getattr(skimage.data, name)()
    for name in ("china.jpg", "flower.jpg"):
        yield load_sample_image(name)


def test_other_photographs_are_no_cards():
    for levels in _wide_photographs():
        height, width = levels.shape[:2]
        light = _lightness(levels[: int(min(height, width / 1.5))])  # of a card's shape
        assert find_halves(light, _whole(light)) is None


def test_boards_that_are_alike_at_many_places_are_no_card():
    rng = np.random.default_rng(0)
    boards = np.tile(np.repeat([60.0, 140.0], 10), 16)[None] + rng.normal(0, 4, (200, 320))
    light = _lightness(boards.astype(np.uint8))
    assert find_halves(light, _whole(light)) is None


@pytest.mark.parametrize("shape", [(5, 7), (6, 7), (5, 6), (4, 8)])
@pytest.mark.parametrize("move", [(0, 0), (1, 2), (-2, 1), (0, -3), (9, 0), (0, -9)])
def test_views_share_the_mean_of_what_both_show_and_keep_the_rest(shape, move):
    """Cell by cell; one view may have a row or a column more."""
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(2, *size)).astype(np.float32) for size in ((5, 7), shape))
    found, other = first.copy(), second.copy()
    for row, column in np.ndindex(shape):
        y, x = row + move[0], column + move[1]
        if 0 <= y < 5 and 0 <= x < 7:
            found[:, y, x] = other[:, row, column] = (first[:, y, x] + second[:, row, column]) / 2
    for one, wanted in zip(shared(first, second, move), (found, other), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-6)


def test_both_views_get_the_same_colours():
    colorize = Colorizer(threads=1)
    card = _card(6, 0)
    ab = {as_is: _ab(colorize(card, as_is=as_is)) for as_is in (True, False)}
    apart = {key: _apart(value) for key, value in ab.items()}
    assert apart[False] < 0.7 * apart[True]
    assert np.hypot(*ab[False]).mean() > 3


def _ab(image):
    from skimage.color import rgb2lab

    return rgb2lab(np.asarray(image))[..., 1:].transpose(2, 0, 1)


def _apart(ab):
    left, right = ab[:, :, 20:150], ab[:, :, 174:304]
    return np.sqrt(((left - right) ** 2).mean())
