import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage.color import lab2rgb, rgb2lab, rgb2xyz

from tintype.runtime import merge as merging
from tintype.runtime import reduce as reducing
from tintype.runtime.merge import Merge
from tintype.runtime.photo import Photo, even_lightness, grey_lightness, photo_from_array
from tintype.runtime.reduce import reduce_lightness, reduction


def merge(photo, slope, offset, factor, saturation, threads=1):
    return Merge(photo, slope, offset, factor, saturation).pixels(threads)


def _bytes(pixels):
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)


def _flat(a, b, shape=(1, 1)):
    """Coefficients of the same colour everywhere."""
    return np.zeros((2, *shape), np.float32), np.array([a, b], np.float32).reshape(2, 1, 1) + np.zeros((2, *shape))


def _random_colours(count=4000):
    return np.random.default_rng(1).integers(0, 256, (1, count, 3), dtype=np.uint8)


def test_colours_of_the_gamut_come_back_as_scikit_image_has_them():
    rgb = _random_colours()
    lab = rgb2lab(rgb)
    photo = photo_from_array(rgb)
    ab = lab[..., 1:].transpose(2, 0, 1).astype(np.float32)
    painted = _bytes(merge(photo, np.zeros_like(ab), ab, 1, 1.0))
    assert np.array_equal(painted[..., :3], rgb)
    assert (painted[..., 3] == 255).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_lightness_is_that_of_the_photograph_within_rounding(bits):
    """Half a level of 8 bits, in L, whatever colour is asked for inside of the gamut."""
    levels = np.arange(2**bits, dtype=f"uint{bits}")[:: 1 if bits == 8 else 37][None]
    photo = photo_from_array(levels)
    wanted = photo.lightness[photo.codes]
    colour = 20 * np.sin(np.pi * wanted / 100)  # dark and light greys have little room for colour
    ab = np.stack([colour, -0.7 * colour]).astype(np.float32)
    painted = _bytes(merge(photo, np.zeros_like(ab), ab, 1, 1.0))[..., :3]
    lab = np.dstack([wanted, *ab]).astype(np.float64)
    inside = _in_gamut(lab)
    assert inside.mean() > 0.8
    exact = np.rint(255 * lab2rgb(lab))
    assert np.abs(painted - exact)[inside].max() <= 1
    assert (painted != exact)[inside].mean() < 0.02
    assert np.abs(rgb2lab(painted)[..., 0] - wanted)[inside].max() < 0.3


def _in_gamut(lab):
    """Whether a colour survives the way to sRGB, which clips, and back."""
    return np.abs(rgb2lab(lab2rgb(lab)) - lab).max(axis=-1) < 0.01


def test_colours_outside_of_the_gamut_keep_lightness_and_hue():
    levels = np.arange(256, dtype=np.uint8)[None]
    photo = photo_from_array(levels)
    for a, b in ((90, 60), (-80, 60), (20, -100), (-40, -40), (60, -60)):
        painted = _bytes(merge(photo, *_flat(a, b, levels.shape), 1, 1.0))[..., :3]
        lab = rgb2lab(painted)
        assert np.abs(lab[..., 0] - photo.lightness).max() < 0.7, (a, b)
        # Dominant wavelength: in the xy diagram, the direction from white.
        wanted_xyz = _lab_to_xyz(np.dstack([photo.lightness[None], *(np.full((1, 256), v) for v in (a, b))]))
        chosen = slice(60, 240)
        direction, wanted = (_direction(xyz[0, chosen]) for xyz in (rgb2xyz(painted), wanted_xyz))
        assert np.abs(np.angle(np.exp(1j * (direction - wanted)))).max() < 0.1, (a, b)


def _lab_to_xyz(lab):
    f = (lab[..., :1] + 16) / 116 + np.stack([lab[..., 1] / 500, 0 * lab[..., 1], -lab[..., 2] / 200], axis=-1)
    return np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * [0.95047, 1, 1.08883]


def _direction(xyz):
    x, y = (xyz[..., i] / xyz.sum(axis=-1) for i in (0, 1))
    return np.arctan2(y - 1 / (0.95047 + 1 + 1.08883), x - 0.95047 / (0.95047 + 1 + 1.08883))


@pytest.mark.parametrize("ab", [(40, -60), (-60, 50), (70, 60), (0, 90), (-30, -40)])
def test_black_and_white_take_no_tint_that_could_be_seen(ab):
    photo = photo_from_array(np.array([[0, 255] * 20], dtype=np.uint8))
    painted = _bytes(merge(photo, *_flat(*ab, (1, 40)), 1, 1.0))[0, :, :3].astype(int)
    assert np.abs(painted - photo.codes[0][:, None]).max() <= 3


def test_without_colour_every_grey_stays_exactly_itself():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    painted = _bytes(merge(photo_from_array(levels), *_flat(0, 0, (4, 4)), 4, 1.0))
    assert np.array_equal(painted[..., :3], np.repeat(levels[..., None], 3, axis=2))


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("shape", [(40, 61), (1, 1), (3, 200), (97, 2), (1, 150), (150, 1)])
@pytest.mark.parametrize("tile", [64000, 30])
def test_coefficients_are_interpolated_bilinearly_between_the_centres_of_blocks(factor, shape, tile, monkeypatch):
    monkeypatch.setattr(merging, "_TILE", tile)
    monkeypatch.setattr(merging, "_STRIP", tile)
    rng = np.random.default_rng(factor)
    blocks = -(-shape[0] // factor), -(-shape[1] // factor)
    slope = rng.uniform(-0.2, 0.2, (2, *blocks)).astype(np.float32)
    offset = rng.uniform(-8, 8, (2, *blocks)).astype(np.float32)
    grey = rng.integers(110, 150, shape, dtype=np.uint8)  # in the middle, where the gamut is wide
    places = np.meshgrid(*((np.arange(n) + 0.5) / factor - 0.5 for n in shape), indexing="ij")
    light = grey_lightness(256)[grey]
    a, b = (
        map_coordinates(slope[i], places, order=1, mode="nearest") * light
        + map_coordinates(offset[i], places, order=1, mode="nearest")
        for i in range(2)
    )
    expected = np.rint(255 * lab2rgb(np.dstack([light, a, b]).astype(np.float64)))
    painted = _bytes(merge(photo_from_array(grey), slope, offset, factor, 1.0))[..., :3]
    assert np.abs(painted - expected).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_neither_tiles_nor_threads_can_be_seen(monkeypatch, bits):
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 2**bits, (31, 47)).astype(f"uint{bits}")
    photo = Photo(codes, grey_lightness(2**bits), rng.integers(0, 256, codes.shape, dtype=np.uint8))
    coefficients = rng.normal(0, 0.3, (2, 11, 16)).astype(np.float32), rng.normal(0, 20, (2, 11, 16)).astype(np.float32)
    whole = merge(photo, *coefficients, 3, 1.0)
    for tile, widest in ((40, 1 << 16), (7, 30), (1, 1), (100, 21), (1000, 100)):
        monkeypatch.setattr(merging, "_TILE", tile)
        monkeypatch.setattr(merging, "_STRIP", widest)
        pieces = merge(photo, *coefficients, 3, 1.0, threads=3)
        assert np.abs(_bytes(pieces).astype(int) - _bytes(whole)).max() <= 1  # sums of products vary in the last digit
        assert (pieces != whole).mean() < 0.01
        assert np.array_equal(_bytes(pieces)[..., 3], photo.alpha)


def test_saturation_multiplies_colour():
    photo = photo_from_array(np.full((4, 4), 128, dtype=np.uint8))
    chroma = [np.hypot(*rgb2lab(_bytes(merge(photo, *_flat(10, 20), 4, s))[..., :3])[0, 0, 1:]) for s in (0, 0.5, 1, 2)]
    np.testing.assert_allclose(chroma, np.hypot(10, 20) * np.array([0, 0.5, 1, 2]), atol=0.6)


@pytest.mark.parametrize("factor", [1, 2, 5, 64])
@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (5, 300), (128, 64), (1, 130), (130, 1)])
@pytest.mark.parametrize("tile", [65536, 100])
def test_reduced_lightness_is_the_mean_over_blocks(factor, shape, tile, monkeypatch):
    monkeypatch.setattr(reducing, "_TILE", tile)
    rng = np.random.default_rng(0)
    photo = Photo(rng.integers(0, 65536, shape).astype(np.uint16), even_lightness(65536))
    light = photo.codes / 655.35
    rows, columns = (range(0, n, factor) for n in shape)
    expected = [[light[y : y + factor, x : x + factor].mean() for x in columns] for y in rows]
    np.testing.assert_allclose(reduce_lightness(photo, factor, threads=2), expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (3000, 4000), (8400, 12000), (480, 640), (1, 100_000_000), (65000, 3)])
def test_the_reduced_picture_is_never_large(shape):
    factor = reduction(*shape, 512)
    blocks = -(-shape[0] // factor) * -(-shape[1] // factor)
    assert blocks <= 4 * 512 * 512
    if max(shape) < 100 * min(shape) and factor > 1:
        assert blocks == pytest.approx(512 * 512, rel=0.3)
