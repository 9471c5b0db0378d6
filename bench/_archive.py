"""An archive of 1200x800 JPEGs, and what a run over it takes of the machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from _photograph import free_photographs

KINDS = 60  # different photographs; an archive of more has each several times, by hard links
_TICK = os.sysconf("SC_CLK_TCK")


def make_archive(folder: Path, count: int) -> None:
    """Parts of scikit-image's and scikit-learn's photographs in grey, enlarged, with grain."""
    folder.mkdir(parents=True)
    whole = list(free_photographs().values())
    for number in range(count):
        place = folder / f"{number // 1000:03}" / f"{number:06}.jpg"
        place.parent.mkdir(exist_ok=True)
        if number >= KINDS:
            os.link(folder / "000" / f"{number % KINDS:06}.jpg", place)
            continue
        picture, rng = Image.fromarray(whole[number % len(whole)]), np.random.default_rng(number)
        width = round(rng.uniform(0.7, 1) * min(picture.width, 1.5 * picture.height))
        height = round(width / 1.5)
        x, y = (int(rng.integers(room + 1)) for room in (picture.width - width, picture.height - height))
        part = picture.crop((x, y, x + width, y + height)).convert("L").resize((1200, 800), Image.Resampling.BICUBIC)
        pixels = np.asarray(part) + rng.normal(0, 5, (800, 1200))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place, quality=92)


def command(source: Path, target: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tintype", "colorize", str(source), "-o", str(target), "--json", *options]


@dataclass
class Sample:
    """How things stood when so many photographs were done: seconds of the clock, of processors, and MB."""

    done: int
    clock: float
    processors: float
    busy: float
    megabytes: float


def watch(
    run: list[str], marks: set[int], each: Callable[[dict[str, object]], object], show: Callable[[Sample], object]
) -> list[Sample]:
    """Runs a command that prints JSON lines, and samples it when as many photographs are done as `marks` say.

    Args:
        each: is given each line.
        show: is given each sample.
    """
    samples: list[Sample] = []
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for done, line in enumerate(process.stdout, 1):
            each(json.loads(line))
            if done in marks:
                samples.append(_sample(done, process.pid))
                show(samples[-1])
    return samples


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(child) for child in task.read_text().split())
    return found


def _sample(done: int, pid: int) -> Sample:
    ticks, memory = 0, 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:13])
        lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        memory += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    busy = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = busy[3] + busy[4]
    return Sample(done, time.monotonic(), ticks / _TICK, (sum(busy[:8]) - idle) / _TICK, memory * 1024 / 1e6)
