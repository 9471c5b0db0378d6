import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn

from reference.transfer import area, curve, detected, eleven_point
from tintype.data import DataError
from tintype.data.voc import CLASSES, Devkit
from tintype.networks import network
from tintype.networks.trunk import Chain
from tintype.recipes import RecipeError
from tintype.training import launch
from tintype.transfer.detect import proposals
from tintype.transfer.recipe_file import bundled_tasks, load_task
from tintype.transfer.run import transfer
from transfer.detect.devkit import KINDS, write_devkit

SETTINGS = (
    "trunk=small",
    "pooled=4",
    "scales=[96]",
    "test_scale=96",
    "search_longest=0",
    "optimizer.lr=0.01",
    "schedule={name: constant}",
    "workers=0",
)


class Small(Chain):
    mean, std = 50.0, 30.0

    def __init__(self, in_chans=1):
        super().__init__(in_chans)
        self.conv1, self.conv2 = nn.Conv2d(in_chans, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.pool1, self.pool2 = nn.MaxPool2d(2), nn.MaxPool2d(2)
        self.chain([("conv1", [self.conv1, self.relu1]), ("conv2", [self.pool1, self.conv2, self.relu2, self.pool2])])


@pytest.fixture(scope="module")
def devkit(tmp_path_factory):
    pytest.importorskip("cv2.ximgproc")
    return write_devkit(tmp_path_factory.mktemp("made"), 8)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Proposals, for all runs."""
    return tmp_path_factory.mktemp("proposals")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(network.TRUNKS, "small", Small)


def _run(devkit, run, *settings, resume=False):
    recipe = load_task("detect-mini", [*SETTINGS, *settings])
    return transfer(launch(), recipe, "random", [str(devkit)], run, resume)


@pytest.fixture(scope="module")
def learned(devkit, kept, tmp_path_factory):
    """A detector that has learned eight pictures by heart; its results and its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(network.TRUNKS, "small", Small)
        run = tmp_path_factory.mktemp("runs") / "learned"
        settings = ("steps=100", f"proposals={kept}", "save_detections=true", "flip=false")
        return _run(devkit, run, *settings)["results"], run


def test_a_few_pictures_are_learned_by_heart(learned):
    results, _ = learned
    assert results["map_11_point"] > 85
    assert results["map_area"] > 85
    assert set(results["classes"]) == set(KINDS)


def test_the_scores_are_those_of_the_files_that_the_devkit_reads(learned, devkit):
    """Files and annotations are read, matched and averaged as by the devkit's own program."""
    results, run = learned
    true = Devkit(devkit, 2007).detection("test")
    assert len(list((run / "detections").iterdir())) == len(CLASSES)
    for kind, name in enumerate(CLASSES):
        lines = (run / "detections" / f"comp4_det_test_{name}.txt").read_text().splitlines()
        found = {picture: [] for picture in true.names}
        for line in lines:
            picture, score, *corners = line.split()
            found[picture].append(([float(side) - 1 for side in corners], float(score)))
        truths = [
            [(corner.tolist(), bool(hard)) for corner, own, hard, _ in zip(*boxes, strict=True) if own == kind]
            for boxes in true.boxes
        ]
        if not any(truths):
            assert name not in results["classes"]
            continue
        answers, positives = detected([found[picture] for picture in true.names], truths, 1)
        points = curve(answers, positives)
        assert results["classes"][name]["ap_11_point"] == pytest.approx(100 * eleven_point(points), abs=0.01)
        assert results["classes"][name]["ap_area"] == pytest.approx(100 * area(points), abs=0.01)


def test_coco_finds_nearly_the_same(learned, devkit):
    coco = pytest.importorskip("torchmetrics.detection")
    pytest.importorskip("pycocotools")
    results, run = learned
    true = Devkit(devkit, 2007).detection("test")
    boxes = {picture: ([], [], []) for picture in true.names}
    for kind, name in enumerate(CLASSES):
        for line in (run / "detections" / f"comp4_det_test_{name}.txt").read_text().splitlines():
            picture, score, *corners = line.split()
            for held, value in zip(boxes[picture], ([float(c) for c in corners], float(score), kind), strict=True):
                held.append(value)
    metric = coco.MeanAveragePrecision(iou_thresholds=[0.5])
    metric.update(
        [
            {
                "boxes": torch.tensor(corners).view(-1, 4) + torch.tensor([-1, -1, 0, 0]),
                "scores": torch.tensor(scores),
                "labels": torch.tensor(kinds, dtype=torch.long),
            }
            for corners, scores, kinds in boxes.values()
        ],
        [
            {
                "boxes": torch.from_numpy(each.corners + np.array([0, 0, 1, 1], np.float32)),
                "labels": torch.from_numpy(each.classes),
            }
            for each in true.boxes
        ],
    )
    assert 100 * float(metric.compute()["map"]) == pytest.approx(results["map_area"], abs=1.5)


def test_untrained_it_finds_far_less(learned, devkit, kept, tmp_path):
    """Not nothing: on plain ground, there is little but the objects to propose."""
    results = _run(devkit, tmp_path / "run", "steps=1", f"proposals={kept}", "optimizer.lr=1e-12", "score=0")["results"]
    assert results["map_area"] < learned[0]["map_area"] - 40


def test_a_resumed_run_makes_the_same_updates(devkit, kept, tmp_path):
    settings = (f"proposals={kept}", "log_every=1", "checkpoint_every=2")
    _run(devkit, tmp_path / "whole", "steps=4", *settings)
    _run(devkit, tmp_path / "parts", "steps=2", *settings)
    shutil.copytree(kept, tmp_path / "moved")
    moved = (f"proposals={tmp_path / 'moved'}", *settings[1:])
    _run(devkit, tmp_path / "parts", "steps=4", *moved, resume=True)
    losses = [
        [json.loads(line).get("loss") for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        for run in ("whole", "parts")
    ]
    assert [loss for loss in losses[0] if loss] == [loss for loss in losses[1] if loss]


def test_boxes_that_come_with_fast_rcnn_are_taken_instead_of_searching(devkit, tmp_path, monkeypatch):
    io = pytest.importorskip("scipy.io")
    given = tmp_path / "selective_search_data"
    given.mkdir()
    for split in ("trainval", "test"):
        names = Devkit(devkit, 2007).detection(split).names
        cells, listed = np.empty((1, len(names)), object), np.empty((len(names), 1), object)
        for number, name in enumerate(names):
            cells[0, number], listed[number, 0] = np.array([[5.0, 5, 60, 60]]), name
        io.savemat(given / f"voc_2007_{split}.mat", {"boxes": cells, "images": listed})

    def never(*_):
        raise AssertionError("searched")

    monkeypatch.setattr(proposals, "selective_search", never)
    record = _run(devkit, tmp_path / "run", "steps=1", f"proposals={given}")
    assert sorted(path.name for path in given.iterdir()) == ["voc_2007_test.mat", "voc_2007_trainval.mat"]
    kept = {path.name.partition("-")[0] for path in (tmp_path / "run" / "proposals").iterdir()}
    assert len(kept) == 8
    assert (record["data"]["train_pictures"], record["data"]["test_pictures"]) == (8, 8)


def test_early_stopping_watches_pictures_that_are_held_out(devkit, kept, tmp_path):
    schedule = "schedule={name: early_stopping, held_out: 0.4, patience: 1, drops: 0}"
    _run(devkit, tmp_path / "run", "steps=6", "validate_every=2", schedule, f"proposals={kept}")
    lines = [json.loads(line) for line in (tmp_path / "run" / "held-out" / "metrics.jsonl").read_text().splitlines()]
    assert any("map_11_point" in line for line in lines)


def test_the_bundled_recipes_are_those_of_the_paper_and_a_small_one():
    recipe = load_task("detect")
    assert {"detect", "detect-mini"} <= set(bundled_tasks())
    assert (recipe.steps, recipe.batch_size, recipe.quota) == (150_000, 2, (64, 0.25, 0.5, (0.1, 0.5)))
    assert (recipe.optimizer.lr, recipe.optimizer.betas[0], recipe.optimizer.weight_decay) == (1e-3, 0.9, 5e-4)


def test_wrong_recipes_and_data_are_refused_in_a_line(devkit, kept, tmp_path):
    with pytest.raises(RecipeError, match=r"'background_iou' is \[0.5, 0.1\]"):
        load_task("detect", ["background_iou=[0.5, 0.1]"])
    with pytest.raises(RecipeError, match="'scales' is"):
        load_task("detect", ["scales=[]"])
    with pytest.raises(RecipeError, match="no feature map 'conv7'"):
        _run(devkit, tmp_path / "a", "steps=1", f"proposals={kept}", "layer=conv7")
    with pytest.raises(DataError, match="has no VOC devkit of 2012"):
        _run(devkit, tmp_path / "b", "steps=1", "year=2012")
