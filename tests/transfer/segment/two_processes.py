"""One process of a torchrun: a segmentation of shapes, half of whose masks are nearly all void."""

import sys
from pathlib import Path

import torch

from transfer.segment.shapes import run

SETTINGS = ("batch_size=4", "steps=4", "log_every=1", "optimizer={name: sgd, lr: 0.02}", "schedule={name: constant}",
            "head.dropout=0", "trunk=alexnet", "head.layers=[conv2,conv3]")  # fmt: skip

if __name__ == "__main__":
    run(Path(sys.argv[1]), [sys.argv[2]], *SETTINGS)
    torch.distributed.destroy_process_group()
