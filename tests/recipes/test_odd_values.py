"""Whatever stands at a key of a recipe: it is taken, or told in a sentence."""

import copy

import pytest
import yaml

from tintype.pretrain import recipe_file as pretrain
from tintype.recipes import file
from tintype.recipes.parse import RecipeError
from tintype.transfer import recipe_file as transfer

ODD = [None, [1], {"a": 1}, "x", -1, float("inf")]
LOADERS = {
    "pretrain": (pretrain.load_recipe, pretrain.PACKAGE, ["bundled", "classification-mini"]),
    "transfer": (
        transfer.load_task,
        transfer.PACKAGE,
        ["classify-mini", "detect-mini", "linear-mini", "low-shot", "segment-mini", "shift", "svm"],
    ),
}


def keys(values, before=()):
    for key, value in values.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from keys(value, (*before, key))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, (_, _, names) in LOADERS.items() for name in names])
def test_no_value_at_any_key_is_a_traceback(kind, name, tmp_path):
    load, package, _ = LOADERS[kind]
    _, values = file.read_recipe(name, package, [])
    told = []
    for *above, key in keys(values):
        for odd in ODD:
            changed = copy.deepcopy(values)
            block = changed
            for one in above:
                block = block[one]
            block[key] = odd
            path = tmp_path / "odd.yaml"
            path.write_text(yaml.safe_dump(changed))
            try:
                load(path)
            except RecipeError as error:
                told.append(str(error))
    assert not any("\n" in line for line in told)
    assert len(told) > 2 * len(list(keys(values)))
