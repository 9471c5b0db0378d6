"""Overfitting street scenes by `tintype transfer segment`: a check that head, loss, labels and places go together.

    python bench/overfit_segmentation.py camvid-val-00.tar.gz

Trains on a few images of a folder or tar with masks and tests on the same ones. First the same network, not trained;
last what any prediction at every fourth pixel can reach if it is enlarged bilinearly: the true masks, read there, for
CamVid at 240x180 pixels has poles one or two pixels wide. A place that is half a stride off shows at these first.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from _machine import describe
from tintype.data.masks import Segmented, open_segmented
from tintype.networks.geometry import Grid
from tintype.networks.sampling import regrid
from tintype.recipes.weights import UNTRAINED
from tintype.training import launch
from tintype.transfer.confusion import confusion_matrix
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer
from tintype.transfer.segment.run import summary


def write(images: Segmented, folder: Path, count: int) -> None:
    """The first images and their masks, as they are, into a folder."""
    for pair in images.pairs[:count]:
        for part, suffix in ((pair.photograph, ".jpg"), (pair.mask, ".png")):
            path = folder / (pair.name.replace("/", "-") + suffix)
            path.write_bytes(part.read())


def reachable(images: Segmented) -> dict[str, Any]:
    """Scores of the true masks, read at pixels 2, 6, 10 … and enlarged bilinearly."""
    counts = torch.zeros(images.classes, images.classes, dtype=torch.int64)
    for number in range(len(images)):
        true = torch.from_numpy(images.read(number)[1]).long()
        classes = F.one_hot(true, 256).permute(2, 0, 1)[None, : images.classes].float()
        coarse = [torch.arange(2, side + 2, 4) for side in true.shape]
        cells = regrid(classes, Grid(1, 0), *coarse)
        predicted = regrid(cells, Grid(4, 2), *map(torch.arange, true.shape))[0].argmax(0)
        counts += confusion_matrix(predicted, true, images.classes, images.void)
    return summary(counts, load_task("segment-mini").class_names)


def line(results: dict[str, Any], steps: str, seconds: float) -> str:
    classes = " ".join(f"{kind} {held['iu'] or 0:.0f}" for kind, held in results["class"].items())
    return f"{steps:>6} {seconds:8.0f} {results['mean_iu']:8.1f} {results['pixel_accuracy']:7.1f}   {classes}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder or tar of CamVid's images with masks")
    parser.add_argument("--weights", default="random")
    parser.add_argument("--trunk", default="resnet18", help="where the weights do not say it")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of tintype transfer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(describe("torch", "tintype"))
    print(f"{options.images} images, one thread")
    trunk = options.trunk if options.weights in UNTRAINED else "weights"
    given = ["head.dropout=0", "optimizer.weight_decay=0", "workers=0", f"trunk={trunk}", *options.set]
    print(f"segment-mini --weights {options.weights} with {' '.join(given)}")
    print(f"{'steps':>6} {'seconds':>8} {'mean IU':>8} {'pixels':>7}   " + "IU of each class")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "images")
        place.mkdir()
        write(open_segmented(options.data, classes=11, void=11), place, options.images)
        data = [f"train={place}", f"test={place}"]
        for steps in (1, options.steps):
            changed = [f"steps={steps}", *(["schedule.warmup=0", "optimizer.lr=1e-9"] if steps == 1 else [])]
            recipe = load_task("segment-mini", [*given, *changed])
            start = time.perf_counter()
            results = transfer(launch(), recipe, options.weights, data, Path(name, f"run-{steps}"))["results"]
            print(line(results, "none" if steps == 1 else str(steps), time.perf_counter() - start), flush=True)
        print(line(reachable(open_segmented(place, classes=11, void=11)), "truth", 0))


if __name__ == "__main__":
    main()
