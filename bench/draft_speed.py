"""How fast a draft of a 12-megapixel photograph answers, against beginning it anew.

    python bench/draft_speed.py [--threads 2]

Every figure is the least of several rounds: what else the machine does can only add to it.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _machine import describe
from _photograph import save_photograph
from tintype.runtime.draft import Draft
from tintype.runtime.hints import Hint
from tintype.runtime.model import load_model
from tintype.runtime.read import read_photo

ROUNDS = 15
LIMIT = 150  # ms: the answer to a hint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    model = load_model("bundled", threads)
    with tempfile.TemporaryDirectory() as name:
        photo = read_photo(save_photograph(Path(name) / "grey.jpg", 4000, 3000, "L"), threads)
    draft = Draft(model, photo, model.input_size, threads)
    number = itertools.count(1)  # of hints and temperatures: nothing is asked for twice

    def hint(count: int) -> None:
        start = 0.8 * next(number) / 200
        draft.coefficients(draft.ab(hints=[Hint(start + 0.01 * i, 0.5, 30, 20) for i in range(count)]))

    ways: dict[str, Callable[[], object]] = {
        "a new draft": lambda: Draft(model, photo, model.input_size, threads),
        "one hint": lambda: hint(1),
        "20 hints": lambda: hint(20),
        "a temperature": lambda: draft.coefficients(draft.ab(0.3 + 1e-3 * next(number))),
        "five alternatives": lambda: draft.alternatives(0.3 + 1e-3 * next(number)),
        "suggestions": lambda: draft.suggestions(0.4, 0.6),
        "all pixels": lambda: draft.picture(draft.ab()).pixels(threads),
    }
    hint(1)  # what is done once
    print(describe("tintype", "numpy", "onnxruntime"))
    print(f"4000x3000, {threads} threads")
    took = {name: least(way) for name, way in ways.items()}
    for name, seconds in took.items():
        limit = f"   limit {LIMIT} ms" if name == "one hint" else ""
        print(f"{name:<18} {1000 * seconds:7.1f} ms  {seconds / took['a new draft']:6.3f} x{limit}")


def least(way: Callable[[], object]) -> float:
    """Seconds."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        way()
        found.append(time.perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    main()
