"""`tintype colorize` on an archive of 1200x800 JPEGs: processors in use, speed, memory over time, and kill -9.

    python bench/archive.py [--count 10000] [--compare 60] [--killed 300]

"of all cores" is what the command's processes used of all processors between the first 50 and the last photographs;
beside it what the whole machine did, which is the more if it does other things: then run it again. The loops that it
is compared with take one photograph after the other, the network in PyTorch float32 on all cores; the first as scripts
do it, by Pillow and scikit-image, the second with tintype's own reading, edges and writing. Outputs of the long run are
taken away as they come. Memory is that of all its processes (PSS).
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from _archive import Sample, command, family, make_archive, watch
from _machine import describe
from _torch_network import Session, torch_session
from tintype.runtime import Colorizer
from tintype.runtime.strips import cores

DEMO = 0.5  # images/s that a warm loop of the widely used Zhang16 demo is said to reach on two such cores
Loop = Callable[[Path, Path], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="photographs of the long run")
    parser.add_argument("--compare", type=int, default=60, help="photographs of each loop that it is compared with")
    parser.add_argument("--killed", type=int, default=300, help="photographs of the run that is killed")
    parser.add_argument("--every", type=int, default=1000, help="photographs between looks at memory")
    parser.add_argument("--folder", type=Path, help="where all is written  [default: a temporary folder]")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-image's, of colours outside of sRGB
    print(describe("numpy", "pillow", "onnxruntime", "torch", "scikit-image"))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        loops = compare(Path(name), arguments.compare)
        speed = long_run(Path(name), arguments.count, arguments.every)
        for kind, other in loops.items():
            print(f"  {speed / other:5.2f} x {kind}" + ("   limit 2.5 x" if "scripts" in kind else ""))
        told = f"{DEMO} images/s that the Zhang16 demo is said to reach, not run here"
        print(f"  {speed / DEMO:5.1f} x the {told}   limit 10 x")
        killed(Path(name), arguments.killed)


def compare(folder: Path, count: int) -> dict[str, float]:
    """Photographs per second of loops over one-at-a-time calls."""
    make_archive(folder / "few", count)
    (folder / "loop").mkdir()
    torch.set_num_threads(cores())
    colorizer = Colorizer()
    session = torch_session(colorizer)
    ours = Colorizer()
    ours.model = replace(ours.model, _session=session)
    loops: dict[str, Loop] = {
        "PyTorch, as scripts do it": lambda source, target: script(session, source, target),
        "PyTorch, tintype's own reading and writing": lambda source, target: ours.colorize_file(source, target),
        "tintype.Colorizer, one at a time": lambda source, target: colorizer.colorize_file(source, target),
    }
    speeds = {}
    for number, (kind, loop) in enumerate(loops.items()):
        paths = sorted((folder / "few").rglob("*.jpg"))
        loop(paths[0], folder / "loop" / f"{number}-warm.jpg")
        start = time.perf_counter()
        for path in paths:
            loop(path, folder / "loop" / f"{number}-{path.name}")
        speeds[kind] = len(paths) / (time.perf_counter() - start)
        print(f"{speeds[kind]:6.1f} images/s  {kind}", flush=True)
    return speeds


def script(session: Session, source: Path, target: Path) -> None:
    """As demos of colorization do it, with bilinear colour."""
    with Image.open(source) as image:
        picture = image.convert("RGB")
    lightness = rgb2lab(np.asarray(picture))[..., 0].astype(np.float32)
    seen = rgb2lab(np.asarray(picture.resize((256, 192), Image.Resampling.BICUBIC)))[..., 0].astype(np.float32)
    ab = session(torch.from_numpy(seen)[None, None], 0.38)
    ab = torch.nn.functional.interpolate(ab, lightness.shape, mode="bilinear", align_corners=False)[0]
    rgb = lab2rgb(np.concatenate([lightness[..., None], ab.permute(1, 2, 0).numpy()], axis=-1))
    Image.fromarray(np.rint(255 * rgb).astype(np.uint8)).save(target, quality=95, subsampling="4:4:4")


def long_run(folder: Path, count: int, every: int) -> float:
    """Photographs per second of the command."""
    make_archive(folder / "many", count)
    (folder / "many.color").mkdir()

    def show(sample: Sample) -> None:
        print(f"  {sample.done:6} photographs, {sample.megabytes:6.0f} MB", flush=True)

    print(f"tintype colorize, {count} photographs")
    marks = {50, *range(every, count - 20, every), count - 20}  # not at the end, when processes are ending
    start = time.monotonic()
    samples = watch(
        command(folder / "many", folder / "many.color"), marks, lambda line: os.unlink(str(line["output"])), show
    )
    whole = time.monotonic() - start
    first, last = samples[0], samples[-1]
    clock = last.clock - first.clock
    share, machine = ((getattr(last, of) - getattr(first, of)) / clock / cores() for of in ("processors", "busy"))
    speed = (last.done - first.done) / clock
    per_image = (last.processors - first.processors) / (last.done - first.done)
    print(f"  {100 * share:5.1f} % of all cores   limit 90 %; the whole machine {100 * machine:.1f} %")
    print(
        f"  {speed:5.1f} images/s, {count / whole:.1f} with start and listing; {1000 * per_image:.0f} ms of a core each"
    )
    return speed


def killed(folder: Path, count: int) -> None:
    make_archive(folder / "in", count)
    runs = {name: (folder / name, folder / f"{name}.jsonl") for name in ("whole", "broken")}
    subprocess.run(_reported(folder, *runs["whole"]), stdout=subprocess.DEVNULL, check=True)
    for part in (1, 2, 3):
        with subprocess.Popen(_reported(folder, *runs["broken"]), stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and len(digests(folder / "broken", read=False)) < part * count // 4:
                time.sleep(0.02)
            for pid in (
                family(process.pid) if part == 2 else [process.pid]
            ):  # the workers too, or the first process only
                os.kill(pid, signal.SIGKILL)
        print(f"  killed with {len(digests(folder / 'broken', read=False))} outputs")
    subprocess.run(_reported(folder, *runs["broken"]), stdout=subprocess.DEVNULL, check=True)
    whole, broken = (digests(place) for place, _ in runs.values())
    same = sum(whole[name] == broken.get(name) for name in whole)
    lines = [json.loads(line)["source"] for line in runs["broken"][1].read_text().splitlines()]
    print(f"killed three times and started again: {same} of {count} outputs byte for byte those of an unbroken run,")
    print(f"  {len(broken) - same} others; {len(lines)} lines in the report, {len(set(lines))} of them different")


def _reported(folder: Path, out: Path, report: Path) -> list[str]:
    return command(folder / "in", out, "--report", str(report))


def digests(folder: Path, *, read: bool = True) -> dict[str, str]:
    """Every file below a folder, hidden ones too."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if read else "" for path in files
    }


if __name__ == "__main__":
    main()
