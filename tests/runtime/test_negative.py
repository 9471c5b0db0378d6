import dataclasses

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tintype.color.lab import linear_to_srgb, srgb_to_linear
from tintype.runtime import Colorizer
from tintype.runtime.negative import has_orange_mask, invert
from tintype.runtime.photo import photo_from_array


def _film(levels, gamma=0.65, mask=(1.0, 1.0, 1.0), wide=False):
    """What a scanner sees of film that was exposed to a picture: (H, W, 3) sRGB levels."""
    scene = np.maximum(srgb_to_linear(levels / 255), 0.005)
    through = 10 ** -(0.2 + gamma * np.log10(scene / 0.005))
    white = 65535 if wide else 255
    return np.rint(white * linear_to_srgb(through[..., None] * np.array(mask))).astype(np.uint16 if wide else np.uint8)


def _lightness(photo):
    return photo.lightness[photo.codes]


POSITIVE = skimage.data.camera()[::2, ::2]
WANTED = _lightness(photo_from_array(POSITIVE))


@pytest.mark.parametrize("gamma", [0.55, 0.65, 0.75])
@pytest.mark.parametrize("wide", [False, True])
def test_a_negative_becomes_the_picture_that_it_was_exposed_to(gamma, wide):
    positive = _lightness(invert(photo_from_array(_film(POSITIVE, gamma, wide=wide)[..., 0])))
    assert np.sqrt(np.mean((positive - WANTED) ** 2)) < 8
    assert np.corrcoef(positive.ravel(), WANTED.ravel())[0, 1] > 0.99


def test_levels_that_were_only_turned_over_become_a_picture_too():
    """As some scanners give them, though film is never like that."""
    positive = _lightness(invert(photo_from_array(255 - POSITIVE)))
    assert 30 < np.median(positive) < 70
    assert np.corrcoef(positive.ravel(), WANTED.ravel())[0, 1] > 0.8


def test_the_orange_mask_falls_out():
    masked = photo_from_array(_film(POSITIVE, mask=(0.9, 0.4, 0.2)))
    plain = photo_from_array(_film(POSITIVE)[..., 0])
    assert np.abs(_lightness(invert(masked)) - _lightness(invert(plain))).mean() < 2


def test_dust_and_the_edge_of_the_film_do_not_set_the_points():
    film = _film(POSITIVE)[..., 0]
    spoiled = film.copy()
    spoiled[:12], spoiled[:, -12:] = 0, 255  # the holder, and light beside it
    spoiled[100, 100], spoiled[120, 90] = 255, 0
    inside = np.s_[30:-30, 30:-30]
    expected, seen = (_lightness(invert(photo_from_array(levels)))[inside] for levels in (film, spoiled))
    assert np.abs(expected - seen).mean() < 2


def test_inverting_is_a_matter_of_the_table_alone():
    """So the alpha, the metadata and every pixel's code are as they were."""
    photo = dataclasses.replace(photo_from_array(_film(POSITIVE)[..., 0]), alpha=np.zeros(POSITIVE.shape, np.uint8))
    positive = invert(photo)
    assert positive.codes is photo.codes
    assert positive.alpha is photo.alpha
    assert (np.diff(positive.lightness[np.unique(photo.codes)]) <= 0).all()


@pytest.mark.parametrize("levels", [np.full((9, 9), 100, np.uint8), np.zeros((1, 1), np.uint8)])
def test_what_has_one_tone_stays_as_it_is(levels):
    photo = photo_from_array(levels)
    assert np.array_equal(_lightness(invert(photo)), _lightness(photo))


def test_only_colour_film_has_an_orange_mask():
    assert has_orange_mask(Image.fromarray(_film(POSITIVE, mask=(0.9, 0.35, 0.12))))
    assert not has_orange_mask(Image.fromarray(_film(POSITIVE)))
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        assert not has_orange_mask(Image.fromarray(getattr(skimage.data, name)())), name
    grey = POSITIVE[..., None] / 255
    sepia = np.rint(255 * grey * [1, 0.9, 0.75] + (1 - grey) * [60, 30, 10]).astype(np.uint8)
    assert not has_orange_mask(Image.fromarray(sepia))


def test_colorizing_a_negative_gives_its_positive():
    colorize = Colorizer(threads=1)
    light = np.asarray(colorize(_film(POSITIVE)[..., 0], negative=True).convert("L"), dtype=float)
    assert np.corrcoef(light.ravel(), POSITIVE.ravel())[0, 1] > 0.95


def test_a_colour_negative_is_remarked_on(tmp_path):
    colorize = Colorizer(threads=1)
    Image.fromarray(_film(POSITIVE, mask=(0.9, 0.35, 0.12))).save(tmp_path / "film.png")
    Image.fromarray(POSITIVE).save(tmp_path / "print.png")
    (remark,) = colorize.colorize_file(tmp_path / "film.png", tmp_path / "a.png")
    assert remark.startswith(f"{tmp_path / 'film.png'}: ")
    assert "--negative" in remark
    assert colorize.colorize_file(tmp_path / "film.png", tmp_path / "b.png", negative=True) == []
    assert colorize.colorize_file(tmp_path / "print.png", tmp_path / "c.png") == []
