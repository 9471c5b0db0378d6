"""Photographs, a model that paints everything orange, and runs that end with it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.conftest import model  # noqa: F401 (a fixture)
from tintype.pretrain import load_recipe


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 40)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def make_run(tmp_path, model):  # noqa: F811
    """(recipe, settings …) to the folder of a finished run, whose model is the orange one."""

    def make(recipe: str, *settings: str, name: str = "") -> Path:
        folder = tmp_path / (name or recipe)
        folder.mkdir()
        (folder / "recipe.yaml").write_text(load_recipe(recipe, settings).to_yaml())
        shutil.copy(model, folder / "model.onnx")
        return folder

    return make
