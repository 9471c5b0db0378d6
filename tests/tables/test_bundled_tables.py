import re

import pytest

from tintype.pretrain import load_recipe
from tintype.tables.plan import make_plan
from tintype.tables.spec import bundled_tables, load_table
from tintype.transfer.recipe_file import load_task

SCALES = [(name, scale) for name in bundled_tables() for scale in load_table(name).scales]
FOLDERS = "train/train-00.tar tiny/tiny-00.tar tiny-val/tiny-val-00.tar small/small-00.tar camvid-train/a camvid-test/a"


@pytest.fixture
def photos(tmp_path):
    """An empty folder of the layout that mini scales want."""
    for path in FOLDERS.split():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    return str(tmp_path)


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_every_recipe_and_setting_that_a_table_names_is_there(name, scale, photos):
    table = load_table(name)
    plan = make_plan(table, scale, {data: [photos] for data in table.scales[scale].data})
    assert plan.runs
    for run in plan.runs.values():
        settings = [after for word, after in zip(run.words, run.words[1:], strict=False) if word == "--set"]
        settings = [re.sub(r"{[\w-]+}", "runs/other", setting) for setting in settings]
        (load_task if run.kind == "transfer" else load_recipe)(run.words[1], settings)


@pytest.mark.parametrize(
    ("name", "row", "figures"),
    [  # PAPERS.md, C6 and B2
        ("larsson17-3", "vgg16-colour", {"seg": "50.7", "fov": "52.9", "100k": "59.0", "10k": "23.3"}),
        ("larsson17-3", "resnet-random", {"seg": "9.9", "fov": "10.5", "100k": "42.5", "10k": "8.1"}),
        (
            "zhang16-linear",
            "colour",
            {"conv1": "12.5", "conv2": "24.5", "conv3": "30.4", "conv4": "31.5", "conv5": "30.3"},
        ),
    ],
)
def test_published_figures_are_the_papers(name, row, figures):
    published = load_table(name).rows[row].published
    assert {column: one.printed for column, one in published.items()} == figures


def test_tables_share_their_pretrainings(photos):
    plans = [make_plan(load_table(name), "mini", {"photos": [photos]}) for name in ("larsson17-3", "zhang16-linear")]
    first, second = ({run.name for run in plan.runs.values() if run.kind == "pretrain"} for plan in plans)
    assert first & second
