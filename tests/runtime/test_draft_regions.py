"""A draft of scans with borders, stereo cards and faded pictures: as a colorizer has them, and yet to be chosen."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tintype.runtime import Colorizer, Model
from tintype.runtime.draft import Draft
from tintype.runtime.hints import Hint
from tintype.runtime.model import load_model
from tintype.runtime.photo import photo_from_array

APART, DOWN = 30, 8  # pixels by which the right view shows things further left, and higher
BORDER = 40


def astronaut(height, width):
    return np.asarray(Image.fromarray(skimage.data.astronaut()).convert("L").resize((width, height)))


def card(height=600, width=480):
    """Two views of one thing, each (height, width)."""
    picture = astronaut(height + 40, width + 60).astype(float)
    left = picture[10 : 10 + height, 10 : 10 + width]
    right = 0.95 * picture[10 + DOWN : 10 + DOWN + height, 10 + APART : 10 + APART + width]
    both = np.concatenate([left, right], axis=1)
    return (both + np.random.default_rng(0).normal(0, 2, both.shape)).clip(0, 255).astype(np.uint8)


def scan(picture, border=BORDER, tone=235):
    return np.pad(picture, border, constant_values=tone)


PHOTOGRAPHS = {
    "plain": lambda: astronaut(300, 420),
    "with a border": lambda: scan(astronaut(300, 360)),
    "a large one with a border": lambda: scan(astronaut(1501, 1803), 201),
    "a stereo card": card,
    "a stereo card with a border": lambda: scan(card()),
    "a stereo card, its views not alike in cells": lambda: card(1300, 1253),
    "faded": lambda: (90 + 0.3 * astronaut(300, 400)).astype(np.uint8),
    "very narrow": lambda: astronaut(3, 900),
    "one pixel": lambda: astronaut(1, 1),
}


@pytest.fixture(scope="module")
def model():
    return load_model("bundled", 1)


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer(threads=1)


@pytest.fixture(scope="module")
def bordered(model):
    return Draft(model, photo_from_array(scan(astronaut(300, 360))), model.input_size)


@pytest.fixture(scope="module")
def stereo(model):
    return Draft(model, photo_from_array(card()), model.input_size)


def shown(draft, ab, saturation=1.0):
    pixels = draft.picture(ab, saturation).pixels()
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3].astype(int)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("as_is", [False, True])
def test_undecided_it_is_what_the_colorizer_gives(model, colorizer, name, as_is):
    levels = PHOTOGRAPHS[name]()
    draft = Draft(model, photo_from_array(levels), model.input_size, as_is=as_is)
    assert len(draft.distributions) == (2 if "stereo" in name and not as_is else 1)
    usual = np.asarray(colorizer(levels, as_is=as_is, saturation=1.3)).astype(int)
    assert np.abs(shown(draft, draft.ab(), 1.3) - usual).max() <= 1
    bolder = np.asarray(colorizer(levels, as_is=as_is, temperature=0.2)).astype(int)
    assert np.abs(shown(draft, draft.ab(0.2)) - bolder).max() <= 1
    prediction = colorizer.predict(levels, as_is=as_is)
    np.testing.assert_allclose(draft.entropy, prediction.entropy, atol=1e-3)
    assert draft.distribution.shape == draft.entropy.shape
    if "stereo" not in name:  # there, entropy is the mean of both views
        np.testing.assert_allclose(draft.distribution.entropy, draft.entropy, atol=1e-3)
        np.testing.assert_allclose(draft.distribution.mean(model.temperature), prediction.ab, atol=1e-3)


@pytest.mark.parametrize(("levels", "times"), [(scan(astronaut(300, 360)), 1), (card(), 2)])
def test_the_network_runs_once_for_each_region(model, monkeypatch, levels, times):
    runs, logits = [], Model.logits
    monkeypatch.setattr(Model, "logits", lambda self, lightness: runs.append(1) or logits(self, lightness))
    monkeypatch.setattr(Model, "run", None)
    draft = Draft(model, photo_from_array(levels), model.input_size)
    draft.picture(draft.ab(0.2, [Hint(0.5, 0.5, 10, 10)], 1))
    assert draft.suggestions(0.5, 0.3)
    assert draft.entropy.any()
    assert len(runs) == times


def test_a_border_has_no_colours_no_hints_and_no_suggestions(bordered):
    outside = Hint(0.03, 0.5, 60.0, 40.0)
    for one, other in zip(bordered.ab(), bordered.ab(hints=[outside]), strict=True):
        assert np.array_equal(one, other)
    assert bordered.suggestions(0.03, 0.5) == []
    assert bordered.suggestions(0.5, 0.5)
    for plane in bordered.coefficients(bordered.ab()):
        rows, columns = np.nonzero(plane.any(axis=0))
        box = (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1)
        height, width = bordered.guide.shape
        inside = BORDER, height - BORDER, BORDER, width - BORDER
        assert np.abs(np.subtract(box, inside)).max() <= 3
    assert (bordered.entropy[0] == 0).all()
    assert (bordered.entropy[:, 0] == 0).all()


def test_inside_of_a_border_a_hint_stands_where_it_is_put(bordered):
    """Places are shares of the whole scan."""
    hints = [Hint((BORDER + y) / 380, (BORDER + x) / 440, a, b)
             for y, x, a, b in ((60, 60, 40.0, 20.0), (220, 340, -30.0, 20.0))]  # fmt: skip
    slope, offset = bordered.coefficients(bordered.ab(hints=hints))
    ab = slope * bordered.guide + offset
    for hint in hints:
        row, column = int(hint.y * 380), int(hint.x * 440)
        around = ab[:, row - 3 : row + 4, column - 3 : column + 4].mean(axis=(1, 2))
        np.testing.assert_allclose(around, (hint.a, hint.b), atol=8)


def _views(draft, ab, y, x):
    """Colours of one thing in the left and right views of `card`, by its pixel in the left one."""
    slope, offset = draft.coefficients(ab)
    colours = slope * draft.guide + offset
    places = (y, x), (y - DOWN, x - APART + 480)
    return [colours[:, int(row / draft.factor), int(column / draft.factor)] for row, column in places]


@pytest.mark.parametrize("side", [0, 1])
def test_a_hint_in_either_view_of_a_card_colours_the_same_thing_in_both(stereo, side):
    y, x = 140, 260
    row, column = ((y, x), (y - DOWN, x - APART + 480))[side]
    hint = Hint(row / 600, column / 960, -40.0, 50.0)
    before, after = _views(stereo, stereo.ab(), y, x), _views(stereo, stereo.ab(hints=[hint]), y, x)
    for one, other in zip(before, after, strict=True):
        assert np.linalg.norm(one - (-40, 50)) > 25
        np.testing.assert_allclose(other, (-40, 50), atol=8)


def test_wherever_the_hint_was_put_the_views_share_all_colours(stereo):
    """Cells of the second view, laid upon those of the first."""
    hints = [Hint(0.4, 0.1, 30.0, 40.0), Hint(0.7, 0.9, -20.0, -30.0)]
    for ab in (stereo.ab(), stereo.ab(hints=hints), *stereo.alternatives(), stereo.ab(0.2, hints, 3)):
        _same_where_both_show_it(*ab)


def _same_where_both_show_it(first, second):
    move = min(
        ((down, right) for down in range(-3, 4) for right in range(-8, 9)),
        key=lambda move: np.abs(np.subtract(*_overlapping(first, second, *move))).mean(),
    )
    down, right = move
    assert 0 < right <= 6
    assert 0 <= down <= 2
    one, other = _overlapping(first, second, down, right)
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert one.size > 0.8 * first.size


def _overlapping(first, second, down, right):
    height, width = first.shape[1:]
    one = first[:, max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    other = second[:, max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    return one, other


def test_alternatives_of_a_card_are_unlike_each_other(stereo):
    found = stereo.alternatives()
    assert len(found) == 5
    for i, one in enumerate(found):
        for other in found[:i]:
            assert np.sqrt(np.mean([np.square(a - b).mean() for a, b in zip(one, other, strict=True)])) > 1


def test_what_two_views_do_not_share_takes_hints_too(stereo):
    """The left edge of the left view is not in the right one, nor the right edge of the right one in the left."""
    for x in (0.002, 0.998):
        ab = stereo.ab(hints=[Hint(0.5, x, 50.0, -20.0)])
        plain = stereo.ab()
        moved = [np.linalg.norm(one - other, axis=0).max() for one, other in zip(ab, plain, strict=True)]
        assert max(moved) > 15
