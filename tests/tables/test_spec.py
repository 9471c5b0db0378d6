from importlib import resources

import pytest
import yaml

from tintype.recipes.parse import RecipeError
from tintype.tables.spec import load_table


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["expected"], None),
        (["expected"], [["a"], "b"]),
        (["expected", 0, 0], []),
        (["scales", "mini", "seeds"], None),
        (["scales", "mini", "seeds"], "x"),
        (["scales", "mini", "seeds"], 0),
        (["scales", "mini", "pretrainings"], -1),
        (["scales", "paper", "rows", "labels", "set_in"], {"seg": 1}),
        (["scales", "paper", "rows", "labels", "set_in"], [1]),
    ],
)
def test_odd_values_are_told_and_no_traceback(place, value, tmp_path):
    values = yaml.safe_load(resources.files("tintype.tables").joinpath("recipes", "larsson17-1.yaml").read_text())
    block = values
    for key in place[:-1]:
        block = block[key]
    block[place[-1]] = value
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(RecipeError, match="expected" if place == ["expected", 0, 0] else str(place[-1])):
        load_table(tmp_path / "odd.yaml")
