import numpy as np
import torch
from torchvision.ops import box_iou

from tintype.transfer.detect.edges import encode
from tintype.transfer.detect.sampler import Quota, sample

BOXES = np.array([[10, 10, 60, 60], [100, 20, 180, 90]], np.float32)
CLASSES = np.array([4, 17])


def _proposals(number, seed=0):
    rng = np.random.default_rng(seed)
    near = np.repeat(BOXES, number, axis=0) + rng.uniform(-20, 20, (2 * number, 4))
    first = rng.uniform(0, 200, (number, 2))
    far = np.concatenate([first, first + 5 + rng.uniform(0, 100, (number, 2))], axis=1)
    return np.concatenate([near, far]).astype(np.float32)


def _overlaps(edges):
    return box_iou(torch.from_numpy(edges), torch.from_numpy(BOXES)).numpy()


def test_a_quarter_shows_objects_and_the_rest_is_background_that_touches_them():
    rois = sample(_proposals(300), BOXES, CLASSES, Quota(), np.random.default_rng(0))
    most = _overlaps(rois.edges).max(1)
    objects = rois.labels > 0
    assert (len(rois.labels), objects.sum()) == (64, 16)
    assert (most[objects] >= 0.5).all()
    assert ((most[~objects] >= 0.1) & (most[~objects] < 0.5)).all()
    assert len(np.unique(rois.edges, axis=0)) == 64


def test_objects_have_the_class_and_offsets_of_the_box_they_overlap_most():
    rois = sample(_proposals(300), BOXES, CLASSES, Quota(), np.random.default_rng(1))
    nearest = _overlaps(rois.edges).argmax(1)
    objects = rois.labels > 0
    assert set(rois.labels[objects]) == {5, 18}
    np.testing.assert_array_equal(rois.labels[objects], CLASSES[nearest[objects]] + 1)
    np.testing.assert_array_equal(rois.targets[objects], encode(rois.edges, BOXES[nearest])[objects])
    assert not rois.targets[~objects].any()


def test_background_takes_what_objects_leave_and_there_may_be_too_little_of_both():
    proposals = _proposals(300)[600:]
    rois = sample(proposals, BOXES, CLASSES, Quota(), np.random.default_rng(0))
    most = np.concatenate([_overlaps(proposals).max(1), np.ones(len(BOXES))])
    objects, background = int((most >= 0.5).sum()), int(((most >= 0.1) & (most < 0.5)).sum())
    assert (objects < 16, objects + background < 64) == (True, True)
    assert [int((rois.labels > 0).sum()), int((rois.labels == 0).sum())] == [objects, background]
    alone = sample(np.zeros((0, 4), np.float32), BOXES, CLASSES, Quota(), np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(alone.edges, axis=0), np.sort(BOXES, axis=0))  # the true boxes themselves
    assert set(alone.labels) == {5, 18}
    assert not alone.targets.any()


def test_an_overlap_of_one_half_is_an_object_and_of_one_tenth_background():
    box, kind = np.array([[0, 0, 10, 10]], np.float32), np.array([0])
    proposals = np.array([[0, 0, 10, 5], [0, 0, 10, 4.9], [0, 0, 10, 1], [0, 0, 10, 0.9]], np.float32)
    rois = sample(proposals, box, kind, Quota(), np.random.default_rng(0))
    found = {tuple(edges.tolist()): int(label) for edges, label in zip(rois.edges, rois.labels, strict=True)}
    heights = {round(edges[3], 1): label for edges, label in found.items()}
    assert heights == {10.0: 1, 5.0: 1, 4.9: 0, 1.0: 0}


def test_the_same_random_numbers_draw_the_same_regions_and_others_draw_others():
    one, again, other = (
        sample(_proposals(300), BOXES, CLASSES, Quota(), np.random.default_rng(seed)).edges for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
