import numpy as np
import pytest
import torch
from PIL import Image

from tintype.data import LoadingError
from tintype.data.boxes import Boxes
from tintype.transfer.detect.pictures import Examined, Examples, Scale, Views
from tintype.transfer.detect.sampler import Quota

LEFT, TOP, RIGHT, BOTTOM = 14, 10, 45, 29  # of a red box, pixels that belong to it


@pytest.fixture
def files(tmp_path):
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[TOP : BOTTOM + 1, LEFT : RIGHT + 1, 0] = 255
    photograph, proposals = tmp_path / "a.png", tmp_path / "a.npy"
    Image.fromarray(pixels).save(photograph)
    np.save(proposals, np.array([[LEFT, TOP, RIGHT + 1, BOTTOM + 1], [20, 20, 60, 60]], np.float32))
    corners = np.array([[LEFT, TOP, RIGHT, BOTTOM], [0, 0, 9, 9]], np.float32)
    boxes = Boxes(corners, np.array([3, 5]), np.array([False, True]), np.zeros(2, bool))
    return photograph, boxes, proposals


def _examples(files, scales, flip, object_iou=0.99):
    photograph, boxes, proposals = files
    return Examples([photograph], [boxes], [proposals], scales, Quota(object_iou=object_iou), flip)


@pytest.mark.parametrize("short", [60, 90, 31])
def test_regions_lie_on_the_same_pixels_as_in_the_file_resized_or_mirrored(files, short):
    mirrored = set()
    for seed in range(8):
        picture, rois = _examples(files, [Scale(short, 1000)], True)(0, np.random.default_rng(seed))
        assert picture.shape == (3, short, round(80 * short / 60))
        assert set(rois.labels) <= {0, 4}
        red = picture[0].double() / 255
        for left, top, right, bottom in rois.edges[rois.labels == 4]:
            assert red.sum().item() == pytest.approx((right - left) * (bottom - top), rel=0.02)
            columns, rows = red.sum(0), red.sum(1)
            middle = [float((line * (torch.arange(len(line)) + 0.5)).sum() / line.sum()) for line in (columns, rows)]
            assert middle == pytest.approx([(left + right) / 2, (top + bottom) / 2], abs=0.1)
            mirrored.add(bool(left + right > picture.shape[2]))
    assert mirrored == {True, False}


def test_difficult_boxes_are_not_learned_from(files):
    rois = _examples(files, [Scale(60, 1000)], False, 0.5)(0, np.random.default_rng(0)).rois
    assert 4 in rois.labels
    assert 6 not in rois.labels


def test_all_scales_come_up_and_the_longer_side_is_bounded(files):
    examples = _examples(files, [Scale(30, 1000), Scale(90, 100)], False)
    sizes = {tuple(examples(0, np.random.default_rng(seed)).picture.shape[1:]) for seed in range(12)}
    assert sizes == {(30, 40), (75, 100)}


def test_pictures_to_test_on_have_their_proposals_at_the_same_scale(files):
    photograph, _, proposals = files
    picture, rois, size = Views([photograph], [proposals], Scale(90, 1000))(0)
    assert (tuple(picture.shape), size) == ((3, 90, 120), (60, 80))
    np.testing.assert_allclose(rois, np.load(proposals) * 1.5)


def test_a_batch_is_parted_and_moved_picture_by_picture(files):
    examples = _examples(files, [Scale(30, 1000), Scale(90, 1000)], True)
    batch = Examined.of([examples(0, np.random.default_rng(seed)) for seed in range(4)])
    assert (len(batch), batch.shape) == (4, torch.Size([4]))
    part = batch[2:].to(torch.device("cpu"), non_blocking=True)
    assert len(part) == 2
    assert all(
        a is b for held, all_ in zip(part.batch, batch.batch, strict=True) for a, b in zip(held, all_[2:], strict=True)
    )
    assert {tensor.device.type for tensor in batch.to(torch.device("meta")).batch.targets} == {"meta"}


def test_a_photograph_that_cannot_be_read_is_named(files):
    files[0].write_bytes(b"gone")
    with pytest.raises(LoadingError, match=r"a\.png cannot be read"):
        _examples(files, [Scale(60, 1000)], False)(0, np.random.default_rng(0))
