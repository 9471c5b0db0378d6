"""Recipes, weights and photographs so small that a task takes a second."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tintype.training import launch
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer

LINEAR = """
task: linear
name: tiny-linear
description: for tests
steps: 12
batch_size: 6
trunk: alexnet
crop: 64
layers: [conv2, conv5]
dimensions: 512
optimizer: {name: sgd, lr: 0.05, betas: [0.9, 0.999]}
schedule: {name: constant}
val_fraction: 0.3
workers: 0
log_every: 4
checkpoint_every: 5
"""
LOW_SHOT = """
task: low-shot
name: tiny-low-shot
description: for tests
steps: 8
batch_size: 6
trunk: timm:test_efficientnet
per_class: 4
crop: 32
optimizer: {name: sgd, lr: 0.05, betas: [0.9, 0.999]}
schedule: {name: constant}
val_fraction: 0.3
workers: 0
validate_every: 2
checkpoint_every: 3
"""


def run(folder: Path, text: str, photographs: Path, *settings: str, weights: str = "random", resume: bool = False):
    """A task by a recipe's text."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as own:  # processes of torchrun call this at once
        recipe = Path(own) / "tiny-task.yaml"
        recipe.write_text(text)
        task = load_task(recipe, settings)
    return transfer(launch(), task, weights, [str(photographs)], folder, resume)
