"""Requests that schemathesis makes up from the API's own description, right ones and wrong ones, to `tintype serve`.

    pip install schemathesis && python bench/api_fuzz.py [--examples 100] [--seed 0] [-- OPTIONS OF SCHEMATHESIS]

Every answer must be one that the description tells of, in the form that it tells; what the description forbids must be
refused, and what it allows accepted, of which photographs come from bench/_api_photographs.py. The status is that of
schemathesis; 0 with a message where that is not installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _served import served

HOOKS = Path(__file__).with_name("_api_photographs.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="requests of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("more", nargs="*", metavar="OPTION")
    arguments = parser.parse_args()
    program = shutil.which("schemathesis", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        print("schemathesis is not installed, so nothing was tried; run: pip install schemathesis")
        return
    with served() as page, tempfile.TemporaryDirectory() as folder:  # schemathesis keeps what it finds where it runs
        command = [program, "run", f"{page}api/openapi.json", "--checks", "all"]
        command += ["--max-examples", str(arguments.examples), "--seed", str(arguments.seed)]
        command += ["--phases", "examples,coverage,fuzzing", *arguments.more]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)}
        done = subprocess.run(command, cwd=folder, env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
