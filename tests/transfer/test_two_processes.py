"""Processes that share the pictures of a test find together what one finds alone."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tables.told import check_told
from transfer import two_processes
from transfer.detect.devkit import write_devkit as write_boxes
from transfer.made_devkit import write_devkit


def test_two_processes_measure_what_one_does(kinds, tmp_path):
    devkit = write_devkit(
        tmp_path / "classes", {"trainval": range(12), "test": range(12, 23)}
    )  # 11: one is without a pair
    boxes = write_boxes(tmp_path / "boxes", 4, 5) if importlib.util.find_spec("cv2.ximgproc") else None
    one = two_processes.tasks(tmp_path / "one", kinds, devkit, boxes)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [two_processes.__file__, *map(str, (tmp_path / "two", kinds, devkit, *([boxes] if boxes else [])))]
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": tests}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    both = [json.loads((tmp_path / "two" / f"results-{rank}.json").read_text()) for rank in range(2)]
    assert both[0] == both[1]
    assert set(one) == {"linear", "low-shot", "classify", *(["detect"] if boxes else [])}
    for name, alone in one.items():
        check_told(name, alone)
        _same(both[0][name], alone, name)
    for name in ("low-shot", "classify"):  # what was held out, by which it is decided when to stop
        files = [tmp_path / how / name / "held-out" / "decisions.jsonl" for how in ("one", "two")]
        scores = [[json.loads(line)["score"] for line in file.read_text().splitlines()] for file in files]
        assert scores[0]
        assert scores[1] == pytest.approx(scores[0], rel=1e-6)


def _same(found, expected, where):
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for name in expected:
            _same(found[name], expected[name], f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _same(one, other, f"{where}.{number}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5), where
    else:
        assert found == expected, where
