"""What is told before anything runs is what is then used: bytes of files, operations of a step."""

import pytest
import torch
from torch import nn

from tables.small import TABLE, write_table
from tintype.networks import save_weights
from tintype.pretrain import load_recipe
from tintype.pretrain.build import make_network, make_optimizer
from tintype.recipes import RecipeError
from tintype.tables import cost as module
from tintype.tables import forecast
from tintype.tables.blank import blank_network, operations_of_one, recipe_of
from tintype.tables.cost import Cost, costs, stored
from tintype.tables.execute import Folder
from tintype.tables.forecast import makespan, told_bytes, told_operations, told_plan, told_time
from tintype.tables.plan import Run, make_plan
from tintype.tables.spec import load_table
from tintype.training.checkpoint import save_checkpoint
from tintype.transfer.recipe_file import load_task

MINI = "zhang16-alexnet-mini"
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def planned(tmp_path):
    (tmp_path / "a.tar").touch()
    table = load_table(write_table(tmp_path))
    return table, make_plan(table, "mini", {"photos": [str(tmp_path)]})


@pytest.mark.parametrize("settings", [(), ("optimizer={name: sgd, lr: 0.1}", "ema=0.9", "keep=1")])
def test_bytes_are_those_of_the_files_that_a_run_leaves(tmp_path, settings):
    recipe = load_recipe(MINI, settings)
    network = make_network(recipe)
    optimizer = make_optimizer(network, recipe.optimizer)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    state = {"step": 1, "network": network.state_dict(), "optimizer": optimizer.state_dict(), "facts": {}}
    if recipe.ema:
        state["average"] = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for step in range(1, recipe.keep + 2):
        save_checkpoint(tmp_path / "checkpoints", step, state, recipe.keep)
    save_weights(tmp_path / "weights.safetensors", network.state_dict(), {})
    left = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert stored(blank_network(recipe), recipe) == pytest.approx(left, rel=0.02)


def test_operations_are_twice_the_products_of_each_convolution_thrice():
    recipe = load_recipe("zhang16-l2", ["data.crop=64"])  # grouped ones, as AlexNet's, torch counts 4/3 of
    network = make_network(recipe)
    counts = []

    def count(layer, given, made):
        across = given[0] if isinstance(layer, nn.ConvTranspose2d) else made
        products = across.numel() * layer.weight[0].numel()
        counts.append(2 * products * (3 if counts else 2))  # forward, to weights and to what is below, if anything is

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(2, 1, 64, 64))
    assert operations_of_one(blank_network(recipe), recipe) == pytest.approx(sum(counts) / 2, rel=1e-6)


def test_a_smaller_crop_in_the_first_steps_is_counted_as_such():
    whole, small, both = (
        load_recipe(MINI, [f"data.crop={crop}", f"data.early_crop={early}", "data.early=0.25"])
        for crop, early in ((128, 0), (64, 0), (128, 64))
    )
    large, little, mixed = (operations_of_one(blank_network(recipe), recipe) for recipe in (whole, small, both))
    assert mixed == pytest.approx(0.75 * large + 0.25 * little)


@pytest.mark.parametrize("task", ["linear-mini", "low-shot-mini", "segment-mini", "classify-mini"])
def test_tasks_that_train_are_counted(task):
    recipe = load_task(task, ["trunk=alexnet"])
    network = blank_network(recipe)
    assert all(parameter.is_meta for parameter in network.parameters())
    assert operations_of_one(network, recipe) > 0
    assert stored(network, recipe) > 4 * sum(p.numel() for p in network.parameters())


def test_detection_has_bytes_only_as_its_pictures_have_sizes_of_their_own():
    recipe = load_task("detect", ["trunk=alexnet"])
    network = blank_network(recipe)
    assert stored(network, recipe) > 200e6  # fc6 and fc7
    assert operations_of_one(network, recipe) == 0


def test_what_trains_nothing_or_has_an_unknown_trunk_has_no_network():
    assert blank_network(load_task("svm", ["trunk=alexnet"])) is None
    assert blank_network(load_task("linear-mini")) is None


def test_frozen_layers_have_no_state_of_the_optimizer():
    whole, frozen = (
        load_task("low-shot-mini", ["trunk=alexnet", "layer=conv5", f"surgery.freeze_below={below}"])
        for below in ("none", "conv5")
    )
    assert stored(blank_network(frozen), frozen) < stored(blank_network(whole), whole)


def test_early_stopping_trains_twice(tmp_path):
    once, twice = ("low-shot-mini", ()), ("low-shot", ())
    plans = {}
    for name, settings in (once, twice):
        words = ("transfer", name, "--weights", "random", "--set", "trunk=resnet18", *settings)
        run = Run(name, "transfer", words, "results.json")
        plans[name] = costs(type("Plan", (), {"runs": {name: run}})(), [run])[name]
    recipe = load_task("low-shot", ["trunk=resnet18"])
    one = operations_of_one(blank_network(recipe), recipe)
    assert plans["low-shot"].operations == pytest.approx(2 * recipe.steps * recipe.batch_size * one)


def test_a_transfer_has_the_trunk_of_what_it_starts_from(planned):
    _, plan = planned
    run = plan.runs[plan.cells["colour", "seg"].runs[0]]
    assert recipe_of(run, plan.runs).trunk == load_recipe("larsson17-alexnet-histograms-mini").trunk


def test_seeds_are_counted_once_and_runs_of_known_length_have_no_operations(planned, monkeypatch):
    _, plan = planned
    built = []
    monkeypatch.setattr(module, "blank_network", lambda recipe: built.append(recipe) or blank_network(recipe))
    found = costs(plan, plan.runs.values())
    assert set(found) == set(plan.runs)
    assert len(built) == len(set(built)) < len(plan.runs)
    for name, run in plan.runs.items():
        assert found[name].stored > 1e6
        assert (found[name].operations == 0) == (run.minutes > 0)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("[trunk=alexnet]", "[trunk=alexnett]", "alexnett"),
        ("[per_class=10]", "[layer=nope]", "nope"),
        ("[per_class=10]", "[surgery.freeze_below=nosuch]", "nosuch"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_runs(tmp_path, right, wrong, told):
    (tmp_path / "a.tar").touch()
    table = load_table(write_table(tmp_path, TABLE.replace(right, wrong)))
    plan = make_plan(table, "mini", {"photos": [str(tmp_path)]})
    with pytest.raises(RecipeError, match=told):
        costs(plan, plan.runs.values())


def test_the_forecast_adds_up_what_is_not_done(planned, tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "cores", lambda: 2)
    table, plan = planned
    folder = Folder(tmp_path)
    few = plan.cells["none", "few"].runs
    found = {name: Cost(500_000_000, 0.0 if run.minutes else 1.8e18) for name, run in plan.runs.items()}
    found[few[0]] = Cost()  # of unknown length
    lines = told_plan(table, "mini", plan, folder, 2, found).splitlines()
    assert lines[3:6] == [
        "  transfer  segment                             4 runs, 2 min each",
        "  transfer  low-shot                            2 runs",
        "  pretrain  larsson17-alexnet-histograms-mini   1 run, 3 min",
    ]
    assert lines[-5:] == [
        "7 to run:",
        "    5 about 6 minutes, 2 at a time with a CPU core each",  # 3 and 4 x 2
        f"    1 at most about 1.8 {TIMES} 10^18 operations: 5.0 hours of a GPU at 100 TFLOP/s",
        "    1 of unknown length",
        "their weights and checkpoints: at most about 3.0 GB",
    ]
    for run in plan.runs.values():
        folder.result(run).parent.mkdir(parents=True)
        folder.result(run).touch()
    lines = told_plan(table, "mini", plan, folder, 1, {}).splitlines()
    assert lines[-1] == "nothing to run"
    assert "  transfer  segment                             4 runs, of which 4 are done, 2 min each" in lines


@pytest.mark.parametrize(
    ("minutes", "needs", "jobs", "expected"),
    [
        ([3, 2, 2], {}, 1, 7),
        ([3, 2, 2], {}, 2, 4),
        ([3, 2, 2], {}, 9, 3),
        ([3, 2, 2], {1: [0], 2: [1]}, 2, 7),  # one after another, however many may be
        ([4, 3, 2, 2], {2: [1], 3: [1]}, 2, 6),  # 1 and 0; 2 from 3 on, 3 from 4 on
        ([2, 2, 5, 3], {3: [2]}, 2, 8),  # 2 first, as 3 waits for it
        ([0, 5], {1: [0]}, 1, 5),
        ([5], {0: [9]}, 1, 5),  # what it needs is there
        ([], {}, 2, 0),
    ],
)
def test_a_plan_takes_as_long_as_its_longest_way(minutes, needs, jobs, expected):
    runs = [
        Run(str(i), "transfer", (), "", tuple(map(str, needs.get(i, []))), float(minute))
        for i, minute in enumerate(minutes)
    ]
    assert makespan(runs, jobs) == expected


def test_numbers_in_words():
    assert [told_bytes(count) for count in (2.4e6, 1.26e9, 3.21e12)] == ["2 MB", "1.3 GB", "3.2 TB"]
    assert [told_time(minutes) for minutes in (0.2, 45, 120, 60 * 24 * 3)] == [
        "a minute", "45 minutes", "2.0 hours", "3.0 days",
    ]  # fmt: skip
    assert told_operations(2.4e14) == f"2.4 {TIMES} 10^14 operations"
    assert told_operations(3.6e18) == f"3.6 {TIMES} 10^18 operations: 10.0 hours of a GPU at 100 TFLOP/s"
