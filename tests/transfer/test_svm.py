"""The task, on a devkit and on class folders of made-up pictures, with a trunk of 0.4 million weights."""

import logging
import warnings

import numpy as np
import pytest

from tables.told import check_told
from tintype.networks import build_trunk
from tintype.training import launch
from tintype.transfer import features
from tintype.transfer.pictures import open_devkit
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer
from tintype.transfer.sources import Sources
from tintype.transfer.svm import VISSL_COSTS, View
from transfer.made_devkit import SHOWN, picture, write_devkit

svm = pytest.importorskip("sklearn.svm")
metrics = pytest.importorskip("sklearn.metrics")

SMALL = ("trunk=timm:test_resnet", "crop=64", "workers=0", "layers=[stride4, stride16]", "dimensions=500")


@pytest.fixture
def devkit(tmp_path):
    return write_devkit(tmp_path, {"trainval": range(18), "test": range(18, 30)}, ignored=(3, 21))


def _run(devkit, run, *settings, recipe="svm", resume=False):
    return transfer(launch(), load_task(recipe, [*SMALL, *settings]), "random", [str(devkit)], run, resume)


def test_results_are_those_of_scikit_learn_on_the_features_that_were_kept(tmp_path, devkit):
    run = tmp_path / "run"
    record = _run(devkit, run, "costs=[1]")
    found = record["results"]
    check_told("svm", found)
    assert list(found["layer"]) == ["stride4", "stride16"]
    train, test = open_devkit(Sources((str(devkit),), ()), 2007, "trainval", "test")
    for layer in found["layer"]:
        known, asked = (np.load(next(run.glob(f"features-*/{part}-{layer}.npy"))) for part in ("train", "test"))
        assert known.shape[0] == 18
        known, asked = (each / (np.linalg.norm(each, axis=1, keepdims=True) + 1e-5) for each in (known, asked))
        each = []
        for kind in SHOWN:
            c = train.classes.index(kind)
            one = svm.LinearSVC(C=1, class_weight={1: 2, -1: 1}, max_iter=2000, dual=True, random_state=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one.fit(known, np.where(train.labels[:, c] == 1, 1, -1))
            truth = test.labels[:, c]
            counted = truth != 255
            each.append(metrics.average_precision_score(truth[counted], one.decision_function(asked[counted])))
        assert found["layer"][layer]["scikit_learn"] == pytest.approx(100 * np.mean(each))
        assert found["layer"][layer]["fits"] == 3 * 4
    assert list(found["class"]) == list(found["cost"]) == list(SHOWN)
    mean = np.mean([row["stride16"] for row in found["class"].values()])
    assert found["layer"]["stride16"]["area"] == pytest.approx(mean)


def test_a_resumed_run_makes_neither_features_nor_finished_layers_again(tmp_path, devkit, monkeypatch):
    run = tmp_path / "run"
    first = _run(devkit, run, "costs=[1]")
    (run / "results.json").unlink()
    next(run.glob("layers-*/stride16.json")).unlink()

    def refuse(*_, **__):
        raise AssertionError("made again")

    monkeypatch.setattr(features, "pool", refuse)
    again = _run(devkit, run, "costs=[1]", resume=True)
    assert again["results"] == first["results"]
    next(run.glob("features-*/test-stride16.npy")).unlink()
    next(run.glob("layers-*/stride16.json")).unlink()
    with pytest.raises(AssertionError, match="made again"):
        _run(devkit, run, "costs=[1]", resume=True)


def test_few_shots_give_a_mean_and_deviation_over_samples_and_short_classes_are_named(tmp_path, caplog):
    devkit = write_devkit(tmp_path, {"trainval": range(18), "test": range(18, 48)}, contrast=6)
    with caplog.at_level(logging.WARNING, "tintype"):
        record = _run(devkit, tmp_path / "run", "costs=[0.1, 1]", "shots=[1, 16]", "samples=3", recipe="svm-low-shot")
    for layer in ("stride4", "stride16"):
        rows = record["results"][layer]
        assert list(rows) == ["1 shots", "16 shots"]
        few, many = rows.values()
        assert few["min"] < few["mean"] < few["max"]
        assert 0 < few["std"] < few["max"] - few["min"]
        assert few["fits"] == many["fits"] == 3 * 3 * 2
        assert few["cost"] in (0.1, 1)
        assert many["short_classes"] == 3
        # All there are, each time: only negatives are left to draw, of which there are fewer than wanted as well.
        assert many["std"] == pytest.approx(0, abs=1e-9)
    said = [message for message in caplog.messages if "fewer than 16 training pictures show" in message]
    assert len(said) == 2
    assert "bird, cat, sofa:" in said[0]
    assert not [message for message in caplog.messages if "fewer than 1 " in message]
    assert "shows aeroplane, bicycle, boat," in caplog.messages[0]


def test_folders_of_one_class_each_give_accuracy_as_well(tmp_path):
    for part, start in (("train", 0), ("val", 100)):
        for number, kind in enumerate(SHOWN):
            folder = tmp_path / "data" / part / kind
            folder.mkdir(parents=True)
            for n in range(6):
                picture([kind], start + 10 * number + n).save(folder / f"{n}.jpg", quality=95)
    found = _run(tmp_path / "data", tmp_path / "run", "layers=[stride8]", "costs=[1]", "view=crop")["results"]
    row = found["layer"]["stride8"]
    assert 100 / 3 < row["accuracy"] <= 100
    assert list(found["class"]) == list(SHOWN)
    assert row["area"] == pytest.approx(np.mean([each["stride8"] for each in found["class"].values()]))


def test_the_whole_picture_is_shown_squashed_or_its_largest_centred_square(devkit):
    train, _ = open_devkit(Sources((str(devkit),), ()), 2007, "trainval", "test")
    whole = train.read(0)  # 48 x 64
    np.testing.assert_array_equal(View(train, 48, "crop")(0), whole[:, 8:56])
    squashed = View(train, 48, "squash")(0)
    assert squashed.shape == (48, 48, 3)
    for column in (0, 47):  # a third of the picture is a third of the view
        edge = whole[:, [0, 63][column > 0]].astype(float)
        assert np.abs(squashed[:, column] - edge).mean() < 25


def test_recipes_have_vissls_values():
    recipe = load_task("svm")
    assert recipe.costs == VISSL_COSTS == (0.01, 0.1, 1, 2, 5, 10, 15, 20, 50, 100, 1000)
    assert (recipe.folds, recipe.max_iter, recipe.tol, recipe.positive_weight) == (3, 2000, 1e-4, 2)
    assert (recipe.view, recipe.normalize, recipe.dimensions) == ("squash", True, 9216)
    few = load_task("svm-low-shot")
    assert (few.shots, few.samples) == ((1, 2, 4, 8, 16, 32, 64, 96), 5)
    assert build_trunk("timm:test_resnet").channels["stride16"] == 192  # two by two cells of it are 768 numbers
