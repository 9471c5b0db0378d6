import numpy as np
import pytest

from reference.transfer import area, classified, curve, eleven_point
from tintype.data.voc import IGNORED
from tintype.transfer.multilabel_scores import RULES, class_precisions, class_table, mean_precision

metrics = pytest.importorskip("sklearn.metrics")


def _random(pictures=60, classes=5):
    rng = np.random.default_rng(0)
    labels = (rng.random((pictures, classes)) < 0.3).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.1] = IGNORED
    labels[:, 3] = np.where(labels[:, 3] == 1, 0, labels[:, 3])  # a class that no picture shows
    return rng.normal(size=labels.shape).astype(np.float32) + (labels == 1), labels


def test_each_class_is_measured_by_the_devkits_rules_and_scikit_learns_without_ignored_pictures():
    scores, labels = _random()
    found = class_precisions(scores, labels)
    for c in range(5):
        if c == 3:
            assert np.isnan(found[c]).all()
            continue
        points = curve(*classified(scores[:, c].tolist(), labels[:, c].tolist()))
        counted = labels[:, c] != IGNORED
        other = metrics.average_precision_score(labels[counted, c], scores[counted, c])
        assert found[c] == pytest.approx([100 * area(points), 100 * eleven_point(points), 100 * other])


def test_ignored_labels_change_nothing_wherever_their_pictures_rank():
    scores, labels = _random()
    before = class_precisions(scores, labels)
    scores[labels == IGNORED] = 99
    np.testing.assert_array_equal(class_precisions(scores, labels), before)


def test_the_mean_is_over_classes_that_some_picture_shows():
    scores, labels = _random()
    found = class_precisions(scores, labels)
    assert list(mean_precision(found)) == list(RULES) == ["area", "eleven_point", "scikit_learn"]
    assert list(mean_precision(found).values()) == pytest.approx(found[[0, 1, 2, 4]].mean(axis=0))
    assert list(mean_precision(found[3:4]).values()) == [None] * 3


def test_the_table_has_each_class_that_is_shown_and_how_often():
    scores, labels = _random()
    found = class_precisions(scores, labels)
    rows = class_table(found, labels, list("abcde"))
    assert list(rows) == list("abce")
    assert rows["b"]["positives"] == (labels[:, 1] == 1).sum()
    assert [rows["b"][rule] for rule in RULES] == found[1].tolist()


def test_of_pictures_that_score_the_same_scikit_learns_rule_has_negatives_first():
    """As in train_cls.py, which takes a little off the scores of positives."""
    labels = np.array([[1], [0], [0], [0]], np.uint8)
    assert class_precisions(np.zeros((4, 1)), labels)[0, 2] == pytest.approx(25)
