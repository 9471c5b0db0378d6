import numpy as np
import pytest
import torch
from torchvision.ops import nms

from reference.detection import suppressed
from tintype.data.boxes import Boxes
from tintype.transfer import detection_average_precision, mean_over_classes
from tintype.transfer.detect.edges import encode, to_corners
from tintype.transfer.detect.predict import Keep, detections, loss


def _answers(rng, number=60, classes=3):
    first = rng.uniform(0, 60, (number, 2))
    rois = np.concatenate([first, first + rng.uniform(10, 40, (number, 2))], axis=1).astype(np.float32)
    scores, offsets = rng.normal(0, 2, (number, 1 + classes)), rng.normal(0, 1, (number, 1 + classes, 4))
    return tuple(torch.from_numpy(part.astype(np.float32)) for part in (scores, offsets, rois))


def _slow(scores, offsets, rois, keep, width, height):
    """Every box of every class, one at a time."""
    boxes, sure, kinds = [], [], []
    for roi, own, each in zip(rois.tolist(), offsets, scores.double().softmax(1), strict=True):
        for kind in range(1, len(each)):
            if each[kind] > keep.score:
                dx, dy, dw, dh = (own[kind].double() * torch.tensor([0.1, 0.1, 0.2, 0.2])).tolist()
                w, h = roi[2] - roi[0], roi[3] - roi[1]
                x, y = roi[0] + w / 2 + dx * w, roi[1] + h / 2 + dy * h
                w, h = w * np.exp(dw), h * np.exp(dh)
                sides = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
                boxes.append([min(max(s, 0), end) for s, end in zip(sides, (width, height) * 2, strict=True)])
                sure.append(float(each[kind]))
                kinds.append(kind - 1)
    stay = suppressed(boxes, sure, kinds, keep.overlap)
    return np.array(boxes)[stay], np.array(kinds)[stay], np.array(sure)[stay]


@pytest.mark.parametrize("seed", range(3))
def test_of_boxes_of_a_class_that_overlap_the_surest_stays(seed):
    answers, keep = _answers(np.random.default_rng(seed)), Keep(0.1, 0.3, 0)
    found = detections(*answers, (90, 110), (90, 110), keep)
    boxes, kinds, sure = _slow(*answers, keep, 110, 90)
    assert 10 < len(sure) < 150
    np.testing.assert_allclose(found.scores, sure, rtol=1e-5)
    np.testing.assert_array_equal(found.classes, kinds)
    np.testing.assert_allclose(found.corners, boxes - [0, 0, 1, 1], rtol=1e-4, atol=1e-3)


def test_each_class_is_torchvisions_nms():
    scores, offsets, rois = _answers(np.random.default_rng(7))
    found = detections(scores, torch.zeros_like(offsets), rois, (200, 200), (200, 200), Keep(0, 0.3, 0))
    for kind in range(3):
        own = scores.softmax(1)[:, 1 + kind]
        np.testing.assert_allclose(found.scores[found.classes == kind], own[nms(rois, own, 0.3)], rtol=1e-5)


def test_only_the_surest_of_all_classes_are_kept():
    answers = _answers(np.random.default_rng(0))
    every = detections(*answers, (90, 110), (90, 110), Keep(0.1, 0.3, 0))
    few = detections(*answers, (90, 110), (90, 110), Keep(0.1, 0.3, 7))
    np.testing.assert_array_equal(few.scores, every.scores[:7])
    assert (np.diff(every.scores) <= 0).all()


def test_boxes_are_in_the_pictures_own_pixels_whatever_its_size_was_when_seen():
    """A picture of 100 x 50 seen at 200 x 150: twice as wide, three times as high."""
    true, roi = np.array([[20.0, 30, 81, 60]]), np.array([[10.0, 24, 90, 70]])
    offsets = torch.zeros(1, 3, 4)
    offsets[:, 2] = torch.from_numpy(encode(roi, true))
    scores = torch.tensor([[0.0, -9.0, 9.0]])
    found = detections(scores, offsets, torch.from_numpy(roi).float(), (150, 200), (50, 100), Keep())
    assert found.classes.tolist() == [1]
    np.testing.assert_allclose(found.corners, [[10, 10, 39.5, 19]], atol=1e-4)


def test_nothing_proposed_or_nothing_sure_is_nothing_detected():
    scores, offsets, rois = _answers(np.random.default_rng(0))
    for few in (slice(0), slice(5)):
        found = detections(scores[few], offsets[few], rois[few], (90, 110), (90, 110), Keep(score=1.0))
        assert [len(part) for part in found] == [0, 0, 0]


def test_the_loss_is_cross_entropy_and_smooth_l1_of_the_true_class_over_all_regions():
    rng = np.random.default_rng(1)
    scores, offsets, _ = _answers(rng, 6)
    labels, targets = torch.tensor([2, 0, 0, 3, 0, 1]), torch.from_numpy(rng.normal(0, 2, (6, 4)).astype(np.float32))
    classified, located = loss(scores, offsets, labels, targets, 8)
    log, wanted = scores.double().log_softmax(1), 0.0
    assert classified.item() == pytest.approx(sum(-log[n, labels[n]].item() for n in range(6)) / 8)
    for n in (0, 3, 5):
        for side in range(4):
            apart = abs(float(offsets[n, labels[n], side] - targets[n, side]))
            wanted += 0.5 * apart**2 if apart < 1 else apart - 0.5
    assert located.item() == pytest.approx(wanted / 8, rel=1e-5)


def test_boxes_of_background_and_of_other_classes_learn_nothing():
    scores, offsets, _ = _answers(np.random.default_rng(2), 5)
    offsets.requires_grad_()
    labels = torch.tensor([0, 2, 0, 0, 3])
    loss(scores, offsets, labels, torch.ones(5, 4), 5)[1].backward()
    taught = offsets.grad.any(2).nonzero().tolist()
    assert taught == [[1, 2], [4, 3]]


def test_without_an_object_there_is_a_loss_of_zero_with_a_gradient():
    scores, offsets, _ = _answers(np.random.default_rng(3), 4)
    offsets.requires_grad_()
    located = loss(scores, offsets, torch.zeros(4, dtype=torch.long), torch.zeros(4, 4), 4)[1]
    located.backward()
    assert (located.item(), offsets.grad.abs().sum().item()) == (0, 0)


def test_chance_finds_next_to_nothing_and_the_truth_everything():
    rng = np.random.default_rng(4)
    by_chance, by_heart, truths = [], [], []
    for _ in range(30):
        scores, offsets, rois = _answers(rng, 200, 20)
        corners, kinds = to_corners(rois[:2].numpy()), rng.integers(0, 20, 2)
        truths.append(Boxes(corners, kinds, np.zeros(2, bool), np.zeros(2, bool)))
        by_chance.append(detections(scores, offsets, rois, (100, 100), (100, 100), Keep()))
        known = torch.zeros(200, 21)
        known[:, 0] = known[[0, 1], torch.from_numpy(kinds + 1)] = 9
        known[:2, 0] = 0
        by_heart.append(detections(known, 0 * offsets, rois, (100, 100), (100, 100), Keep()))
    chance, heart = (
        mean_over_classes(detection_average_precision(found, truths, 20, inclusive=True))
        for found in (by_chance, by_heart)
    )
    assert chance.area < 0.02
    assert heart == (1, 1)
