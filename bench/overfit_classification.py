"""Whether fine-tuning on 20 photographs of a devkit learns them by heart, as it must.

    python bench/overfit_classification.py devkit/ [trunk]

The average precision of scores from the fine-tuned trunk on the same 20 photographs, from the untrained one with an
untrained layer on it, and the mean of 100 draws of random scores, beside the share of positives, which random scores
are worth on many pictures.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _machine import describe
from tintype.data.voc import Devkit
from tintype.training import launch
from tintype.transfer.multilabel_scores import class_precisions, mean_precision
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer

PHOTOGRAPHS, STEPS = 20, 300
SETTINGS = ("train=few", "test=few", "crop=96", "scale=[2.5, 4]", "batch_size=10", "workers=0", "schedule.warmup=0")


def few(folder: Path, year: int, below: Path) -> Path:
    """The devkit with one more list, of its first training photographs; labels follow from annotations."""
    kit = Devkit(folder, year)
    root = below / "VOCdevkit" / f"VOC{year}"
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for part in ("JPEGImages", "Annotations"):
        (root / part).symlink_to((kit.root / part).resolve())
    names = kit.classification("trainval").names[:PHOTOGRAPHS]
    (root / "ImageSets" / "Main" / "few.txt").write_text("\n".join(names))
    return root.parent


def random_scores(labels: NDArray[np.uint8]) -> float:
    rng = np.random.default_rng(0)
    draws = [mean_precision(class_precisions(rng.random(labels.shape), labels))["area"] for _ in range(100)]
    return float(np.mean([draw for draw in draws if draw is not None]))


def main() -> None:
    folder, trunk = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "timm:test_resnet"
    with tempfile.TemporaryDirectory() as temporary:
        kit = few(folder, 2007, Path(temporary))
        labels = Devkit(kit, 2007).classification("few").labels
        shown = labels[:, (labels == 1).any(axis=0)]
        rows = {}
        for name, more in (
            ("fine-tuned", (f"steps={STEPS}", "optimizer.lr=0.03")),
            ("untrained", ("steps=1", "optimizer.lr=1e-12")),
        ):
            recipe = load_task("classify-mini", [*SETTINGS, *more, f"trunk={trunk}", "crops=10", "log_every=100"])
            rows[name] = transfer(launch(), recipe, "random", [str(kit)], Path(temporary, name))["results"]["mAP"]
    print(describe("torch", "scikit-learn"))
    print(f"{PHOTOGRAPHS} photographs, {shown.shape[1]} classes, {trunk}, {STEPS} steps; mAP (area), %")
    for name, found in rows.items():
        print(f"{name:<14} " + "  ".join(f"{view} {values['area']:6.2f}" for view, values in found.items()))
    print(f"random scores  {random_scores(labels):6.2f}")
    counted = [(column == 1).sum() / (column != 255).sum() for column in shown.T]
    print(f"positives      {100 * np.mean(counted):6.2f}")


if __name__ == "__main__":
    main()
