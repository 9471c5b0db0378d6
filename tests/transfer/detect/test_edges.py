import numpy as np
import pytest
import torch
from torchvision.models.detection._utils import BoxCoder
from torchvision.ops import box_iou

from tintype.transfer.detect.edges import decode, encode, from_corners, mirrored, overlaps, to_corners


def _boxes(rng, number):
    first = rng.uniform(0, 100, (number, 2))
    return np.concatenate([first, first + rng.uniform(3, 80, (number, 2))], axis=1).astype(np.float32)


def test_overlap_is_torchvisions():
    rng = np.random.default_rng(0)
    one, other = _boxes(rng, 20), _boxes(rng, 7)
    theirs = box_iou(torch.from_numpy(one), torch.from_numpy(other))
    np.testing.assert_allclose(overlaps(one, other), theirs, rtol=1e-4, atol=1e-6)


def test_offsets_are_torchvisions_with_the_weights_of_fast_rcnn():
    rng = np.random.default_rng(1)
    proposals, boxes = _boxes(rng, 30), _boxes(rng, 30)
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
    theirs = coder.encode_single(torch.from_numpy(boxes), torch.from_numpy(proposals))
    np.testing.assert_allclose(encode(proposals, boxes), theirs, rtol=1e-4, atol=1e-5)


def test_boxes_from_offsets_are_torchvisions_even_where_a_side_would_explode():
    rng = np.random.default_rng(2)
    proposals = torch.from_numpy(_boxes(rng, 30))
    offsets = torch.from_numpy(rng.normal(0, 8, (30, 4)).astype(np.float32))
    assert (offsets[:, 2:] / 5 > 2).any()
    theirs = BoxCoder((10.0, 10.0, 5.0, 5.0)).decode_single(offsets, proposals)
    torch.testing.assert_close(decode(proposals, offsets), theirs, rtol=1e-4, atol=1e-3)
    big = decode(proposals, torch.full((30, 4), 40.0))
    torch.testing.assert_close(big[:, 2] - big[:, 0], (proposals[:, 2] - proposals[:, 0]) * 1000 / 16)


def test_offsets_of_each_class_lead_back_to_the_boxes_they_were_made_from():
    rng = np.random.default_rng(3)
    proposals, boxes = _boxes(rng, 9), [_boxes(rng, 9) for _ in range(3)]
    offsets = np.stack([encode(proposals, each) for each in boxes], axis=1)
    back = decode(torch.from_numpy(proposals)[:, None], torch.from_numpy(offsets))
    np.testing.assert_allclose(back, np.stack(boxes, axis=1), rtol=1e-4, atol=1e-3)


def test_the_outermost_pixels_of_a_box_lie_inside_of_its_edges():
    corners = np.array([[0, 0, 0, 0], [3, 4, 5, 9]])
    np.testing.assert_array_equal(from_corners(corners), [[0, 0, 1, 1], [3, 4, 6, 10]])
    np.testing.assert_array_equal(to_corners(from_corners(corners)), corners)


def test_a_mirrored_box_holds_the_mirrored_pixels():
    mask = np.zeros((8, 20), bool)
    mask[2:5, 3:11] = True
    ((left, top, right, bottom),) = mirrored(np.array([[3, 2, 11, 5]], np.float32), 20).astype(int)
    again = np.zeros_like(mask)
    again[top:bottom, left:right] = True
    np.testing.assert_array_equal(again, mask[:, ::-1])


@pytest.mark.parametrize("side", [1.0, 400.0])
def test_no_offset_leaves_a_box_as_it_is(side):
    box = torch.tensor([[2.0, 3.0, 2 + side, 3 + 2 * side]])
    torch.testing.assert_close(decode(box, torch.zeros(1, 4)), box)
