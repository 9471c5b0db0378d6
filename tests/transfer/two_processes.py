"""Tasks on tiny data, in one process or as one of a torchrun, nearly without training: what they measure, as JSON."""

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from tintype.training import launch
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer
from transfer.tiny import LINEAR, LOW_SHOT, run

STILL = (
    "optimizer.lr=1e-12",
    "trunk=alexnet",
    "surgery.batch_norm=frozen",
    "surgery.end_at=conv5",
    "workers=0",
    "batch_size=4",
    "steps=2",
    "validate_every=1",
)
EARLY = "schedule={name: early_stopping, held_out: 0.3, patience: 1, drops: 1}"
DETECT = ("batch_size=2", "pooled=4", "scales=[96]", "test_scale=96", "search_longest=0", "save_detections=true")


def tasks(folder: Path, photographs: Path, devkit: Path, boxes: Path | None) -> dict[str, Any]:
    """Results of each task.

    Args:
        folder: for its runs.
        photographs: in folders of their classes.
        devkit: with lists of classes.
        boxes: a devkit with boxes; None: no detection.
    """
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    classify = load_task("classify-mini", [*STILL, EARLY, "crop=64", "crops=2"])
    found = {
        "linear": _linear(folder / "linear", photographs),
        "low-shot": run(folder / "low-shot", LOW_SHOT, photographs, *STILL, EARLY, "layer=conv5"),
        "classify": transfer(launch(), classify, "random", [str(devkit)], folder / "classify"),
    }
    if boxes:
        detect = load_task("detect-mini", [*STILL, *DETECT, f"proposals={folder / 'proposals'}"])
        found["detect"] = transfer(launch(), detect, "random", [str(boxes)], folder / "detect")
    return {name: record["results"] for name, record in found.items()}


class _Forgetful(torch.nn.BatchNorm1d):
    """Keeps the statistics that it begins with: those of batches depend on which process has what."""

    def __init__(self, *args: Any, **how: Any):
        super().__init__(*args, **how, momentum=0.0)


def _linear(folder: Path, photographs: Path) -> dict[str, Any]:
    with mock.patch("torch.nn.BatchNorm1d", _Forgetful):
        return run(folder, LINEAR, photographs, *STILL)


if __name__ == "__main__":
    place, *data = map(Path, sys.argv[1:])
    made = tasks(place, data[0], data[1], data[2] if len(data) > 2 else None)
    (place / f"results-{os.environ['RANK']}.json").write_text(json.dumps(made))
    torch.distributed.destroy_process_group()
