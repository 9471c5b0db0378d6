"""Two processes on one CPU, by gloo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.two_processes import WAYS, gradients

HERE = Path(__file__).parent


def _torchrun(folder, which):
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run([*launcher, HERE / "two_processes.py", folder, which], env=env, timeout=600, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    assert _torchrun(folder, "first").returncode != 0  # killed
    assert [path.name for path in (folder / "killed" / "checkpoints").iterdir()] == ["step-0000004.pt"]
    assert _torchrun(folder, "again").returncode == 0
    return folder


def _metrics(folder):
    return [
        (line["step"], line.get("loss"), line.get("val_loss"))
        for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    ]


@pytest.mark.parametrize(("parts", "precision"), WAYS)
def test_gradients_are_those_of_one_process_with_the_joint_batch(runs, tmp_path, parts, precision):
    torch.set_num_threads(1)
    alone = gradients(tmp_path / "alone", 1, precision)
    tolerance = {"rtol": 1e-5, "atol": 1e-7} if precision == "fp32" else {"rtol": 2e-2, "atol": 2e-3}
    for rank in range(2):
        both = torch.load(runs / f"gradients-{parts}-{precision}-{rank}.pt")
        assert len(both) == len(alone) == 3
        for ours, theirs in zip(both, alone, strict=True):
            assert theirs.abs().max() > 0.05
            torch.testing.assert_close(ours, theirs, **tolerance)


def test_a_run_killed_and_resumed_ends_as_one_never_killed(runs):
    whole, killed = (torch.load(runs / f"{name}-0.pt") for name in ("whole", "killed"))
    for name, value in whole.items():
        assert torch.equal(value, killed[name]), name
    assert _metrics(runs / "killed") == _metrics(runs / "whole")


def test_both_processes_end_with_the_same_weights(runs):
    one, other = (torch.load(runs / f"whole-{rank}.pt") for rank in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_when_one_process_is_asked_to_stop_both_stop_after_the_same_step_and_go_on_exactly(runs):
    told = {(runs / f"asked-{rank}.txt").read_text() for rank in range(2)}
    assert len(told) == 1
    number, step = map(int, told.pop().split())
    assert number == 15
    assert 5 <= step < 10
    whole, asked = (torch.load(runs / f"{name}-0.pt") for name in ("whole", "asked"))
    assert all(torch.equal(whole[name], asked[name]) for name in whole)


def test_figures_are_means_over_what_both_hold_out(runs):
    lines = map(json.loads, (runs / "measured" / "metrics.jsonl").read_text().splitlines())
    (figures,) = [line for line in lines if "mean" in line]
    assert figures == {"step": 3, "mean": 2 * 21 / 14, "only-0": 4 / 14, "only-1": 3 / 14}


def test_both_measure_the_running_statistics_of_the_first(runs):
    one, other = (torch.load(runs / f"measured-{rank}.pt") for rank in range(2))
    assert len(one[0]) == 3  # mean, variance, number of batches
    for a, b in zip(one, other, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_when_one_process_is_asked_to_stop_while_they_validate_both_stop_there(runs):
    assert [(runs / f"validated-{rank}.txt").read_text() for rank in range(2)] == ["15 5", "15 5"]
    assert [path.name for path in (runs / "validated" / "checkpoints").iterdir()] == [
        "step-0000004.pt",
        "step-0000005.pt",
    ]
    assert "mean" not in (runs / "validated" / "metrics.jsonl").read_text()


def test_each_start_is_recorded_with_how_many_processes_there_were(runs):
    lines = [json.loads(line) for line in (runs / "killed" / "sessions.jsonl").read_text().splitlines()]
    assert [(line["step"], line["processes"]) for line in lines] == [(0, 2), (4, 2)]
