import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.transform import rotate

from tintype.runtime.border import find_picture
from tintype.runtime.photo import photo_from_array


def _photograph(height=200, width=260):
    picture = Image.fromarray(skimage.data.astronaut()).convert("L").resize((width, height))
    return _lightness(np.asarray(picture))


def _lightness(levels):
    photo = photo_from_array(levels)
    return photo.lightness[photo.codes]


def _mounted(light, widths, tone, noise=0.8):
    top, bottom, left, right = widths
    shape = light.shape[0] + top + bottom, light.shape[1] + left + right
    sheet = np.random.default_rng(0).normal(tone, noise, shape).clip(0, 100).astype(np.float32)
    sheet[top : top + light.shape[0], left : left + light.shape[1]] = light
    return sheet, (top, top + light.shape[0], left, left + light.shape[1])


def _close(box, wanted, within=3):
    return max(abs(a - b) for a, b in zip(box, wanted, strict=True)) <= within


@pytest.mark.parametrize("tone", [96, 85, 50, 12, 2])
def test_a_border_all_around_is_found_whatever_its_tone(tone):
    sheet, wanted = _mounted(_photograph(), (20, 31, 25, 17), tone)
    assert _close(find_picture(sheet), wanted)


@pytest.mark.parametrize(("tone", "found"), [(95, True), (8, True), (50, False)])
def test_a_border_on_two_sides_must_be_light_or_dark(tone, found):
    sheet, wanted = _mounted(_photograph(), (0, 40, 0, 30), tone)
    assert _close(find_picture(sheet), wanted if found else (0, *sheet.shape[:1], 0, sheet.shape[1]))


def test_one_side_alone_may_be_a_sky():
    sheet, _ = _mounted(_photograph(), (40, 0, 0, 0), 95)
    assert find_picture(sheet) == (0, sheet.shape[0], 0, sheet.shape[1])


def test_a_print_with_a_border_on_a_dark_lid_has_two():
    sheet, wanted = _mounted(_photograph(), (12, 12, 12, 12), 92)
    sheet, outer = _mounted(sheet, (30, 10, 22, 25), 15)
    wanted = tuple(a + b for a, b in zip(wanted, (outer[0], outer[0], outer[2], outer[2]), strict=True))
    assert _close(find_picture(sheet), wanted, 6)


def test_a_scan_that_lies_askew_by_half_a_degree_is_found():
    sheet, wanted = _mounted(_photograph(), (40, 40, 40, 40), 95)
    turned = rotate(sheet, 0.5, mode="edge", preserve_range=True).astype(np.float32)
    assert _close(find_picture(turned), wanted, 5)


def test_a_date_in_pencil_on_the_border_does_not_hide_it():
    sheet, wanted = _mounted(_photograph(), (20, 40, 20, 20), 95)
    sheet[-25:-15, 100:110:3] = 40
    assert _close(find_picture(sheet), wanted)


@pytest.mark.parametrize("name", ["astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "moon", "cat"])
def test_photographs_without_a_border_are_left_whole(name):
    levels = getattr(skimage.data, name)()
    light = _lightness(levels if levels.ndim == 2 else levels[..., :3])
    assert find_picture(light) == (0, light.shape[0], 0, light.shape[1])


def test_a_picture_that_darkens_towards_its_edges_is_left_whole():
    y, x = np.mgrid[-1:1:200j, -1:1:260j]
    light = (90 * np.exp(-2 * (x**4 + y**4))).astype(np.float32)
    assert find_picture(light) == (0, 200, 0, 260)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (23, 23), (200, 260)])
@pytest.mark.parametrize("tone", [0, 100])
def test_what_is_all_border_is_left_whole(shape, tone):
    assert find_picture(np.full(shape, tone, np.float32)) == (0, shape[0], 0, shape[1])
