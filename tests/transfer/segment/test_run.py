"""Whole runs, on made-up shapes; on street scenes: bench/overfit_segmentation.py."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tables.told import check_told
from tintype.recipes import RecipeError
from tintype.training import TrainingError
from tintype.transfer.recipe_file import load_task
from tintype.transfer.segment.run import summary
from tintype.transfer.tables import table
from transfer.segment import two_processes
from transfer.segment.shapes import make_shapes, run
from transfer.segment.two_processes import SETTINGS

FCN = ["head={name: fcn32s}", "crop=0", "flip=false"]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return make_shapes(tmp_path_factory.mktemp("data") / "shapes", 8)


def test_images_are_learned_by_heart(shapes, tmp_path):
    record = run(
        tmp_path / "run",
        [f"train={shapes}", f"test={shapes}"],
        "steps=90",
        "batch_size=3",
        "crop=64",
        "save_masks=true",
    )
    results = record["results"]
    assert results["mean_iu"] > 90
    check_told("segment", results)
    assert results["mean_iu"] == pytest.approx(np.mean([held["iu"] for held in results["class"].values()]), abs=1e-3)
    right = total = 0
    for true in sorted(shapes.glob("*.png")):
        with Image.open(true) as one, Image.open(tmp_path / "run" / "masks" / true.name) as other:
            truth, found = np.array(one), np.array(other)
        right, total = right + (found == truth)[truth != 9].sum(), total + (truth != 9).sum()
    assert results["pixel_accuracy"] == pytest.approx(100 * right / total, abs=1e-3)
    assert re.search(r"^class +iu +accuracy\n0 +9\d\.\d\d", table(record), re.MULTILINE)
    assert json.loads((tmp_path / "run" / "results.json").read_text())["results"] == results


def final(folder):
    return load_file(folder / "weights.safetensors")


@pytest.mark.parametrize("settings", [[], FCN])
def test_a_resumed_run_ends_where_one_that_was_not_stopped_does(shapes, tmp_path, settings):
    data = [str(shapes)]
    same = [*settings, "schedule={name: constant}", "optimizer={name: sgd, lr: 0.05}"]
    expected = run(tmp_path / "whole", data, *same)["results"]
    run(tmp_path / "parts", data, *same, "steps=2")
    half = final(tmp_path / "parts")
    resumed = run(tmp_path / "parts", data, *same, resume=True)["results"]
    assert resumed == expected
    moved = 0.0
    for name, value in final(tmp_path / "whole").items():
        torch.testing.assert_close(final(tmp_path / "parts")[name], value, atol=1e-6, rtol=1e-5)
        moved = max(moved, float((half[name] - value).abs().max()))
    assert moved > 1e-3


def test_two_processes_learn_as_one_does_also_where_most_of_a_mask_is_void(tmp_path):
    shapes = make_shapes(tmp_path / "shapes", 12)
    for number in range(0, 12, 2):
        path = shapes / f"{number:02}.png"
        ids = np.array(Image.open(path))
        ids[: 9 * len(ids) // 10] = 9
        Image.fromarray(ids).save(path)
    run(tmp_path / "one", [str(shapes)], *SETTINGS)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [two_processes.__file__, str(tmp_path / "two"), str(shapes)]
    tests = str(Path(__file__).parents[2])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": tests}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("one", "two")]
    one, two = ([json.loads(line)["loss"] for line in each] for each in lines)
    assert two == pytest.approx(one, rel=1e-4)
    for name, value in final(tmp_path / "one").items():
        torch.testing.assert_close(final(tmp_path / "two")[name], value, atol=1e-5, rtol=1e-4)


def test_a_run_is_not_resumed_from_other_weights(shapes, tmp_path):
    short = ("steps=2", "schedule={name: constant}")
    run(tmp_path / "other", [str(shapes)], *short)
    run(tmp_path / "run", [str(shapes)], *short)
    other = str(tmp_path / "other")
    with pytest.raises(TrainingError, match=r"cannot resume: weights was random, and is now [0-9a-f]{64}"):
        run(tmp_path / "run", [str(shapes)], *short, resume=True, weights=other)


def test_whole_images_are_gone_through_one_by_one(tmp_path):
    """Of sizes of their own, in a batch: the same updates as by hand, an image at a time."""
    for number, size in enumerate([(64, 64), (96, 64), (64, 96), (70, 40)]):
        made = make_shapes(tmp_path / f"{number}", 1, size)
        for path in made.iterdir():
            (tmp_path / "data").mkdir(exist_ok=True)
            path.rename(tmp_path / "data" / f"{number}{path.suffix}")
    sizes = []

    def note(module, inputs):
        if isinstance(module, torch.nn.Module) and type(module).__name__ == "FCN32s":
            sizes.append((module.training, tuple(inputs[0].shape)))

    hook = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        data = [f"train={tmp_path / 'data'}", f"test={tmp_path / 'data'}"]
        run(tmp_path / "run", data, *FCN, "steps=2", "schedule={name: constant}")
    finally:
        hook.remove()
    trained = sorted(shape for training, shape in sizes if training)
    assert trained == 2 * [(1, 1, 64, 64)] + 2 * [(1, 1, 64, 96)] + 2 * [(1, 1, 64, 96)] + 2 * [(1, 1, 96, 64)]


def test_early_stopping_watches_the_mean_iu_of_images_that_are_held_out(shapes, tmp_path):
    stopping = "schedule={name: early_stopping, held_out: 0.3, patience: 1, drops: 1}"
    run(tmp_path / "run", [str(shapes)], stopping, "steps=6", "validate_every=2", "optimizer.lr=1e-6")
    decided = (tmp_path / "run" / "held-out" / "decisions.jsonl").read_text().splitlines()
    scores = [json.loads(line)["score"] for line in decided]
    assert all(0 <= score <= 100 for score in scores)
    assert len(scores) >= 2


def test_a_crop_that_the_trunk_does_not_take_is_refused(shapes, tmp_path):
    with pytest.raises(RecipeError, match="key 'crop' is 50; this trunk needs a multiple of 32"):
        run(tmp_path / "run", [str(shapes)], "crop=50")


def test_padding_of_a_trunk_that_takes_multiples_is_refused(shapes, tmp_path):
    with pytest.raises(RecipeError, match="key 'head': padding 100 is for trunks of unpadded layers"):
        run(tmp_path / "run", [str(shapes)], "head={name: fcn32s, padding: 100}", "crop=0")


def test_a_class_that_is_nowhere_has_no_score():
    found = summary(torch.tensor([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), ("a", "b", "c"))
    assert found["class"] == {
        "a": {"iu": 75.0, "accuracy": 75.0},
        "b": {"iu": 80.0, "accuracy": 100.0},
        "c": {"iu": None, "accuracy": None},
    }
    assert (found["mean_iu"], found["pixel_accuracy"]) == (77.5, 87.5)


@pytest.mark.parametrize("name", ["segment", "segment-fov", "segment-fcn32s", "segment-mini"])
def test_the_recipes_are_the_papers(name):
    recipe = load_task(name)
    if name == "segment-mini":
        assert (recipe.classes, recipe.void, len(recipe.class_names)) == (11, 11, 11)
        return
    rate = [recipe.optimizer.lr * factor for factor in (1, *recipe.schedule.factors)]
    assert (recipe.optimizer.name, recipe.optimizer.betas[0], recipe.optimizer.weight_decay) == ("sgd", 0.9, 5e-4)
    if name == "segment-fcn32s":
        assert recipe.schedule.milestones == (50_000, 100_000)
        assert rate == pytest.approx([1e-4, 1e-5, 1e-6])
        assert (recipe.steps, recipe.batch_size, recipe.crop, recipe.head.padding) == (150_000, 20, 0, 100)
    else:
        assert recipe.schedule.milestones == (22_500, 30_000)
        assert rate == pytest.approx([1e-3, 1e-4, 1e-5])
        assert (recipe.steps, recipe.batch_size, recipe.crop) == (40_000, 10, 448)
        assert (recipe.head.points, recipe.head.edge, recipe.head.width) == (128, 32, 1024)
        assert recipe.head.fov == (1024 if name == "segment-fov" else 0)
