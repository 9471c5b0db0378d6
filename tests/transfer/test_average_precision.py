import math

import numpy as np
import pytest

from reference.transfer import area, classified, curve, eleven_point
from tintype.data.voc import IGNORED
from tintype.transfer import average_precision, mean_over_classes
from tintype.transfer.average_precision import AveragePrecision, of_ranking

metrics = pytest.importorskip("sklearn.metrics")


def _random(seed, images=200, present=0.2, ignored=0.1, tied=False):
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(images) < ignored, IGNORED, rng.random(images) < present)
    scores = rng.normal(size=images) + (labels == 1)
    return (scores.round(1) if tied else scores), labels


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_both_rules_are_those_of_the_devkits_programs(seed, tied):
    scores, labels = _random(seed, tied=tied)
    points = curve(*classified(scores.tolist(), labels.tolist()))
    assert average_precision(scores, labels) == pytest.approx((eleven_point(points), area(points)), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_both_rules_follow_from_the_curve_that_scikit_learn_draws(seed):
    """Without ties, its curve has the same points as the devkit's."""
    scores, labels = _random(seed, images=1000)
    counted = labels != IGNORED
    precision, recall, _ = metrics.precision_recall_curve(labels[counted], scores[counted])
    precision, recall = precision[:-1][::-1], recall[:-1][::-1]  # its last point is of no answer
    best = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.mean([best[recall >= np.round(t, 1)].max(initial=0) for t in np.linspace(0, 1, 11)])
    found = average_precision(scores, labels)
    assert found.eleven_point == pytest.approx(points, abs=1e-12)
    assert found.area == pytest.approx(np.sum(np.diff(recall, prepend=0) * best), abs=1e-12)


def test_area_is_scikit_learns_average_precision_where_precision_only_falls_and_above_it_elsewhere():
    falling = np.array([1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0])
    scores = -np.arange(12.0)
    assert average_precision(scores, falling).area == pytest.approx(metrics.average_precision_score(falling, scores))
    for seed in range(20):
        scores, labels = _random(seed, ignored=0)
        assert average_precision(scores, labels).area >= metrics.average_precision_score(labels, scores) - 1e-12


def test_worked_by_hand():
    """Of 4, found at ranks 1, 3 and 4: precision 1, 2/3 and 3/4, of which 3/4 holds for recalls up to .75."""
    found = average_precision(-np.arange(5.0), np.array([1, 0, 1, 1, 0]))
    assert found == pytest.approx((1 / 11 * (4 + 7 * 0.75), 1 / 3 * (1 + 0.75 + 0.75)))
    missed = of_ranking(np.array([True, False, True, True, False]), 4)
    assert missed == pytest.approx(((3 * 1 + 5 * 0.75) / 11, (1 + 0.75 + 0.75) / 4))


def test_a_published_example():
    """24 detections of 15 objects: 26.84 % by 11 points, 24.56 % by area, of figures cut off after the fourth place
    (the worked example of github.com/rafaelpadilla/Object-Detection-Metrics)."""
    right = np.array([letter == "T" for letter in "TFTFFFFFFTFTTTFFFFFFFFTF"])
    found = of_ranking(right, 15)
    assert 100 * found.eleven_point == pytest.approx(26.84, abs=0.01)
    assert 100 * found.area == pytest.approx(24.56, abs=0.01)


def test_a_recall_of_exactly_three_tenths_reaches_the_point_of_three_tenths():
    ranking = np.array([True] * 3 + [False] * 3 + [True] * 7)
    assert of_ranking(ranking, 10).eleven_point == pytest.approx((4 + 7 * 10 / 13) / 11)


def test_a_perfect_ranking_scores_one_and_an_empty_one_zero():
    labels = np.array([1, 1, 0, IGNORED])
    assert average_precision(np.array([3.0, 2.0, 1.0, 9.0]), labels) == (1, 1)
    assert of_ranking(np.zeros(0, bool), 3) == (0, 0)
    assert of_ranking(np.zeros(5, bool), 3) == (0, 0)


def test_ties_stay_in_order():
    scores = np.zeros(2)
    assert average_precision(scores, np.array([1, 0])).area == 1
    assert average_precision(scores, np.array([0, 1])).area == 0.5


def test_random_scores_are_worth_the_share_of_positives():
    rng = np.random.default_rng(0)
    labels = (rng.random(20_000) < 0.1).astype(np.int64)
    assert average_precision(rng.random(20_000), labels).area == pytest.approx(0.1, abs=0.01)


def test_ignored_images_change_nothing_wherever_they_rank():
    scores, labels = _random(3)
    counted = labels != IGNORED
    assert average_precision(scores, labels) == average_precision(scores[counted], labels[counted])


def test_the_mean_is_over_classes_that_have_something_to_find():
    nothing = average_precision(np.ones(3), np.array([0, 0, IGNORED]))
    assert math.isnan(nothing.eleven_point)
    assert math.isnan(nothing.area)
    assert mean_over_classes([AveragePrecision(0.5, 0.25), nothing, AveragePrecision(1.0, 0.75)]) == (0.75, 0.5)
    assert all(math.isnan(value) for value in mean_over_classes([nothing]))


def test_what_is_no_score_or_no_label_is_refused():
    with pytest.raises(ValueError, match=r"^labels are 1, 0 or 255, got -1$"):
        average_precision(np.ones(3), np.array([1, -1, 0]))
    with pytest.raises(ValueError, match=r"^1 of 3 scores are not a number$"):
        average_precision(np.array([1, np.nan, 2]), np.array([1, 1, 0]))
    with pytest.raises(ValueError, match="a score and a label for each image"):
        average_precision(np.ones(3), np.ones(4, int))
