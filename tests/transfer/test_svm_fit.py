import warnings

import numpy as np
import pytest

from reference.transfer import area, classified, curve
from tintype.data.voc import IGNORED
from tintype.transfer.svm_fit import SvmSettings, cross_validated, draw_shots, fit_classes, fit_low_shot

svm = pytest.importorskip("sklearn.svm")
model_selection = pytest.importorskip("sklearn.model_selection")
metrics = pytest.importorskip("sklearn.metrics")

COSTS = (0.01, 1.0, 100.0)


def _data(pictures=60, classes=3, dimensions=30, seed=0, noise=3.0):
    rng = np.random.default_rng(seed)
    labels = (rng.random((pictures, classes)) < 0.35).astype(np.uint8)
    features = labels @ rng.normal(size=(classes, dimensions)) + noise * rng.normal(size=(pictures, dimensions))
    labels[rng.random(labels.shape) < 0.05] = IGNORED
    return features.astype(np.float32), labels


def _plain(cost):
    return svm.LinearSVC(C=cost, class_weight={1: 2, -1: 1}, dual=True, max_iter=2000, tol=1e-4, random_state=0)


def _signs(labels):
    return np.where(labels == 1, 1, -1)  # ignored ones are negatives in training


def _slowly(features, labels, asked):
    """Each class by itself: folds, fits and average precision one after the other."""
    scores, costs, tables = [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for truth in labels.T:
            signs, table = _signs(truth), []
            for cost in COSTS:
                folds = []
                for known, held_out in model_selection.StratifiedKFold(3).split(features, signs):
                    one = _plain(cost).fit(features[known], signs[known])
                    folds.append(
                        metrics.average_precision_score(signs[held_out], one.decision_function(features[held_out]))
                    )
                table.append(np.mean(folds))
            costs.append(COSTS[int(np.argmax(table))])
            scores.append(_plain(costs[-1]).fit(features, signs).decision_function(asked))
            tables.append(table)
    return np.stack(scores, axis=1), costs, tables


def test_costs_and_scores_are_those_of_scikit_learn_used_plainly():
    features, labels = _data()
    asked, _ = _data(seed=1)
    fitted = fit_classes(features, labels, SvmSettings(COSTS))
    scores, costs, tables = _slowly(features, labels, asked)
    assert fitted.costs.tolist() == costs
    assert len(set(costs)) > 1
    np.testing.assert_allclose(fitted.precisions, tables, rtol=1e-12)
    np.testing.assert_allclose(fitted.scores(asked), scores, rtol=1e-9)
    assert fitted.fits == 3 * (3 * 3 + 1)


def test_several_processes_find_the_same():
    features, labels = _data(24, 2, 5)
    one, two = (fit_classes(features, labels, SvmSettings((1.0,)), jobs) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_fits_that_do_not_converge_are_counted_and_nothing_is_said():
    features, labels = _data(noise=20)
    settings = SvmSettings((100.0,), max_iter=1)
    fitted = fit_classes(features, labels, settings)
    assert fitted.unconverged == fitted.fits == 3 * 4
    assert cross_validated(features, labels[:, 0] == 1, 1e-6, SvmSettings((1e-6,)))[1:] == (3, 0)


def test_classes_too_rare_to_be_cross_validated_are_still_fitted():
    features, labels = _data(classes=5)
    labels[:, 2] = 0
    labels[:, 3] = [1] + [0] * 59
    labels[:, 4] = [1, 1] + [0] * 58
    fitted = fit_classes(features, labels, SvmSettings(COSTS))
    assert np.isnan(fitted.costs).tolist() == [False, False, True, False, False]
    assert not fitted.weights[2].any()
    assert np.isnan(fitted.precisions).any(axis=1).tolist() == [False, False, True, True, False]
    usual = COSTS[int(fitted.precisions[[0, 1, 4]].mean(axis=0).argmax())]
    assert fitted.costs[3] == usual
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = _plain(usual).fit(features, _signs(labels[:, 3]))
    np.testing.assert_allclose(fitted.weights[3], plain.coef_[0], rtol=1e-9)


def test_few_shots_are_so_many_positives_and_negatives_of_each_class_drawn_by_the_generator():
    _, labels = _data(200, 4)
    few = draw_shots(labels, 5, np.random.default_rng(1))
    for c in range(4):
        assert ((few[:, c] == 1).sum(), (few[:, c] == 0).sum()) == (5, 15)
    left = few != IGNORED
    np.testing.assert_array_equal(few[left], labels[left])
    assert len({left[:, c].tobytes() for c in range(4)}) == 4
    np.testing.assert_array_equal(few, draw_shots(labels, 5, np.random.default_rng(1)))
    assert (few != draw_shots(labels, 5, np.random.default_rng(2))).any()


def test_a_class_with_fewer_positives_keeps_them_all():
    _, labels = _data(60, 3)
    labels[:, 1] = [1, 1] + [0] * 58
    few = draw_shots(labels, 16, np.random.default_rng(0))
    assert (few == 1).sum(axis=0).tolist() == [16, 2, 16]
    assert (few == 0).sum(axis=0).tolist() == [min(32, (labels[:, c] == 0).sum()) for c in range(3)]


def test_every_picture_is_drawn_equally_often():
    labels = np.zeros((20, 2), np.uint8)
    labels[:8, 0] = labels[4:, 1] = 1
    drawn = sum((draw_shots(labels, 2, np.random.default_rng(n)) == 1)[:, 0].astype(int) for n in range(400))
    assert drawn[8:].sum() == 0
    assert drawn[:8].min() > 70
    assert drawn[:8].max() < 130


def test_low_shot_results_are_those_of_scikit_learn_used_plainly():
    features, labels = _data()
    asked, truth = _data(seed=1)
    few = draw_shots(labels, 4, np.random.default_rng(0))
    found = fit_low_shot(features, few, asked, truth, SvmSettings(COSTS))
    assert found.positives.tolist() == [4, 4, 4]
    assert found.fits == 9
    for c in range(3):
        left = few[:, c] != IGNORED
        for place, cost in enumerate(COSTS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one = _plain(cost).fit(features[left], _signs(few[left, c]))
            points = curve(*classified(one.decision_function(asked).tolist(), truth[:, c].tolist()))
            assert found.precisions[c, place] == pytest.approx(area(points))


def test_a_class_without_positives_is_no_part_of_low_shot_results():
    features, labels = _data()
    labels[:, 1] = 0
    few = draw_shots(labels, 4, np.random.default_rng(0))
    found = fit_low_shot(features, few, features, labels, SvmSettings(COSTS))
    assert np.isnan(found.precisions).all(axis=1).tolist() == [False, True, False]
    assert found.fits == 6
