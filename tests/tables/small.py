"""A small table, and a stand-in for tintype that makes what its runs would make."""

import json
import os
import sys
import time
from pathlib import Path

TABLE = """
name: small
title: "Made up, Table 7: 50 % & more"
source: nowhere
protocol: none
plot: bars
columns:
  seg: {title: seg, unit: "% mean IU"}
  few: {title: 10 per class}
rows:
  none: {title: random, published: {seg: 20.5 V, few: "6.7 ± 0.5 M"}}
  colour: {title: colorization, published: {seg: 36.2 V, few: 17.4 M}}
  theirs: {title: others, published: {seg: 30.0 V2}}
expected:
  - [colour, none]
scales:
  mini:
    about: small
    data: {photos: a folder}
    seeds: 2
    made:
      study: {labels: "noise --share 0.1", data: ["{photos}"]}
      colour: {recipe: larsson17-alexnet-histograms-mini, data: ["{photos}/*.tar"], minutes: 3}
      labels: {recipe: classification-mini, data: ["{photos}"], study: study}
    columns:
      seg: {task: segment-mini, data: ["train={photos}"], figure: mean_iu, minutes: 2}
      few: {task: low-shot-mini, data: ["{photos}"], set: [per_class=10], figure: top1}
    rows:
      none: {weights: random, set: [trunk=alexnet]}
      colour: {weights: colour, without: {few: too slow}}
"""


def write_table(folder: Path, text: str = TABLE) -> Path:
    file = folder / "small.yaml"
    file.write_text(text)
    return file


def stand_in() -> None:
    """Called as tintype is: waits, fails or makes its result, as the file `orders.json` above its folder says.

    As the real one, it makes no folder for a file that it is to write (-o), and prints what it evaluates.
    """
    words = sys.argv[1:]
    kind = words[0]
    print(f"threads {os.environ.get('OMP_NUM_THREADS')}", file=sys.stderr)
    print(f"cards {os.environ.get('CUDA_VISIBLE_DEVICES')}", file=sys.stderr)
    places = [words[i + 1] for i, word in enumerate(words) if word in ("--out", "-o", "--model")]
    out = Path(places[0])
    root = next(parent for parent in out.parents if (parent / "orders.json").exists())
    orders = json.loads((root / "orders.json").read_text())
    with (root / "called.txt").open("a") as file:
        file.write(f"{kind} {words[1]} {'--resume' if '--resume' in words else ''}\n")
    if kind in orders["fail"]:
        sys.exit(f"{kind} fails")
    if kind in ("pretrain", "transfer"):
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.yaml").write_text("begun")
    time.sleep(orders.get("sleep", 0))
    if kind == "transfer":
        seed = int(next(word for word in words if word.startswith("seed="))[5:])
        gain = 10 if "random" not in words else 0
        (out / "results.json").write_text(json.dumps({"results": {"mean_iu": 20 + gain + seed, "top1": 7.0 + seed}}))
    elif kind == "evaluate":
        assert out.read_text() == "made"
        damaged = [{"input": "cut.jpg", "error": "cut.jpg: cut"}] if orders.get("damaged") else []
        print(json.dumps({"methods": {str(out): {"auc": 91.5}}, "damaged": damaged}))
        sys.exit(1 if orders.get("damaged") else 0)
    else:
        (out / "weights.safetensors" if kind == "pretrain" else out).write_text("made")


if __name__ == "__main__":
    stand_in()
