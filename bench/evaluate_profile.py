"""Where the time of `tintype evaluate` goes, and that its memory does not grow with the number of photographs.

    python bench/evaluate_profile.py PHOTOGRAPHS [--model bundled]

Shares are of wall time, in one run over the folder. Peak memory is that of a process of its own, on 150 photographs
of the folder and on four times as many, which are links to the same files under other names.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from _machine import describe
from tintype.evaluate import Options, frechet, methods, photograph, run, suite
from tintype.evaluate.classifier import Classifier
from tintype.evaluate.records import Records
from tintype.evaluate.summary import Summary
from tintype.runtime import Colorizer

RUN = import_module("tintype.evaluate.run")  # the package gives that name to the function
FEW = 150  # photographs of the smaller folder on which memory is measured
PARTS = {  # what is timed, and what it is called
    "decoding": [(photograph, "read_colours"), (methods, "read_colours")],
    "loading networks": [(RUN, "load_judges"), (Colorizer, "__init__")],
    "the colorizer": [(Colorizer, "__call__")],
    "the classifier": [(Classifier, "__call__")],
    "metric code": [(suite, "_measure_colours"), (Summary, "add"), (Summary, "figures"), (frechet, "frechet")],
    "records": [(Records, "add")],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    options = Options(models=(args.model,))
    if args.peak:
        run(args.folder, options)
        print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
        return
    print(describe("torch", "timm", "onnxruntime"))
    images, seconds, parts = profile(args.folder, options)
    print(
        f"{images} photographs in {seconds:.1f} s, {images / seconds:.1f} a second; four rows, one of them a model's\n"
    )
    print("| part | share |\n|---|---|")
    for name, spent in parts.items():
        print(f"| {name} | {100 * spent / seconds:.0f} % |")
    rest = seconds - sum(parts.values())
    print(f"| the rest: grey and random pictures | {100 * rest / seconds:.0f} % |")
    work = sum(parts[name] for name in PARTS if name not in ("metric code", "records"))
    print(f"\ndecoding and networks: {100 * work / seconds:.0f} % (asked for: at least 80 %)\n")
    few = sorted(args.folder.iterdir())[:FEW]
    for copies in (1, 4):
        with tempfile.TemporaryDirectory(dir=args.folder.parent) as place:
            for copy in range(copies):
                for path in few:
                    os.link(path, Path(place) / f"{copy}-{path.name}")
            print(f"peak memory with {copies * len(few)} photographs: {peak(Path(place), args.model):.0f} MB")


def profile(folder: Path, options: Options) -> tuple[int, float, dict[str, float]]:
    """Photographs, seconds in all, and seconds in each part."""
    parts: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                parts[name] += time.perf_counter() - start

        return call

    for name, places in PARTS.items():
        for owner, attribute in places:
            setattr(owner, attribute, timed(name, getattr(owner, attribute)))
    start = time.perf_counter()
    done = run(folder, options)
    return done.result["images"], time.perf_counter() - start, {name: parts[name] for name in PARTS}


def peak(folder: Path, model: str) -> float:
    """Megabytes."""
    command = [sys.executable, __file__, str(folder), "--model", model, "--peak"]
    return float(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


if __name__ == "__main__":
    main()
