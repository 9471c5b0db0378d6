from dataclasses import replace

import pytest

from tables.small import TABLE, write_table
from tintype.recipes import RecipeError
from tintype.tables.plan import Run, by_urgency, command_of, make_plan, missing_data
from tintype.tables.spec import Ours, load_table


@pytest.fixture
def place(tmp_path):
    for name in ("a.tar", "b.tar"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def table(place):
    return load_table(write_table(place))


def test_each_run_is_planned_once_after_what_it_needs(table, place):
    plan = make_plan(table, "mini", {"photos": [str(place)]})
    kinds = [run.kind for run in plan.runs.values()]
    assert sorted(kinds) == ["pretrain"] + 6 * ["transfer"]  # one pretraining; random: 2 columns, colour: 1; 2 seeds
    seen = set()
    for name, run in plan.runs.items():
        assert set(run.needs) <= seen
        seen.add(name)
    (pretraining,) = (name for name, run in plan.runs.items() if run.kind == "pretrain")
    assert plan.cells["colour", "seg"].runs[0] in plan.runs
    assert all(plan.runs[name].needs == (pretraining,) for name in plan.cells["colour", "seg"].runs)
    assert plan.not_run == {
        ("colour", "few"): "too slow",
        ("theirs", "seg"): "as published; no run makes it",
        ("theirs", "few"): "as published; no run makes it",
    }
    elsewhere = replace(
        table, scales={**table.scales, "paper": replace(table.scales["mini"], rows={"theirs": Ours("random")})}
    )
    assert make_plan(elsewhere, "mini", {"photos": [str(place)]}).not_run["theirs", "seg"] == "not at this scale"


def test_commands_say_all_that_is_said_of_a_run(table, place, tmp_path):
    plan = make_plan(table, "mini", {"photos": [str(place)]}, only=["colour"], seeds=1)
    pretraining, task = plan.runs.values()
    assert command_of(pretraining, tmp_path) == [
        *("pretrain", "larsson17-alexnet-histograms-mini", "--data", f"{place}/a.tar", "--data", f"{place}/b.tar"),
        *("--set", "seed=0", "--out", str(tmp_path / pretraining.name)),
    ]
    assert command_of(task, tmp_path) == [
        *("transfer", "segment-mini", "--weights", str(tmp_path / pretraining.name), "--data", f"train={place}"),
        *("--set", "seed=0", "--out", str(tmp_path / task.name)),
    ]


def test_names_follow_from_what_a_run_follows_from_and_nothing_else(table, place):
    def names(**changed):
        return set(make_plan(table, "mini", {"photos": [str(place)]}, **changed).runs)

    assert names(seeds=1) < names()
    assert names(only=["none"]) < names()
    assert len(names(pretrainings=2) - names()) == 2  # the second pretraining, and the seed that now uses it


def test_names_follow_from_what_stands_in_recipes(place):
    text = TABLE.replace("recipe: larsson17-alexnet-histograms-mini", f"recipe: {place}/mine.yaml")
    table = load_table(write_table(place, text))

    def names(row, *lines):
        text = "\n".join(["base: larsson17-alexnet-histograms-mini", *lines])
        (place / "mine.yaml").write_text(text)
        return set(make_plan(table, "mini", {"photos": [str(place)]}, only=[row]).runs)

    first = names("colour")
    assert not first & names("colour", "steps: 77")  # the pretraining, and what is measured on it
    assert names("colour", "log_every: 7", "description: in other words") == first
    assert names("none", "steps: 77") == names("none")


def test_another_spelling_of_a_path_is_the_same_run(place, monkeypatch):
    text = TABLE.replace("set: [trunk=alexnet]}", 'set: ["trunk={photos}/boxes"]}')
    table = load_table(write_table(place, text))
    monkeypatch.chdir(place.parent)
    spelled = [place.name, f"{place.name}/", f"./{place.name}", str(place), f"{place}/"]
    plans = [make_plan(table, "mini", {"photos": [path]}) for path in spelled]
    assert all(set(plan.runs) == set(plans[0].runs) for plan in plans)
    assert all("//" not in word for plan in plans for run in plan.runs.values() for word in run.words)
    (place / "other").mkdir()
    for name in ("a.tar", "b.tar"):
        (place / "other" / name).touch()
    assert not set(make_plan(table, "mini", {"photos": [f"{place}/other"]}).runs) & set(plans[0].runs)


@pytest.mark.parametrize(
    "task",
    [
        "task: PLACE/mine.yaml, data: ['{photos}']",
        "task: low-shot-mini, data: ['{photos}'], set: [per_class=10, optimizer.lr=0.7, steps=100]",
        "task: low-shot-mini, data: ['{photos}'], set: [steps=1.0e+2, layer=last, optimizer.lr=7.0e-1, per_class=10]",
    ],
)
def test_the_same_settings_are_the_same_run_however_they_are_written(place, task):
    """As `segment-fov`, and `segment` with its setting."""
    (place / "mine.yaml").write_text(
        "base: low-shot-mini\nname: mine\nper_class: 10\nsteps: 100\noptimizer: {lr: 0.7}\n"
    )

    def names(task):
        text = TABLE.replace('task: low-shot-mini, data: ["{photos}"], set: [per_class=10]', task)
        plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["none"])
        return plan.cells["none", "few"].runs

    first = names("task: low-shot-mini, data: ['{photos}'], set: [per_class=10, steps=100, optimizer.lr=0.7]")
    assert names(task.replace("PLACE", str(place))) == first
    assert not set(names(task.replace("PLACE", str(place)).replace("'{photos}'", "'{photos}/'"))) & set(first)


def test_boxes_are_proposed_once_for_all_runs(place, tmp_path):
    def runs(task, seeds):
        text = TABLE.replace('task: low-shot-mini, data: ["{photos}"], set: [per_class=10]', task)
        plan = make_plan(
            load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["none"], seeds=seeds
        )
        return [plan.runs[name] for name in plan.cells["none", "few"].runs]

    own, others = (
        runs(f"task: detect-mini, data: ['{{photos}}'], set: [{key}]", 2) for key in ("year=2012", "proposals=boxes")
    )
    for run in own:
        words = command_of(run, tmp_path / "out" / "runs")
        assert f"proposals={tmp_path}/out/proposals" in words
    for run in others:
        words = command_of(run, tmp_path / "out" / "runs")
        assert [word for word in words if word.startswith("proposals=")] == ["proposals=boxes"]
    explicit = runs("task: detect-mini, data: ['{photos}'], set: [year=2012, proposals=run]", 2)
    assert [run.name for run in explicit] == [run.name for run in own]
    assert not {run.name for run in others} & {run.name for run in own}  # a folder may have proposals of one's own


def test_names_of_files_with_dots_and_data_with_braces(tmp_path):
    place = tmp_path / "{odd}"
    place.mkdir()
    (place / "a.tar").touch()
    (tmp_path / "my recipe.v2.yaml").write_text("base: larsson17-alexnet-histograms-mini\n")
    text = TABLE.replace("recipe: larsson17-alexnet-histograms-mini", f"recipe: '{tmp_path}/my recipe.v2.yaml'")
    plan = make_plan(
        load_table(write_table(tmp_path, text)), "mini", {"photos": [str(place)]}, only=["colour"], seeds=1
    )
    pretraining, task = plan.runs.values()
    assert task.needs == (pretraining.name,)
    assert str(tmp_path / "out" / pretraining.name) in command_of(task, tmp_path / "out")
    assert f"train={place}" in command_of(task, tmp_path / "out")


def test_a_recipe_that_is_not_there_is_told_when_planning(place):
    table = load_table(write_table(place, TABLE.replace("task: segment-mini", "task: segment-mimi")))
    with pytest.raises(RecipeError, match="did you mean 'segment-mini'"):
        make_plan(table, "mini", {"photos": [str(place)]})


def test_a_column_may_have_more_seeds_than_others(place):
    text = TABLE.replace("set: [per_class=10], figure", "set: [per_class=10], seeds: 5, figure")
    table = load_table(write_table(place, text))
    plan = make_plan(table, "mini", {"photos": [str(place)]}, only=["none"])
    assert [len(plan.cells["none", column].runs) for column in ("seg", "few")] == [2, 5]
    plan = make_plan(table, "mini", {"photos": [str(place)]}, only=["none"], seeds=3)
    assert [len(plan.cells["none", column].runs) for column in ("seg", "few")] == [3, 3]


def test_a_study_of_labels_is_made_before_what_learns_from_it(place):
    text = TABLE.replace("colour: {weights: colour, without", "colour: {weights: labels, without")
    plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["colour"], seeds=1)
    study, pretraining, _ = plan.runs.values()
    assert (study.kind, pretraining.kind) == ("labels", "pretrain")
    assert command_of(study, place)[:4] == ["labels", "noise", "--share", "0.1"]
    words = command_of(pretraining, place)
    assert words[words.index("--labels") + 1] == str(place / study.name / "labels.tsv")


def test_a_row_may_change_keys_of_single_columns(place):
    text = TABLE.replace("set: [trunk=alexnet]}", "set: [trunk=alexnet], set_in: {few: [layer=conv5]}}")
    plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["none"], seeds=1)
    words = {column: plan.runs[plan.cells["none", column].runs[0]].words for column in ("seg", "few")}
    assert "layer=conv5" in words["few"]
    assert "layer=conv5" not in words["seg"]


def test_settings_may_name_data(place):
    text = TABLE.replace("set: [trunk=alexnet]}", 'set: ["trunk={photos}/boxes"]}')
    plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["none"], seeds=1)
    assert all(f"trunk={place}/boxes" in run.words and not run.needs for run in plan.runs.values())


def test_a_scale_may_have_several_pretrainings(place):
    text = TABLE.replace("    seeds: 2\n", "    seeds: 2\n    pretrainings: 2\n")
    table = load_table(write_table(place, text))

    def pretrainings(**changed):
        plan = make_plan(table, "mini", {"photos": [str(place)]}, only=["colour"], **changed)
        return sum(run.kind == "pretrain" for run in plan.runs.values())

    assert (pretrainings(), pretrainings(pretrainings=1)) == (2, 1)


EVALUATED = (
    """seg: {task: evaluate, data: ["{photos}"], options: [--prior, "{photos}/p.npy"], figure: "methods.{model}.auc"}"""
)


def test_grey_is_evaluated_beside_the_bundled_model(place):
    old = 'seg: {task: segment-mini, data: ["train={photos}"], figure: mean_iu, minutes: 2}'
    assert old in TABLE
    text = TABLE.replace(old, EVALUATED).replace("weights: random, set: [trunk=alexnet]", "weights: grey")
    plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, seeds=1)
    cell = plan.cells["none", "seg"]
    run = plan.runs[cell.runs[0]]
    assert cell.path == "methods.grey.auc"
    assert run.words[:4] == ("evaluate", str(place), "--model", "bundled")
    assert run.words[-2:] == ("--prior", f"{place}/p.npy")
    assert [plan.runs[name].kind for name in plan.runs[plan.cells["colour", "seg"].runs[0]].needs] == ["export"]


@pytest.mark.parametrize("setting", ["set: [trunk=alexnet]", "set_in: {seg: [trunk=alexnet]}"])
def test_settings_that_nothing_would_read_are_told(place, setting):
    text = TABLE.replace('seg: {task: segment-mini, data: ["train={photos}"], figure: mean_iu, minutes: 2}', EVALUATED)
    text = text.replace("{weights: random, set: [trunk=alexnet]}", f"{{weights: grey, {setting}}}")
    if setting.startswith("set:"):
        load_table(write_table(place, text))  # the other column's transfers read it
        text = text.replace(
            'few: {task: low-shot-mini, data: ["{photos}"], set: [per_class=10]', "few: {task: evaluate"
        )
    with pytest.raises(RecipeError, match=r"key 'scales\.mini\.rows\.none' sets keys of transfers"):
        load_table(write_table(place, text))


def test_a_column_that_is_only_fine_tuned_for_another_is_none_of_the_tables(place):
    text = TABLE.replace(
        "      few: {task", "      other: {task: segment-mini, data: ['{photos}'], figure: x}\n      few: {task"
    )
    with pytest.raises(RecipeError, match=r"key 'scales\.mini\.columns' names other"):
        load_table(write_table(place, text))
    text = text.replace(
        'few: {task: low-shot-mini, data: ["{photos}"], set: [per_class=10], figure: top1',
        'few: {task: shift, data: ["{photos}"], after: other, figure: layers.conv1.median',
    )
    plan = make_plan(load_table(write_table(place, text)), "mini", {"photos": [str(place)]}, only=["none"], seeds=1)
    run = plan.runs[plan.cells["none", "few"].runs[0]]
    assert [plan.runs[name].words[1] for name in run.needs] == ["segment-mini"]
    assert {column for _, column in plan.cells} == {"seg", "few"}


def test_what_most_waits_for_comes_first():
    runs = [
        Run("quick", "transfer", (), "", (), 1.0),
        Run("long", "transfer", (), "", (), 4.0),
        Run("base", "pretrain", (), "", (), 2.0),
        Run("model", "export", (), "", ("base",)),  # of unknown length: a minute
        Run("after", "transfer", (), "", ("model",), 3.0),
    ]
    assert [run.name for run in by_urgency(runs)] == ["base", "long", "model", "after", "quick"]
    assert [run.name for run in by_urgency(runs[3:])] == ["model", "after"]  # what they need is done


def test_data_that_is_not_there_is_known_before_a_run_asks_for_it(place):
    old = 'seg: {task: segment-mini, data: ["train={photos}"], figure: mean_iu, minutes: 2}'
    text = TABLE.replace(old, EVALUATED).replace("weights: random, set: [trunk=alexnet]", "weights: grey")
    text = text.replace("{photos}/*.tar", "{photos}/{00..02}.tar").replace(
        'data: ["{photos}"], set: [per', 'data: ["train={photos}/t", "s3://b/c"], set: [per'
    )
    table = load_table(write_table(place, text.replace("without: {few: too slow}", "without: {}")))
    plan = make_plan(table, "mini", {"photos": [str(place)]}, seeds=1)
    missing = {run.kind: missing_data(run) for run in plan.runs.values()}
    assert missing == {
        "pretrain": [f"{place}/0{number}.tar" for number in range(3)],
        "export": [],
        "evaluate": [f"{place}/p.npy"],
        "transfer": [f"{place}/t"],
    }
    for name in ("00.tar", "01.tar", "02.tar", "p.npy", "t"):
        (place / name).touch()
    assert not any(missing_data(run) for run in plan.runs.values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scale": "paper"}, "small has no scale paper; it has mini"),
        ({"only": ["nine"]}, "small has no row nine; it has none, colour, theirs"),
        ({"data": {}}, r"say where photos is \(a folder\): --data photos=PATH"),
        ({"data": {"photos": ["/nowhere"]}}, r"nothing is at /nowhere/\*\.tar"),
    ],
)
def test_what_is_missing_is_told(table, place, changed, message):
    asked = {"scale": "mini", "data": {"photos": [str(place)]}} | changed
    with pytest.raises(RecipeError, match=message):
        make_plan(table, asked.pop("scale"), asked.pop("data"), **asked)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seg: 20.5 V,", "seg: 20.5,", "key 'rows.none.published.seg' is 20.5; it must be a figure and its mark"),
        ("seg: 20.5 V,", "seg: 20.5 X,", "must be a figure and its mark"),
        ("[colour, none]", "[colour, noon]", "key 'expected' names noon, which is not there"),
        ("[colour, none]", "[colour, seg, none, fow]", "key 'expected' names fow, which is not there"),
        ("[per_class=10], figure", "[per_class=10], low: a, figure", "few' must have both low and high, or neither"),
        ("[colour, none]", "[colour]", r"it must be \[ROW, ROW\], \[ROW, ROW, COLUMN\] or"),
        ("[trunk=alexnet]}", "[trunk=alexnet], set_in: {fow: [a=b]}}", "rows.none.set_in' names fow"),
        (
            "weights: random,",
            "weights: randm,",
            "rows.none.weights' is randm; it must be a file, or one of study, colour",
        ),
        ("plot: bars", "plot: pie", "key 'plot' is 'pie'; it must be bars or lines"),
        ("plot: bars", "plot: bars\ncolour: red", "unknown key 'colour'"),
        ("source: nowhere\n", "", "missing key 'source'"),
        ("study: study}", "study: gone}", "key 'scales.mini.made.labels' names gone"),
        ("figure: mean_iu", "figur: mean_iu", "unknown key 'scales.mini.columns.seg.figur'"),
        ("{photos}/*.tar", "{fotos}/*.tar", "key 'scales.mini.data' names fotos"),
        ("{weights: random, set: [trunk=alexnet]}", "{set: [trunk=alexnet]}", "must have either weights or not_run"),
    ],
)
def test_a_table_that_is_wrong_is_told_in_one_line(place, old, new, message):
    assert old in TABLE
    with pytest.raises(RecipeError, match=message) as caught:
        load_table(write_table(place, TABLE.replace(old, new)))
    assert "\n" not in str(caught.value)
    assert "small.yaml" in str(caught.value)
