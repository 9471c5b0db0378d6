from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from reference.guided import cell_means as slow_cell_means

pytest.importorskip("cv2", reason="benches compare with OpenCV's filters")
from _upsamplers import bicubic, bilinear, cell_means, corrected, guide_means, lay, merged, ours, plain, zhang16

MODEL = SimpleNamespace(multiple=32, ab_origin=2.0, stride=4)


@pytest.fixture
def scene():
    """A guide of half the photograph's resolution, whose last row and column are half outside."""
    grey = np.random.default_rng(0).integers(0, 256, (51, 71), np.uint8)
    scene = lay(grey, MODEL, size=15)
    assert scene.factor == 2
    return scene


def _colours(*shape, seed=1):
    return np.random.default_rng(seed).normal(0, 20, (2, *shape)).astype(np.float32)


def test_means_over_cells_and_blocks_are_those_by_area(scene):
    ab = _colours(51, 71)
    origin, stride = ([scene.factor * value for value in values] for values in (scene.origin, scene.stride))
    for found, shape, start, step in (
        (cell_means(ab, scene), scene.cells, origin, stride),
        (guide_means(ab, scene), scene.guide.shape, (1.0, 1.0), (2.0, 2.0)),
    ):
        expected = [slow_cell_means(plane, shape, (51.0, 71.0), start, step) for plane in ab]
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("way", "order"), [(bilinear, 1), (bicubic, 3)])
def test_splines_are_those_of_scipy_through_the_centres_of_cells(scene, way, order):
    cells = _colours(*scene.cells)
    y, x = (
        (np.arange(length) + 0.5 - at) / step
        for length, at, step in zip(scene.guide.shape, scene.origin, scene.stride, strict=True)
    )
    places = np.meshgrid(y, x, indexing="ij")
    expected = [map_coordinates(plane, places, order=order, mode="nearest") for plane in cells]
    np.testing.assert_allclose(way(cells, scene), expected, atol=2e-3)


def test_the_correction_leaves_less_missing_in_the_cells(scene):
    cells = _colours(*scene.cells)

    def missing(way):
        slope, offset, _ = way(cells, scene)
        reached = slope * scene.guide + offset
        layout = scene.guide.shape, scene.extent, scene.origin, scene.stride
        means = [slow_cell_means(plane, scene.cells, *layout[1:]) for plane in reached]
        return np.abs(cells - means).mean()

    assert missing(corrected) < 0.7 * missing(ours)


@pytest.mark.parametrize("way", [zhang16, lambda cells, scene: plain(bilinear(cells, scene), scene)])
def test_grey_cells_give_back_the_photograph(scene, way):
    picture = merged(way(np.zeros((2, *scene.cells), np.float32), scene), scene)
    assert picture.shape == (51, 71, 3)
    np.testing.assert_allclose(picture, np.repeat(scene.photo.codes[..., None], 3, axis=-1).astype(int), atol=1)
