"""Run by torchrun: train without batch-norm, which each process works out by itself, and with plain SGD."""

import sys
from pathlib import Path

import torch
from torch import nn

from pretrain.tiny import run
from tintype.pretrain import colorization, photographs

HELD_OUT_BATCH = 2

SETTINGS = (
    "trunk=timm:test_efficientnet_ln",
    "optimizer.name=sgd",
    "optimizer.lr=0.3",
    "optimizer.betas=[0.9, 0.9]",
    "schedule.name=constant",
    "batch_size=8",
    "steps=3",
)
SPARSE = (
    "trunk=timm:test_efficientnet",
    "head={name: hypercolumn, layers: [stride4, stride16], width: 16, dropout: 0, points: 20, edge: 4}",
    "objective={name: histograms, bins: 8, window: 3}",
    "input=mean",
)


def without_batch_norm(recipe, make=colorization.make_network):
    network = make(recipe)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return network


if __name__ == "__main__":
    colorization.make_network = without_batch_norm
    photographs.HELD_OUT_BATCH = colorization.HELD_OUT_BATCH = HELD_OUT_BATCH
    sparse = (*SPARSE[1:], "optimizer.lr=0.05") if sys.argv[3:] == ["sparse"] else ()
    run(Path(sys.argv[1]), Path(sys.argv[2]), *SETTINGS, *sparse)
    torch.distributed.destroy_process_group()
