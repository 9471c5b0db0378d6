"""Run by torchrun: FOLDER SHARDS first|again. Trains by the tiny recipe of classification, from shards, with workers.

first   a run that is never stopped, and one that is killed (-9) at step 5, in the middle of an epoch
again   goes on with it
"""

import itertools
import os
import signal
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

from pretrain.labelled import run

SETTINGS = ("steps=9", "batch_size=8", "data.workers=1", "validate_every=9")


def main(folder: Path, shards: Path, which: str) -> None:
    if which == "again":
        run(folder / "killed", shards, *SETTINGS, resume=True)
        torch.distributed.destroy_process_group()
        return
    run(folder / "whole", shards, *SETTINGS)
    entropy, calls = F.cross_entropy, itertools.count(1)

    def until_step_5(*arguments, **options):
        if next(calls) == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return entropy(*arguments, **options)

    F.cross_entropy = until_step_5
    run(folder / "killed", shards, *SETTINGS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
