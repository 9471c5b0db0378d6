"""Rows of docs/model-log.md: each trains the bundled model with one idea, exports and measures it.

    python bench/model_log.py --data sharp/ --data tiny/ --data small/ [--steps 120] [--out runs/log] [NAME ...]

Rows in which only the decoding differs train nothing of their own. Every other run has the same steps, seed and
photographs as the row "control", so what is told apart is the idea and chance; "another seed" shows how much chance is.
Photographs that the recipe holds out of the first source are measured, by `tintype evaluate`. A run or measurement that
is there already is kept.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from _machine import describe
from tintype.data import open_photos
from tintype.evaluate.figures import FIGURES as ALL_FIGURES
from tintype.pretrain import load_recipe
from tintype.pretrain.recipe import Augment

FIGURES = (
    "auc", "auc_rebalanced", "auc_rebalanced_per_image", "psnr", "ssim", "neutral_chroma", "agreement", "frechet",
    "colourfulness",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """An idea: what changes in the recipe, and in the export; `of` names the row whose run is decoded."""

    settings: tuple[str, ...] = ()
    export: tuple[str, ...] = ()
    recipe: str = "bundled-refined"
    of: str = ""


# The recipe's last values came out of these rows: they have what it had before.
SHORT = (
    "batch_size=16", "objective.rebalance=0.75", "optimizer.lr=3e-4", "optimizer.trunk_lr=0.3", "schedule.warmup=20",
    "ema=0.995",
)  # fmt: skip
TWO = ("--two-views", "--size", "192")
NO_LOSSES = ("refine.features=0", "refine.neutral=0", "refine.colour=0")
ROWS: dict[str, Row] = {
    # training
    "control": Row(NO_LOSSES, TWO),
    "another seed": Row((*NO_LOSSES, "seed=1"), TWO),
    "colour loss": Row((*NO_LOSSES, "refine.colour=1"), TWO),
    "neutral loss": Row((*NO_LOSSES, "refine.neutral=3"), TWO),
    "feature loss 2": Row((*NO_LOSSES, "refine.features=2"), TWO),
    "feature loss 10": Row((*NO_LOSSES, "refine.features=10"), TWO),
    "features and neutrals": Row((*NO_LOSSES, "refine.features=2", "refine.neutral=3"), TWO),
    "features, full rebalancing": Row((*NO_LOSSES, "refine.features=2", "objective.rebalance=1"), TWO),
    "full rebalancing": Row((*NO_LOSSES, "objective.rebalance=1"), TWO),
    "k = 10": Row((*NO_LOSSES, "objective.k=10"), TWO),
    "lambda = 0.25": Row((*NO_LOSSES, "objective.uniform=0.25"), TWO),
    "nothing frozen": Row((*NO_LOSSES, "freeze=none"), TWO),
    "trunk frozen": Row((*NO_LOSSES, "freeze=stride32"), TWO),
    "no ageing": Row((*NO_LOSSES, *(f"augment.{field.name}=0" for field in fields(Augment))), TWO),
    "sharp photographs only": Row((*NO_LOSSES, "data.weights=[0.98,0.01,0.01]"), TWO),
    "crops of 160": Row((*NO_LOSSES, "data.crop=160"), TWO),
    "three times the rate": Row((*NO_LOSSES, "optimizer.lr=1e-3"), TWO),
    # decoding
    "one view": Row(NO_LOSSES, ("--size", "160"), of="control"),
    "one view of 192": Row(NO_LOSSES, ("--size", "192"), of="control"),
    "two views, 256": Row(NO_LOSSES, ("--two-views", "--size", "256"), of="control"),
    "two views, T = 0.6": Row(NO_LOSSES, (*TWO, "--temperature", "0.6"), of="control"),
    "two views, T = 0.25": Row(NO_LOSSES, (*TWO, "--temperature", "0.25"), of="control"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(ROWS)}; all without")
    parser.add_argument("--data", action="append", required=True, help="the recipe's sources, in its order")
    parser.add_argument("--start", default="bundled", help="weights that every run starts from")
    parser.add_argument("--prior", type=Path, help="of the rebalanced figures [default: counted from what is measured]")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("runs/log"))
    args = parser.parse_args()
    if unknown := set(args.names) - set(ROWS):
        parser.error(f"no such row: {', '.join(unknown)}")

    held_out = write_held_out(args.out / "held-out", args.data[0], args.photos)
    print(describe("torch", "timm"))
    source = Path(args.data[0]).name
    print(f"{args.steps} steps each from {Path(args.start).name}; {args.photos} held-out photographs of {source}")
    heads = ["what", *(ALL_FIGURES[figure].label for figure in FIGURES), "minutes"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for number, name in enumerate(args.names or ROWS):
        row = ROWS[name]
        run = args.out / (row.of or name).replace(" ", "-")
        if not (run / "weights.safetensors").exists():
            base = ROWS[row.of] if row.of else row
            common = [f"steps={args.steps}", f"pretrained={args.start}", *SHORT]
            if (prior := args.out / "control" / "prior.npy").exists():  # counted once
                common.append(f"objective.prior={prior}")
            train(run, base.recipe, (*common, *base.settings), args.data)
        model = args.out / f"{name.replace(' ', '-')}.onnx"
        if not model.exists():
            tintype("export", run, "-o", model, *row.export)
        result = measure(held_out, model, args.prior, args.out / "measured" / model.stem)
        if not number:
            show("grey", result["grey"], "")
        show(name, result[str(model)], f"{json.loads((run / 'minutes.json').read_text()):.1f}" if not row.of else "0")
        if number == len(args.names or ROWS) - 1:
            show("true", result["ground-truth"], "")


def write_held_out(folder: Path, source: str, count: int) -> Path:
    """The photographs that the recipe holds out of a source, as files, all of them of a side of 96 or more."""
    _, held_out = open_photos([source]).split(load_recipe("bundled-refined", ["pretrained=none"]).data.val_fraction)
    chosen = folder / str(count)
    if not chosen.exists():
        chosen.mkdir(parents=True)
        for i in np.random.default_rng(0).permutation(len(held_out))[:count]:
            photo = held_out[int(i)]
            (chosen / f"{i:05}.jpg").write_bytes(photo.read())
    return chosen


def train(run: Path, recipe: str, settings: tuple[str, ...], data: list[str]) -> None:
    sources = [part for path in data for part in ("--data", path)]
    sets = [part for setting in settings for part in ("--set", setting)]
    start = time.perf_counter()
    tintype("pretrain", recipe, *sources, "--out", run, *sets)
    (run / "minutes.json").write_text(json.dumps((time.perf_counter() - start) / 60))


def measure(photographs: Path, model: Path, prior: Path | None, records: Path) -> dict[str, dict[str, float]]:
    result = records.with_suffix(".json")
    if not result.exists():
        more = ("--prior", prior) if prior else ()
        options = ("--model", model, "--json", "--resume", records, *more)
        records.parent.mkdir(exist_ok=True)
        text = tintype("evaluate", photographs, *options)
        result.write_text(text)
    methods: dict[str, dict[str, float]] = json.loads(result.read_text())["methods"]
    return methods


def tintype(*arguments: str | os.PathLike[str]) -> str:
    program = Path(sys.executable).parent / "tintype"
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def show(name: str, figures: dict[str, float], minutes: str) -> None:
    cells = [ALL_FIGURES[key].text(figures[key]) for key in FIGURES]
    print("| " + " | ".join([name, *cells, minutes]) + " |", flush=True)


if __name__ == "__main__":
    main()
