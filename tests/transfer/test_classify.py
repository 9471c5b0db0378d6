"""The task, on a devkit of made-up pictures and with a trunk of 0.4 million weights."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from tintype.data import DataError
from tintype.recipes import RecipeError
from tintype.training import launch
from tintype.transfer.classify import ManyCrops, RandomCrop, crop_scores, summary
from tintype.transfer.early_stopping import without_held_out
from tintype.transfer.feed import feed
from tintype.transfer.pictures import open_devkit
from tintype.transfer.recipe_file import bundled_tasks, load_task
from tintype.transfer.rescaled_crop import centre_crop, random_crop
from tintype.transfer.run import transfer
from tintype.transfer.sources import Sources
from transfer.made_devkit import SHOWN, write_devkit

metrics = pytest.importorskip("sklearn.metrics")

SMALL = ("trunk=timm:test_resnet", "crop=64", "workers=0", "batch_size=8")


@pytest.fixture
def devkit(tmp_path):
    return write_devkit(tmp_path, {"trainval": range(16), "test": range(16, 28)}, ignored=(18, 21))


def _pictures(devkit):
    return open_devkit(Sources((str(devkit),), ()), 2007, "trainval", "test")


class _Looker:
    """Stands for a session and its network: scores are sums over parts of the crop."""

    device = torch.device("cpu")

    class recipe:
        workers = 0

    @staticmethod
    def look(pixels):
        return pixels.float()


class _Sums(nn.Module):
    def forward(self, x):
        return torch.stack([x[:, 0].mean((1, 2)), x[:, 1, :8].mean((1, 2)), x[:, 2, :, :8].mean((1, 2))], 1)


def test_scores_are_averaged_over_ten_random_crops_drawn_by_the_pictures_number(devkit):
    _, test = _pictures(devkit)
    make = ManyCrops(test, 32, (0.5, 2.0), "window", 10, seed=3)
    found = np.stack(crop_scores(_Sums(), _Looker, make, range(len(test))))
    assert found.shape == (12, 11, 3)
    expected = np.zeros((12, 3))
    for number in range(12):
        rng = np.random.default_rng((3, 1, number))
        for _ in range(10):
            crop = random_crop(test.read(number), 32, 0.5, 2.0, "window", rng).astype(float)
            expected[number] += [crop[:, :, 0].mean(), crop[:8, :, 1].mean(), crop[:, :8, 2].mean()]
        centre = centre_crop(test.read(number), 32, 0.5, 2.0, "window").astype(float)
        assert found[number, 10, 0] == pytest.approx(centre[:, :, 0].mean(), rel=1e-5)
    np.testing.assert_allclose(found[:, :10].mean(axis=1), expected / 10, rtol=1e-5)
    some = crop_scores(_Sums(), _Looker, make, [7, 2])  # whatever else is tested
    np.testing.assert_allclose(some, found[[7, 2]], rtol=1e-6)


def test_the_summary_measures_the_mean_of_all_random_crops_the_first_and_the_centre(devkit):
    _, test = _pictures(devkit)
    scores = np.random.default_rng(0).normal(size=(12, 4, 20)).astype(np.float32)
    found = summary(scores, test)
    assert list(found["mAP"]) == ["3 crops", "1 crop", "centre"]
    assert list(found["class"]) == list(SHOWN)
    for name, of_pictures in (("3 crops", scores[:, :3].mean(1)), ("1 crop", scores[:, 0]), ("centre", scores[:, 3])):
        each = []
        for kind in SHOWN:
            c = test.classes.index(kind)
            truth = test.labels[:, c]
            counted = truth != 255
            each.append(100 * metrics.average_precision_score(truth[counted], of_pictures[counted, c]))
            if name == "3 crops":
                assert found["class"][kind]["scikit_learn"] == pytest.approx(each[-1])
        assert found["mAP"][name]["scikit_learn"] == pytest.approx(np.mean(each))
    assert (test.labels == 255).sum() == 2
    assert list(summary(scores[:, :2], test)["mAP"]) == ["1 crop", "centre"]


def test_training_crops_come_with_the_labels_of_their_pictures_and_each_picture_once_per_epoch(devkit):
    train, _ = _pictures(devkit)
    make = RandomCrop(train, range(len(train)), 32, (0.5, 2.0), "window")
    batches = list(feed(make, 16, batch_size=8, seed=0, steps=2))
    drawn = [sample.labels.tobytes() for batch in batches for sample in batch]
    assert sorted(drawn) == sorted(row.tobytes() for row in train.labels)
    fewer = RandomCrop(train, [3, 5], 32, (0.5, 2.0), "window")
    sample = fewer(1, np.random.default_rng(0))
    np.testing.assert_array_equal(sample.labels, train.labels[5])
    expected = random_crop(train.read(5), 32, 0.5, 2.0, "window", np.random.default_rng(0))
    np.testing.assert_array_equal(sample.pixels, expected)


def test_what_early_stopping_holds_out_is_a_tenth_and_not_trained_on():
    plain = load_task("classify")
    names = [f"{number:06}" for number in range(50)]
    assert without_held_out(names, plain.schedule) == (list(range(50)), [])
    stopping = load_task("classify", ["schedule.name=early_stopping", "schedule.held_out=0.1"])
    trained, held_out = without_held_out(names, stopping.schedule)
    assert (len(trained), len(held_out)) == (45, 5)
    assert sorted(trained + held_out) == list(range(50))
    assert without_held_out(names, stopping.schedule) == (trained, held_out)


def test_pictures_that_are_trained_on_are_learned_by_heart_and_random_weights_know_little(tmp_path):
    """Twelve pictures in which nothing tells the classes apart but which of the pictures it is."""
    devkit = write_devkit(tmp_path, {"trainval": range(12)}, contrast=0)
    found = {}
    for name, steps in (("trained", 80), ("random", 1)):
        settings = [
            *SMALL,
            f"steps={steps}",
            "test=trainval",
            "crops=2",
            "crop=32",
            "schedule.warmup=0",
            "scale=[1.2, 1.5]",
        ]
        settings += ["optimizer.lr=0.05"] if steps > 1 else ["optimizer.lr=1e-9"]
        recipe = load_task("classify-mini", [*settings, "log_every=60"])
        record = transfer(launch(), recipe, "random", [str(devkit)], tmp_path / name)
        found[name] = record["results"]
    chance = np.mean([100 * row["positives"] / 12 for row in found["trained"]["class"].values()])
    assert found["trained"]["mAP"]["centre"]["area"] > 97
    assert found["random"]["mAP"]["centre"]["area"] < chance + 30
    written = json.loads((tmp_path / "trained" / "results.json").read_text())
    assert written["results"] == found["trained"]
    assert written["data"]["train"].startswith("12 (")


def test_a_devkit_without_the_split_is_named(tmp_path):
    devkit = write_devkit(tmp_path, {"trainval": range(4)})
    recipe = load_task("classify", SMALL)
    with pytest.raises(DataError, match=r"/VOC2007 has no ImageSets/Main/test\.txt; its lists are trainval$"):
        transfer(launch(), recipe, "random", [str(devkit)], tmp_path / "run")


def test_what_is_frozen_is_said_once():
    with pytest.raises(RecipeError, match=r"'train_from' is fc6 and 'surgery.freeze_below' conv2; one of the two"):
        load_task("classify", ["train_from=fc6", "surgery.freeze_below=conv2"])
    with pytest.raises(RecipeError, match=r"key 'scale' is \[2.0, 0.5\]; it must be \[low, high\]"):
        load_task("classify", ["scale=[2, 0.5]"])


def test_the_recipes_have_the_papers_values():
    names = [name for name in bundled_tasks() if name.startswith("classify")]
    assert names == ["classify", "classify-larsson17", "classify-mini", "classify-zhang16"]
    recipe = load_task("classify")
    assert (recipe.steps, recipe.batch_size, recipe.crops, recipe.scale) == (80_000, 16, 10, (0.5, 2.0))
    optimizer = recipe.optimizer
    assert (optimizer.lr, optimizer.betas[0], optimizer.weight_decay, optimizer.clip) == (1e-3, 0.9, 1e-6, 10)
    assert (optimizer.bias_lr, optimizer.bias_decay) == (2, True)
    assert recipe.schedule.milestones == tuple(range(10_000, 80_000, 10_000))
    assert recipe.schedule.factors == tuple(0.5**n for n in range(1, 8))
    larsson17 = load_task("classify-larsson17")
    assert (larsson17.rescale, larsson17.optimizer.bias_lr, larsson17.optimizer.clip) == ("picture", 1, 10)
    assert load_task("classify-zhang16").surgery.padding == "classifier"
