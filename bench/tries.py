"""Short runs of the bundled recipe with one thing changed, measured on the photographs that the recipe holds out.

    python bench/tries.py --data PHOTOGRAPHS [--steps 250] [--out runs/tries] [NAME ...]

Every run has the same steps, seed and batches, so each difference is that of the change, and of chance: the rows "as it
is" and "another seed" show how much that is. A run that is there already is only measured. Colours are enlarged
bilinearly here; `tintype evaluate` measures the finished model.
"""

import argparse
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from _machine import describe
from decoding import Setting, measure_held_out
from tintype.pretrain.recipe import Augment

TRIES: dict[str, list[str]] = {
    "as it is": [],
    "another seed": ["seed=1"],
    "head of width 48": ["head.width=48"],
    "head of width 192": ["head.width=192"],
    "k = 10": ["objective.k=10"],
    "lambda = 0.25": ["objective.uniform=0.25"],
    "lambda = 0.75": ["objective.uniform=0.75"],
    "lower trunk not frozen": ["freeze=none"],
    "no ImageNet weights": ["pretrained=none", "freeze=none"],
    "no ageing": [f"augment.{field.name}=0" for field in fields(Augment)],
    "128 pixels from the start": ["data.early=0"],
    "96 pixels to the end": ["data.crop=96", "data.early=0"],
}
SHORT = ["schedule.warmup=40", "ema=0.98"]  # the recipe's are made for thousands of steps
SETTING: Setting = (128, 0.75, 0.38)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(TRIES)}; all without")
    parser.add_argument("--data", action="append", required=True, help="the recipe's three sources, in its order")
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/tries"))
    args = parser.parse_args()
    if unknown := set(args.names) - set(TRIES):
        parser.error(f"no such try: {', '.join(unknown)}")

    print(describe("torch", "timm"))
    print(f"{args.steps} steps each; {args.photos} held-out photographs of {args.data[0]}, 128 x 128")
    print("| what | AuC | rebalanced | per image | PSNR | colourfulness |")
    print("|---|---|---|---|---|---|")
    for name in args.names or TRIES:
        run = args.out / name.replace(" ", "-")
        if not (run / "weights.safetensors").exists():
            train(run, [f"steps={args.steps}", *SHORT, *TRIES[name]], args.data)
        figures = measure_held_out(run, args.data[:1], args.photos, 128, [SETTING])
        if name == "as it is":
            row("grey", figures["grey"])
        row(name, figures[SETTING])


def train(run: Path, settings: list[str], data: list[str]) -> None:
    tintype = str(Path(sys.executable).parent / "tintype")
    sources = [part for path in data for part in ("--data", path)]
    sets = [part for setting in settings for part in ("--set", setting)]
    subprocess.run([tintype, "pretrain", "bundled", *sources, "--out", str(run), *sets], check=True)


def row(name: str, figures: dict[str, float]) -> None:
    values = [figures[key] for key in ("auc", "auc_rebalanced", "auc_rebalanced_per_image", "psnr")]
    cells = [name, *(f"{value:.2f}" for value in values), f"{figures['colourfulness']:.1f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
