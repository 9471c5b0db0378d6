"""A recipe of classification and labelled photographs so small that a run takes a second."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tintype.pretrain import load_recipe
from tintype.pretrain.classification import pretrain
from tintype.training import launch

RECIPE = """
name: tiny-classes
description: for tests
steps: 8
batch_size: 4
seed: 0
trunk: timm:test_efficientnet
objective: {name: classification}
data: {crop: 32, scale: [0.6, 1], val_fraction: 0.2, workers: 0}
optimizer: {name: adamw, lr: 1e-2, weight_decay: 1e-2, trunk_lr: 0.5}
schedule: {name: cosine, warmup: 2}
log_every: 2
validate_every: 4
checkpoint_every: 3
"""


def make_photographs(folder: Path, count: int = 60) -> Path:
    """Bright, middling and dark pictures, each kind in a folder of its own."""
    random = np.random.default_rng(0)
    for i in range(count):
        path = folder / ("dark", "middling", "bright")[i % 3] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shapes = random.integers(80 * (i % 3), 80 * (i % 3) + 80, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(shapes).resize((50, 40)).save(path)
    return folder


def run(folder: Path, photographs: Path, *settings: str, resume: bool = False, **options) -> Path:
    """Pretrain by the tiny recipe."""
    torch.set_num_threads(1)
    recipe = folder.parent / "tiny-classes.yaml"
    mine = recipe.with_name(f"{os.getpid()}-tiny-classes.yaml")  # for two processes may do this at once
    mine.write_text(RECIPE)
    mine.replace(recipe)
    return pretrain(launch(), load_recipe(recipe, settings), [str(photographs)], folder, resume, **options)
