"""Peak memory of colorizing a file, of the whole process.

python bench/colorize_memory.py [--model M]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from _machine import describe
from _photograph import save_photograph

# Only what a Linux process has ever held resident itself counts: getrusage() would count the parent's share as well.
PROGRAM = """
import sys
from pathlib import Path
from tintype.runtime import Colorizer
model, source, target = sys.argv[1:]
Colorizer(model).colorize_file(source, target)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def peak(model: str, source: Path, suffix: str) -> float:
    """MB."""
    target = source.with_suffix(f".color{suffix}")
    command = [sys.executable, "-c", PROGRAM, model, str(source), str(target)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) * 1024 / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled", help="a name or an .onnx file")
    arguments = parser.parse_args()
    print(describe("numpy", "pillow", "onnxruntime"))
    with tempfile.TemporaryDirectory() as folder:
        for width, height, limit in ((100, 100, None), (4000, 3000, 600), (12000, 8400, 1500)):
            for mode, channels in (("L", "one channel"), ("RGB", "three channels")):
                source = save_photograph(Path(folder, f"{width}-{mode}.jpg"), width, height, mode)
                for suffix in (".jpg", ".png", ".tif") if limit else (".jpg",):
                    megabytes = peak(arguments.model, source, suffix)
                    size = f"{width * height / 1e6:.0f} MP" if limit else "10 kP"
                    text = f"   {megabytes / limit:.2f} x the limit of {limit} MB" if limit else "   the process itself"
                    print(f"{size:>6} JPEG, {channels:14} to {suffix}  {megabytes:6.0f} MB{text}", flush=True)
