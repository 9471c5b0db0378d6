"""How long the command takes to answer, and the plain install to be there.

python bench/startup.py             # tintype --help, against an empty Python
python bench/startup.py --install   # also pip install . in a fresh environment: seconds and MB
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _machine import describe

ROOT = Path(__file__).resolve().parent.parent


def seconds(command: list[str], rounds: int = 15) -> float:
    """Least of several: what else the machine does can only add to it."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6


def startup(python: Path) -> None:
    empty = seconds([str(python), "-c", "pass"])
    answer = seconds([str(python.parent / "tintype"), "--help"])
    print(f"tintype --help    {answer:.3f} s   {answer / empty:.1f} x python -c pass ({empty:.3f} s)   limit 0.3 s")


def install() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        before, start = megabytes(venv), time.perf_counter()
        pip = [
            venv / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-cache-dir",
        ]
        subprocess.run([*pip, ROOT], check=True)
        took, size = time.perf_counter() - start, megabytes(venv)
        print(f"pip install .     {took:.1f} s   limit 60 s")
        print(f"on disk           {size:.0f} MB, of which Python and pip {before:.0f} MB   limit 400 MB")
        startup(venv / "bin" / "python")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install into a fresh environment too")
    arguments = parser.parse_args()
    print(describe("click"))
    if arguments.install:
        install()
    else:
        startup(Path(sys.executable))
