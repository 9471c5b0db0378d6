"""Pictures of shapes with masks, and a recipe so small that a run takes seconds."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from tintype.training import Compute, launch
from tintype.transfer.recipe_file import load_task
from tintype.transfer.run import transfer

RECIPE = """
base: segment
name: shapes
description: for tests
steps: 4
batch_size: 4
trunk: timm:test_efficientnet
head: {width: 32, points: 64, edge: 2, dropout: 0}
classes: 4
void: 9
crop: 64
val_fraction: 0.25
optimizer: {name: adamw, lr: 5.0e-3, weight_decay: 0}
schedule: {name: cosine, warmup: 2}
workers: 0
log_every: 2
checkpoint_every: 2
"""


def make_shapes(folder: Path, count: int, size: tuple[int, int] = (72, 64)) -> Path:
    """Bright rectangles (1), striped ones (2) and dark discs (3) on grey (0), each within a void line (9)."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    stripes = np.indices(size[::-1])[0] // 3 % 2 * 160 + 50
    for number in range(count):
        mask = Image.new("L", size)
        draw = ImageDraw.Draw(mask)
        for shape in random.permutation(3) + 1:
            x, y = random.integers(0, size[0] - 20), random.integers(0, size[1] - 20)
            box = (x, y, x + int(random.integers(18, 34)), y + int(random.integers(18, 34)))
            (draw.ellipse if shape == 3 else draw.rectangle)(box, fill=int(shape), outline=9)
        ids = np.array(mask)
        tones = np.select([ids == 1, ids == 2, ids == 3], [220, stripes, 30], 120) + random.normal(0, 4, ids.shape)
        Image.fromarray(tones.clip(0, 255).astype(np.uint8)).convert("RGB").save(
            folder / f"{number:02}.jpg", quality=95
        )
        Image.fromarray(ids).save(folder / f"{number:02}.png")
    return folder


def run(folder: Path, data: list[str], *settings: str, resume: bool = False, weights: str = "random", **options):
    """Segment by the recipe above; returns what results.json holds."""
    torch.set_num_threads(1)
    recipe = folder.parent / "shapes.yaml"
    if not recipe.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        recipe.write_text(RECIPE)
    return transfer(launch(), load_task(recipe, settings), weights, data, folder, resume, compute=Compute(**options))
