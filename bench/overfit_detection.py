"""Can a detector learn a few photographs by heart?

    python bench/overfit_detection.py VOCdevkit [KEY=VALUE ...]

Fast R-CNN on the bundled colorizer's trunk is trained on the first 20 pictures of the devkit's list trainval, and
tested on the very same: with right targets, coordinates and scoring, average precision comes near 100, as far as
selective search proposes the objects at all. The share that it does is printed with the result. Settings change the
recipe, which is detect-mini's but for what stands below.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from _machine import describe
from tintype.data.voc import CLASSES, Devkit
from tintype.training import launch
from tintype.transfer.detect.edges import from_corners, overlaps
from tintype.transfer.detect.proposals import read_proposals, searched
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer
from tintype.transfer.tables import table

PICTURES = 20
SETTINGS = (
    "train=overfit",
    "test=overfit",
    "steps=600",
    "scales=[256]",
    "test_scale=256",
    "flip=false",
    "proposals_at_most=3000",
    "proposals_min_side=8",
    "search_longest=0",  # for the small ones
    "background_iou=[0, 0.5]",  # all of the few pictures is to be known
    "optimizer.lr=0.01",
    "schedule={name: steps, milestones: [450], factors: [0.1]}",
)


def main(devkit: str, *settings: str) -> None:
    print(describe())
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        root = few(Devkit(devkit, 2007).root, Path(folder, "VOC2007"))
        recipe = load_task("detect-mini", [*SETTINGS, *settings])
        if recipe.proposals == "run":
            recipe = load_task("detect-mini", [*SETTINGS, *settings, f"proposals={folder}/proposals"])
        names, photographs, boxes = Devkit(root, 2007).detection("overfit")
        kept = searched(names, photographs, Path(recipe.proposals), recipe.search, recipe.workers)
        best = [
            overlaps(read_proposals(path), from_corners(true.corners)).max(axis=0)
            for path, true in zip(kept, boxes, strict=True)
        ]
        found = np.concatenate(best) >= 0.5
        objects = np.concatenate([true.classes for true in boxes])
        print(f"{len(names)} pictures with {len(objects)} objects, of which {found.mean():.1%} are proposed")
        for kind in np.unique(objects):
            print(f"  {CLASSES[kind]}: {(objects == kind).sum()}, proposed {found[objects == kind].mean():.0%}")
        print(table(transfer(launch(), recipe, "bundled", [str(root)], Path(folder, "run"))))
    print(f"{time.perf_counter() - began:.0f} s")


def few(root: Path, to: Path) -> Path:
    """A devkit with a list `overfit` of the first pictures."""
    lists = to / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name in ("JPEGImages", "Annotations"):
        (to / name).symlink_to(root / name)
    listed = (root / "ImageSets" / "Main" / "trainval.txt").read_text("utf-8").split()[:PICTURES]
    (lists / "overfit.txt").write_text("\n".join(listed), "utf-8")
    return to


if __name__ == "__main__":
    main(*sys.argv[1:])
