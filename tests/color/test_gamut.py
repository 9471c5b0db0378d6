import numpy as np
import pytest
import torch

from reference import bins as reference
from tintype.color.gamut import bin_centres, nearest_bin

CENTRES = reference.bin_centres().astype(float)


def brute_force(ab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the nearest centre, and by how much the second is farther, of (N, 2) colours."""
    distance = np.linalg.norm(ab[:, None].astype(float) - CENTRES, axis=-1)
    two = np.sort(distance, 1)[:, :2]
    return distance.argmin(1), two[:, 1] - two[:, 0]


def test_bins_are_those_of_the_papers_table():
    assert bin_centres().shape == (313, 2)
    assert bin_centres().dtype == np.float32
    np.testing.assert_array_equal(bin_centres(), CENTRES)


def test_bins_are_the_published_ones_in_the_published_order(published_bins):
    np.testing.assert_array_equal(bin_centres(), published_bins)


def test_bins_are_the_corners_of_the_cells_that_srgb_reaches_and_four_more():
    corners = reference.corners_of_the_cells_that_srgb_reaches()
    bins = {(int(a), int(b)) for a, b in bin_centres()}
    assert len(corners) == 309
    assert bins - corners == {(40, 90), (100, -90), (100, -10), (100, 0)}
    assert corners < bins


def test_a_caller_cannot_spoil_the_bins_for_others():
    centres = bin_centres()
    try:
        centres += 1
    except ValueError:  # read-only
        return
    np.testing.assert_array_equal(bin_centres(), CENTRES)


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reach", [60, 130, 1000])
def test_nearest_bin_is_the_nearest_by_brute_force_in_and_out_of_gamut(make, dtype, reach):
    ab = np.random.default_rng(reach).uniform(-reach, reach, (8_000, 2)).astype(dtype)
    expected, lead = brute_force(ab)
    clear = lead > 1e-3
    assert clear.mean() > 0.99
    found = nearest_bin(make(ab))
    assert isinstance(found, type(make(ab)))
    assert found.shape == (len(ab),)
    assert str(found.dtype).endswith("int64")
    np.testing.assert_array_equal(np.asarray(found)[clear], expected[clear])


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_a_tie_goes_to_one_of_the_nearest(make):
    """Sides and corners of the grid's cells, inside and outside the set of bins."""
    step = np.arange(-130, 131, 5.0)
    ab = np.stack(np.meshgrid(step, step), -1).reshape(-1, 2)
    distance = np.linalg.norm(ab[:, None] - CENTRES, axis=-1)
    found = np.asarray(nearest_bin(make(ab.astype(np.float32))))
    np.testing.assert_allclose(distance[np.arange(len(ab)), found], distance.min(1), atol=1e-4)


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_each_centre_is_its_own_nearest_bin(make):
    np.testing.assert_array_equal(np.asarray(nearest_bin(make(bin_centres()))), np.arange(313))


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_no_colours_have_no_bins(make):
    assert nearest_bin(make(np.zeros((0, 2), np.float32))).shape == (0,)


def test_nearest_bin_reads_strided_input():
    ab = torch.from_numpy(np.random.default_rng(0).uniform(-130, 130, (2, 500)).astype(np.float32)).T
    assert not ab.is_contiguous()
    assert nearest_bin(ab).equal(nearest_bin(ab.contiguous()))
