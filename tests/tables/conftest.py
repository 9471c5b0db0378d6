"""Photographs, a model that paints everything orange, and runs that end with it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.conftest import model  # noqa: F401 (a fixture)
from tables.small import write_table
from tintype.pretrain import load_recipe
from tintype.tables.collect import collect
from tintype.tables.execute import Folder
from tintype.tables.plan import make_plan
from tintype.tables.spec import load_table


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


@pytest.fixture
def built(tmp_path):
    """A table of which some runs are done, and one is as the paper does not have it."""
    (tmp_path / "a.tar").touch()
    table = load_table(write_table(tmp_path))
    plan, folder = make_plan(table, "mini", {"photos": [str(tmp_path)]}), Folder(tmp_path)
    for (row, column), cell in plan.cells.items():
        for seed, name in enumerate(cell.runs):
            value = {"none": 25.0, "colour": 24.0}[row] + seed / 3
            file = folder.result(plan.runs[name])
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps({"results": {cell.path: value}}))
            if column == "few" and seed:
                file.unlink()
    return collect(table, "mini", plan, folder)
