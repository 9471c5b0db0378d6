import math

import numpy as np
import pytest
import torch

from reference.transfer import segmented
from tintype.transfer import confusion_matrix, segmentation_scores


def _images(seed, classes=6, void=255, images=5, absent=()):
    """Predictions that are right at about half of the pixels; classes `absent` are in neither."""
    rng = np.random.default_rng(seed)
    present = [c for c in range(classes) if c not in absent]
    pairs = []
    for _ in range(images):
        true = rng.choice(present, (9, 13))
        predicted = np.where(rng.random(true.shape) < 0.5, true, rng.choice(present, true.shape))
        if void is not None:
            true[rng.random(true.shape) < 0.1] = void
        pairs.append((torch.from_numpy(predicted), torch.from_numpy(true)))
    return pairs


def _score(pairs, classes, void):
    return segmentation_scores(sum(confusion_matrix(*pair, classes, void) for pair in pairs))


@pytest.mark.parametrize(("void", "absent"), [(255, ()), (None, ()), (255, (2, 4)), (0, ())])
def test_scores_are_their_definitions(void, absent):
    pairs = _images(0, void=void, absent=absent)
    found = _score(pairs, 6, void)
    flat = [(p.flatten().tolist(), t.flatten().tolist()) for p, t in pairs]
    iu, accuracy, pixels = segmented(flat, 6, void)
    np.testing.assert_allclose(found.class_iu, iu, rtol=1e-12)
    np.testing.assert_allclose(found.class_accuracy, accuracy, rtol=1e-12)
    assert found.mean_iu == pytest.approx(np.nanmean(iu))
    assert found.mean_accuracy == pytest.approx(np.nanmean(accuracy))
    assert found.pixel_accuracy == pytest.approx(pixels)


@pytest.mark.parametrize("absent", [(), (1,), (0, 5)])
def test_torchmetrics_finds_the_same(absent):
    classification = pytest.importorskip("torchmetrics.classification")
    pairs = _images(1, absent=absent)
    found = _score(pairs, 6, 255)
    predicted, true = (torch.cat([pair[i].flatten() for pair in pairs]) for i in range(2))

    def theirs(metric, **options):
        return metric(num_classes=6, ignore_index=255, **options).set_dtype(torch.float64)(predicted, true)

    counts = sum(confusion_matrix(*pair, 6, 255) for pair in pairs)
    assert torch.equal(counts, theirs(classification.MulticlassConfusionMatrix).long())
    assert found.mean_iu == pytest.approx(float(theirs(classification.MulticlassJaccardIndex)), abs=1e-6)
    classes = theirs(classification.MulticlassJaccardIndex, average="none")
    np.testing.assert_allclose(found.class_iu.nan_to_num(0), classes, atol=1e-6)  # it gives 0 for absent classes
    assert found.pixel_accuracy == pytest.approx(
        float(theirs(classification.MulticlassAccuracy, average="micro")), abs=1e-6
    )
    assert found.mean_accuracy == pytest.approx(float(theirs(classification.MulticlassAccuracy)), abs=1e-6)


def test_worked_by_hand():
    """One row: true 0 0 0 1 void, predicted 0 0 1 1 0: 2 of 3 and 1 of 2, and no pixel of class 2."""
    counts = confusion_matrix(torch.tensor([0, 0, 1, 1, 0]), torch.tensor([0, 0, 0, 1, 9]), 3, void=9)
    assert counts.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    found = segmentation_scores(counts)
    assert found.class_iu[:2].tolist() == pytest.approx([2 / 3, 1 / 2])
    assert math.isnan(found.class_iu[2])
    assert found.mean_iu == pytest.approx(7 / 12)
    assert found.pixel_accuracy == 3 / 4
    assert found.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_in_predictions_only_lowers_the_mean_and_one_in_neither_does_not():
    true = torch.tensor([0, 0, 0, 0])
    one = segmentation_scores(confusion_matrix(torch.tensor([0, 0, 0, 1]), true, 3, void=None))
    assert (one.class_iu[1], one.mean_iu) == (0, 3 / 8)
    assert math.isnan(one.class_iu[2])
    assert segmentation_scores(confusion_matrix(true, true, 3, void=None)).mean_iu == 1


def test_counts_of_images_add_up_and_the_mean_is_not_that_of_images():
    pairs = [(torch.tensor([0, 0]), torch.tensor([0, 1])), (torch.tensor([1] * 8), torch.tensor([1] * 8))]
    together = tuple(torch.cat([pair[i] for pair in pairs]) for i in range(2))
    counts = sum(confusion_matrix(*pair, 2, 255) for pair in pairs)
    assert torch.equal(counts, confusion_matrix(*together, 2, 255))
    assert segmentation_scores(counts).mean_iu == pytest.approx((1 / 2 + 8 / 9) / 2)


def test_bytes_are_counted_without_overflow():
    ids = torch.arange(21, dtype=torch.uint8).repeat(20)
    assert torch.equal(confusion_matrix(ids, ids, 21, 255), 20 * torch.eye(21, dtype=torch.int64))


def test_a_set_of_void_alone_has_no_score():
    found = segmentation_scores(confusion_matrix(torch.zeros(4, dtype=int), torch.full((4,), 255), 3, 255))
    assert math.isnan(found.mean_iu)
    assert math.isnan(found.pixel_accuracy)
    assert math.isnan(found.mean_accuracy)


def test_random_predictions_of_many_classes_score_next_to_nothing():
    generator = torch.Generator().manual_seed(0)
    predicted, true = (torch.randint(21, (100, 100), generator=generator) for _ in range(2))
    assert segmentation_scores(confusion_matrix(predicted, true, 21, 255)).mean_iu < 0.04


def test_ids_of_no_class_are_refused():
    good = torch.zeros(2, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"^truth has ids from 0 to 255, for 3 classes$"):
        confusion_matrix(good, torch.tensor([[0, 255], [1, 2]]), 3, void=None)
    with pytest.raises(ValueError, match=r"^prediction has ids from -1 to 0, for 3 classes$"):
        confusion_matrix(torch.tensor([[0, -1], [0, 0]]), good, 3, void=255)
    with pytest.raises(ValueError, match="differ in shape"):
        confusion_matrix(good, good[:1], 3, void=255)
