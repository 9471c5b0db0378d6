import math
import time

import numpy as np
import pytest

from reference.transfer import area, curve, detected, eleven_point, overlap, points_101
from tintype.data.boxes import Boxes
from tintype.transfer import Detections, detection_average_precision, mean_over_classes
from tintype.transfer.detection import intersection_over_union, rank


def _truth(corners, classes, difficult=None):
    none = np.zeros(len(classes), bool)
    return Boxes(corners, np.asarray(classes), none if difficult is None else difficult, none)


def _boxes(rng, number):
    corner = rng.integers(0, 60, (number, 2))
    return np.hstack([corner, corner + rng.integers(5, 40, (number, 2))]).astype(np.float64)


def _near(rng, boxes, shift):
    return boxes + rng.integers(-shift, shift + 1, boxes.shape)


def _crowded(seed, images=12, classes=3):
    """True boxes that overlap each other, of which some are difficult; several detections near each, and stray ones;
    scores of one decimal, so that many are equal."""
    rng = np.random.default_rng(seed)
    detections, truths = [], []
    for _ in range(images):
        true = _boxes(rng, rng.integers(0, 6))
        kinds = rng.integers(0, classes, len(true))
        truths.append(_truth(true, kinds, rng.random(len(true)) < 0.3))
        found = np.vstack([_near(rng, true, 3), _near(rng, true, 6), _boxes(rng, 3)])
        guesses = np.concatenate([kinds, kinds, rng.integers(0, classes, 3)])
        detections.append(Detections(found, guesses, rng.random(len(found)).round(1)))
    return detections, truths


def _twin(detections, truths, one, plus):
    return detected(
        [
            [
                (box.tolist(), score)
                for box, kind, score in zip(d.corners, d.classes, d.scores, strict=True)
                if kind == one
            ]
            for d in detections
        ],
        [[(b.tolist(), hard) for b, kind, hard, _ in zip(*t, strict=True) if kind == one] for t in truths],
        plus,
    )


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("seed", range(15))
def test_answers_and_scores_are_those_of_the_devkits_program(seed, inclusive):
    detections, truths = _crowded(seed)
    scores = detection_average_precision(detections, truths, 3, inclusive=inclusive)
    rankings = rank(detections, truths, 3, inclusive=inclusive)
    for one in range(3):
        answers, positives = _twin(detections, truths, one, int(inclusive))
        ranking = rankings[one]
        assert ranking.right.tolist() == [answer for answer in answers if answer is not None]
        assert ranking.positives == positives
        points = curve(answers, positives)
        assert scores[one] == pytest.approx((eleven_point(points), area(points)), abs=1e-12)


@pytest.mark.parametrize("inclusive", [True, False])
def test_overlap_is_that_of_the_devkits_program(inclusive):
    rng = np.random.default_rng(0)
    one, other = _boxes(rng, 30), _boxes(rng, 20)
    slow = [[max(0, overlap(a, b, int(inclusive))) for b in other.tolist()] for a in one.tolist()]
    np.testing.assert_allclose(intersection_over_union(one, other, inclusive=inclusive), slow, rtol=1e-12)


def test_overlap_of_points_is_torchvisions():
    ops = pytest.importorskip("torchvision.ops")
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    one, other = _boxes(rng, 30), _boxes(rng, 20)
    theirs = ops.box_iou(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    np.testing.assert_allclose(intersection_over_union(one, other, inclusive=False), theirs, rtol=1e-12)


def _apart(seed, images=40, classes=3):
    """True boxes that do not touch, for then COCO's rule judges each detection as the devkit does."""
    rng = np.random.default_rng(seed)
    cells = np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(-1, 2) * 60.0
    detections, truths = [], []
    for _ in range(images):
        corner = rng.permutation(cells)[: rng.integers(1, 9)] + rng.random((1, 2))
        true = np.hstack([corner, corner + rng.uniform(20, 50, corner.shape)])
        kinds = rng.integers(0, classes, len(true))
        truths.append(_truth(true, kinds))
        found = np.vstack([true + rng.uniform(-9, 9, true.shape), true + rng.uniform(-9, 9, true.shape)])
        guesses = np.where(rng.random(len(found)) < 0.8, np.tile(kinds, 2), rng.integers(0, classes, len(found)))
        detections.append(Detections(found, guesses, rng.random(len(found))))
    return detections, truths


@pytest.mark.parametrize("seed", range(4))
def test_coco_finds_the_same_where_true_boxes_lie_apart(seed):
    """Its curve is the same, so its mean over 101 recalls is equal, and the area at most a hundredth from it: the best
    precision falls from 1 to 0 at most, and is read at each hundredth of recall."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pycocotools")
    coco = pytest.importorskip("torchmetrics.detection")
    detections, truths = _apart(seed)
    metric = coco.MeanAveragePrecision(iou_thresholds=[0.5], class_metrics=True)
    metric.warn_on_many_detections = False
    metric.update(
        [
            {"boxes": torch.from_numpy(d.corners), "scores": torch.from_numpy(d.scores), "labels": _ids(d.classes)}
            for d in detections
        ],
        [{"boxes": torch.from_numpy(t.corners), "labels": _ids(t.classes)} for t in truths],
    )
    theirs = metric.compute()
    ours = detection_average_precision(detections, truths, 3, inclusive=False)
    for one, (right, positives) in enumerate(rank(detections, truths, 3, inclusive=False)):
        assert 0.2 < ours[one].area < 0.9
        assert float(theirs["map_per_class"][one]) == pytest.approx(
            points_101(curve(right.tolist(), positives)), abs=1e-6
        )
        assert float(theirs["map_per_class"][one]) == pytest.approx(ours[one].area, abs=0.01)
    assert float(theirs["map"]) == pytest.approx(mean_over_classes(ours).area, abs=0.01)


def _ids(classes):
    import torch

    return torch.from_numpy(classes)


def _one_image(true, found, difficult=(), inclusive=False):
    boxes = np.array(true, float).reshape(-1, 4)
    hard = np.isin(np.arange(len(boxes)), difficult)
    corners = np.array(found, float).reshape(-1, 4)
    detections = Detections(corners, np.zeros(len(corners), int), -np.arange(len(corners), dtype=float))
    (ranking,) = rank([detections], [_truth(boxes, np.zeros(len(boxes), int), hard)], 1, inclusive=inclusive)
    return ranking


def test_a_second_hit_is_wrong():
    assert _one_image([[0, 0, 10, 10]], [[0, 0, 10, 10], [0, 0, 10, 9]]).right.tolist() == [True, False]


def test_a_detection_whose_nearest_box_is_found_already_is_wrong_even_where_it_reaches_another():
    """Where COCO's rule would count the second as right."""
    true = [[0, 0, 10, 10], [0, 2, 10, 12]]
    found = [[0, 0, 10, 10], [0, 0.5, 10, 10.5]]
    assert (intersection_over_union(np.array(found), np.array(true), inclusive=False)[1] > 0.5).all()
    assert _one_image(true, found).right.tolist() == [True, False]


def test_difficult_boxes_count_neither_for_nor_against_however_often_they_are_hit():
    true, found = [[0, 0, 10, 10], [50, 50, 60, 60]], [[50, 50, 60, 60], [50, 50, 60, 60], [0, 0, 10, 10]]
    ranking = _one_image(true, found, difficult=[1])
    assert (ranking.right.tolist(), ranking.positives) == ([True], 1)


def test_an_overlap_of_one_half_is_enough():
    assert _one_image([[0, 0, 10, 10]], [[0, 0, 10, 5]]).right.tolist() == [True]
    assert _one_image([[0, 0, 10, 10]], [[0, 0, 10, 4.99]]).right.tolist() == [False]


def test_pixels_at_both_ends_belong_to_a_box_by_the_devkits_rule():
    """Rows 0..9 and 0..4 are 10 and 5 pixels, one half; as points they are 9 and 4 apart, less than that."""
    true, found = [[0, 0, 9, 9]], [[0, 0, 9, 4]]
    assert _one_image(true, found, inclusive=True).right.tolist() == [True]
    assert _one_image(true, found, inclusive=False).right.tolist() == [False]


def test_a_detection_of_another_class_or_in_another_image_is_wrong():
    box = np.array([[0.0, 0, 10, 10]])
    none = _truth(np.zeros((0, 4)), np.zeros(0, int))
    truths = [_truth(box, [1]), none]
    sure = np.ones(1)
    detections = [Detections(box, np.array([0]), sure), Detections(box, np.array([1]), sure)]
    scores = detection_average_precision(detections, truths, 2, inclusive=True)
    assert math.isnan(scores[0].area)
    assert scores[1] == (0, 0)
    assert mean_over_classes(scores) == (0, 0)


def test_true_boxes_as_detections_score_one_and_no_detections_zero():
    _, truths = _crowded(5)
    perfect = [Detections(t.corners, t.classes, np.ones(len(t.classes))) for t in truths]
    assert mean_over_classes(detection_average_precision(perfect, truths, 3, inclusive=True)) == (1, 1)
    nothing = [Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0)) for _ in truths]
    assert mean_over_classes(detection_average_precision(nothing, truths, 3, inclusive=True)) == (0, 0)
    assert all(math.isnan(value) for each in detection_average_precision([], [], 2, inclusive=True) for value in each)


def test_what_cannot_be_ranked_is_refused():
    detections, truths = _crowded(0)
    with pytest.raises(ValueError, match=r"^11 images have detections, and 12 have true boxes$"):
        rank(detections[1:], truths, 3, inclusive=True)
    detections[3].scores[0] = np.nan
    with pytest.raises(ValueError, match=r"^image 3 has detections with scores or corners that are not finite"):
        rank(detections, truths, 3, inclusive=True)


def test_a_test_set_of_vocs_size_takes_seconds():
    rng = np.random.default_rng(0)
    detections, truths = [], []
    for _ in range(4952):
        truths.append(_truth(_boxes(rng, 3), rng.integers(0, 20, 3)))
        detections.append(Detections(_boxes(rng, 100), rng.integers(0, 20, 100), rng.random(100)))
    start = time.process_time()
    detection_average_precision(detections, truths, 20, inclusive=True)
    assert time.process_time() - start < 10
