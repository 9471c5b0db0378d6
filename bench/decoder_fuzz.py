"""Damaged photographs of every format, one after the other, to what reads them: does a photograph, or one line, come?

    python bench/decoder_fuzz.py [--seconds 300] [--seed 0] [--only .jpg] [--keep FOLDER]

Each file is a small whole one with one to three accidents (tests/runtime/damage.py), the same for the same seed. They
are read in a process of their own, whose memory and time for each are bounded, and what is read is written again with
its metadata. Printed: by file, how many were read and how many refused. Anything else, such as another exception, a
crash, or a file that takes too long, is printed with the file's number, and the file is kept with `--keep`; the status
is then 1. `--one NUMBER` tries one again, in this process.
"""

import argparse
import faulthandler
import json
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

from _machine import describe

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from runtime.damage import OUTPUTS, damaged, odd_metadata, outcome, whole_files

PATIENCE = 10  # seconds for one file
MEMORY = 1_500_000_000  # bytes of address space beyond what there is after the libraries are loaded


class Files:
    """Damaged files by number."""

    def __init__(self, seed: int, only: str):
        self.seed = seed
        self.whole = {name: data for name, data in whole_files().items() if only in name}
        self.names = [*self.whole, *(["metadata"] if only in "metadata" else [])]

    def __call__(self, number: int) -> tuple[str, str, bytes]:
        """What it was, its suffix, and its content."""
        rng = np.random.default_rng([self.seed, number])
        name = self.names[number % len(self.names)]
        if name == "metadata":
            return name, *odd_metadata(rng)
        other = self.whole[str(rng.choice(list(self.whole)))]
        return name, Path(name).suffix, damaged(self.whole[name], rng, other)


def work(files: Files, first: int, until: float, folder: Path) -> None:
    """Reads files from a number on, and says of each what came of it, as JSON lines."""
    faulthandler.enable()
    for name, data in files.whole.items():  # loads the libraries
        (folder / f"whole{Path(name).suffix}").write_bytes(data)
        for output in OUTPUTS:
            outcome(folder / f"whole{Path(name).suffix}", folder, output)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    number = first
    while time.time() < until:
        name, suffix, data = files(number)
        print(json.dumps({"begun": number, "file": name}), flush=True)
        path = folder / f"damaged{suffix}"
        path.write_bytes(data)
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        start, wrong = time.perf_counter(), ""
        try:
            came = outcome(path, folder, OUTPUTS[number // len(files.names) % len(OUTPUTS)])
        except BaseException:
            came, wrong = "WRONG", traceback.format_exc()
        faulthandler.cancel_dump_traceback_later()
        seconds = round(time.perf_counter() - start, 3)
        print(json.dumps({"file": name, "came": came, "seconds": seconds, "wrong": wrong}), flush=True)
        number += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of the name of a file, such as .jpg or metadata")
    parser.add_argument("--keep", type=Path, help="folder for files that did harm")
    parser.add_argument("--one", type=int, metavar="NUMBER")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)  # first number, until when, folder
    arguments = parser.parse_args()
    files = Files(arguments.seed, arguments.only)
    if arguments.work:
        first, until, folder = arguments.work
        work(files, int(first), float(until), Path(folder))
    elif arguments.one is not None:
        name, suffix, data = files(arguments.one)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"damaged{suffix}"
            path.write_bytes(data)
            print(name, outcome(path, folder, OUTPUTS[arguments.one // len(files.names) % len(OUTPUTS)]))
    else:
        sys.exit(fuzz(files, arguments))


def fuzz(files: Files, arguments: argparse.Namespace) -> int:
    print(describe("pillow", "numpy"))
    until, first = time.time() + arguments.seconds, 0
    came: Counter[tuple[str, str]] = Counter()
    slowest: Counter[str] = Counter()
    harm: list[int] = []
    options = ["--seed", str(arguments.seed), "--only", arguments.only]
    while time.time() < until:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
            command = [sys.executable, __file__, *options, "--work", str(first), str(until), folder]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            assert process.stdout
            for line in process.stdout:
                said = json.loads(line)
                if "begun" in said:
                    first = said["begun"] + 1
                    name = said["file"]
                    continue
                came[name, said["came"]] += 1
                slowest[name] = max(slowest[name], said["seconds"])
                if said["wrong"]:
                    harm.append(first - 1)
                    print(f"file {first - 1}, {name}:\n{said['wrong']}", flush=True)
            if process.wait():
                if not first:
                    errors.seek(0)
                    sys.exit(errors.read())
                harm.append(first - 1)
                errors.seek(0)
                came[name, "ENDED"] += 1
                print(f"file {first - 1}, {name}: the process ended with {process.returncode}\n{errors.read()}")
    tell(files, came, slowest)
    if arguments.keep and harm:
        arguments.keep.mkdir(exist_ok=True)
        for number in harm:
            name, suffix, data = files(number)
            (arguments.keep / f"{number}{suffix}").write_bytes(data)
    print(f"{sum(came.values())} files, {len(harm)} did harm{': ' if harm else ''}{', '.join(map(str, harm[:20]))}")
    return bool(harm)


def tell(files: Files, came: "Counter[tuple[str, str]]", slowest: "Counter[str]") -> None:
    outcomes = ["read", "refused", *sorted({outcome for _, outcome in came} - {"read", "refused"})]
    print(f"{'':16}{''.join(f'{outcome:>9}' for outcome in outcomes)}   slowest")
    for name in files.names:
        counts = "".join(f"{came[name, outcome]:9}" for outcome in outcomes)
        print(f"{name:16}{counts}{slowest[name]:8.2f} s")


if __name__ == "__main__":
    main()
