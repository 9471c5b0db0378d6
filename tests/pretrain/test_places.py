import pytest
import torch

from tintype.pretrain.places import at_points, draw_points, grid_points, sample


def test_points_lie_away_from_the_edge_and_reach_all_the_rest():
    points = draw_points(4, 24, 2000, 5, 0, 1)
    assert points.shape == (4, 2000, 2)
    assert points.dtype == torch.int64
    for axis in (0, 1):
        assert points[..., axis].unique().tolist() == list(range(5, 19))


def test_points_follow_from_the_seed_the_step_and_the_place_in_the_joint_batch():
    whole = draw_points(6, 100, 30, 8, 3, 7)
    shares = [draw_points(2, 100, 30, 8, 3, 7, first=first) for first in (0, 2, 4)]
    assert torch.cat(shares).equal(whole)
    assert not whole[0].equal(whole[1])
    assert not whole.equal(draw_points(6, 100, 30, 8, 3, 8))
    assert not whole.equal(draw_points(6, 100, 30, 8, 4, 7))


def test_drawing_points_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    draw_points(2, 100, 30, 8, 3, 7)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_pixels_are_taken_at_their_rows_and_columns():
    x = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    points = torch.tensor([[[0, 0], [3, 4], [1, 2]], [[2, 1], [0, 3], [3, 0]]])
    found = at_points(x, points)
    for b in range(2):
        for n, (row, column) in enumerate(points[b].tolist()):
            assert found[b, :, n].tolist() == x[b, :, row, column].tolist()


@pytest.mark.parametrize(("size", "stride", "origin"), [((8, 12), 4, 0), ((9, 10), 4, 2), ((23, 17), 8, 4)])
def test_a_grids_points_are_its_cells_row_by_row_within_the_picture(size, stride, origin):
    x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    rows, columns = (torch.arange(-(-side // stride)) * stride + origin for side in size)
    expected = [(min(r, size[0] - 1), min(c, size[1] - 1)) for r in rows.tolist() for c in columns.tolist()]
    points = grid_points(*size, stride, origin)
    assert [tuple(p) for p in points[0].tolist()] == expected
    if origin == 0:
        at = at_points(torch.stack(x)[None].float(), points)
        assert at.view(1, 2, len(rows), len(columns)).equal(sample(torch.stack(x)[None].float(), "point", stride))


def test_point_sampling_takes_every_fourth_pixel_and_mean_averages():
    ab = torch.arange(64.0).reshape(1, 1, 8, 8).expand(1, 2, 8, 8)
    assert sample(ab, "point")[0, 0].tolist() == [[0, 4], [32, 36]]
    assert sample(ab, "mean")[0, 0].tolist() == [[13.5, 17.5], [45.5, 49.5]]


def test_where_the_stride_does_not_divide_the_side_the_last_mean_is_of_what_is_left():
    ab = torch.arange(100.0).reshape(1, 1, 10, 10)
    assert sample(ab, "point", 8).shape == sample(ab, "mean", 8).shape == (1, 1, 2, 2)
    assert sample(ab, "mean", 8)[0, 0, 1, 1] == pytest.approx(sum((88, 89, 98, 99)) / 4)
