"""Detections as the programs of the PASCAL VOC devkit read them."""

from collections.abc import Sequence
from pathlib import Path

from tintype.data.whole import write_whole
from tintype.transfer.detection import Detections


def write_detections(
    folder: Path, split: str, names: Sequence[str], found: Sequence[Detections], classes: Sequence[str]
) -> None:
    """Write comp4_det_SPLIT_CLASS.txt for each class: a line for each box, with the picture's name, the score, and the
    left, top, right and bottom pixel, counted from 1.

    Args:
        folder: made if need be.
        split: such as test.
        names: of the pictures.
        found: of each.
        classes: names, in the order of their ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind, name in enumerate(classes):
        lines = [
            f"{picture} {score:.6f} " + " ".join(f"{side + 1:.1f}" for side in corners) + "\n"
            for picture, each in zip(names, found, strict=True)
            for corners, its, score in zip(each.corners, each.classes, each.scores, strict=True)
            if its == kind
        ]
        write_whole(folder / f"comp4_det_{split}_{name}.txt", "".join(lines))
