"""A recipe and photographs so small that a run takes a second."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tintype.pretrain import load_recipe
from tintype.pretrain.colorization import pretrain
from tintype.training import launch

RECIPE = """
name: tiny
description: for tests
steps: 8
batch_size: 4
seed: 0
trunk: timm:test_efficientnet
head: {name: pyramid, width: 8}
objective: {name: bins, prior_photos: 16}
data: {crop: 32, scale: [0.6, 1], val_fraction: 0.2, workers: 0}
augment: {grain: 4, blur: 1, fade: 0.3, contrast: 0.2, gamma: 0.2, vignette: 0.2, scratches: 0.5, stains: 0.5}
optimizer: {name: adamw, lr: 1e-2, weight_decay: 1e-2, trunk_lr: 0.5, clip: 1}
schedule: {name: cosine, warmup: 2}
input_size: 64
sampling: mean
ema: 0.9
log_every: 2
validate_every: 4
checkpoint_every: 3
"""


def make_photographs(folder: Path, count: int = 40) -> Path:
    """JPEGs of soft coloured shapes."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for i in range(count):
        shapes = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8))
        shapes.resize((50, 40), Image.Resampling.BICUBIC).save(folder / f"{i:02}.jpg")
    return folder


def run(folder: Path, photographs: Path, *settings: str, resume: bool = False) -> Path:
    """Pretrain by the tiny recipe."""
    torch.set_num_threads(1)  # sums come out the same only with as many threads
    recipe = folder.parent / "tiny.yaml"
    mine = recipe.with_name(f"{os.getpid()}-tiny.yaml")  # for two processes may do this at once
    mine.write_text(RECIPE)
    mine.replace(recipe)
    return pretrain(launch(), load_recipe(recipe, settings), [str(photographs)], folder, resume)
