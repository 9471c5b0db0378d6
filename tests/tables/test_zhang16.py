"""Table 1 of Zhang16: each row has what was measured for it and nothing else."""

import json
import os
import shutil

import pytest
import torch

from tintype.evaluate import Options, run
from tintype.evaluate.figures import NOTHING
from tintype.evaluate.published import ZHANG16_1
from tintype.networks import build_network, save_weights
from tintype.tables import TABLES, runs
from tintype.tables.spec import bundled_tables, load_table
from tintype.tables.text import text
from tintype.tables.zhang16 import Given

FEW = Options(classifier="none", lpips="none", inception="none")


def with_pictures(**pictures):
    return Options(pictures=pictures, classifier="none", lpips="none", inception="none")


def build(photographs, **given):
    table = TABLES["zhang16-1"](photographs, Given(**{"options": FEW, **given}))
    assert json.loads(json.dumps(table, allow_nan=False)) == table
    return table, {row["name"]: row for row in table["rows"]}


def test_both_ways_to_the_table_quote_the_same_figures():
    made = load_table("zhang16-1")
    assert set(TABLES) <= set(bundled_tables())
    assert {row.title: row.published for row in made.rows.values() if row.published} == {
        row.method: row.figures for row in ZHANG16_1.rows
    }


def test_the_paper_s_rows_come_first_in_its_order_and_tell_what_is_missing(photographs):
    table, rows = build(photographs)
    assert [row["row"] for row in table["rows"]] == [row.method for row in ZHANG16_1.rows] + ["tintype bundled"]
    run_names = {name for name, row in rows.items() if row["not_run"] is None}
    assert run_names == {"ground-truth", "grey", "random", "bundled"}
    assert rows["zhang16-full"]["not_run"] == "no run of recipe zhang16-full was given (--runs FOLDER)"
    assert rows["dahl"]["not_run"] == "no pictures of dahl were given (--pictures dahl=FOLDER)"
    for row in rows.values():
        assert bool(row["ours"]) == (row["not_run"] is None) == (row["run"] is not None)
    assert rows["ground-truth"]["ours"]["auc"]["value"] == 100
    assert rows["zhang16-full"]["published"]["fooled"] == {
        "value": 32.3,
        "margin": 2.2,
        "mark": "V2",
        "printed": "32.3 ± 2.2",
    }
    assert rows["bundled"]["published"] == {}


def test_a_run_fills_the_row_of_its_recipe_with_what_its_model_scores(photographs, make_run, model):
    folder = make_run("zhang16-l2", "steps=10")
    table, rows = build(photographs, runs=(folder,))
    measured = run(photographs, Options(models=(str(model),), classifier="none", lpips="none", inception="none")).result
    ours = rows["zhang16-l2"]["ours"]
    assert ours.keys() == {"auc", "auc_rebalanced"}
    for figure, one in ours.items():
        assert one["value"] == measured["methods"][str(model)][figure]
        assert one["interval"] == measured["intervals"][str(model)][figure]
    assert rows["zhang16-l2"]["run"] == {
        "run": str(folder),
        "recipe": "zhang16-l2",
        "changed": ["steps"],
        "steps": 0,  # as the model says
        "data": "none",
        "model": "model.onnx",
    }
    assert rows["zhang16-full"]["ours"] == {}
    assert table["protocol"]["ours"]["models"].keys() == {"bundled", "zhang16-l2"}


def test_a_run_by_the_recipe_as_it_is_has_nothing_changed(make_run):
    assert runs.read_run(make_run("zhang16-class")).changed == ()
    longer = runs.read_run(make_run("zhang16-full", "steps=600000", "batch_size=80"))
    assert set(longer.changed) == {"steps", "batch_size"}


@pytest.fixture
def unexported(make_run):
    """A run with the weights of a tiny network, and no model."""
    folder = make_run("zhang16-l2", name="unexported")
    (folder / "model.onnx").unlink()
    trunk = "timm:test_efficientnet"
    network = build_network(trunk, "pyramid", 2, width=8)
    with torch.no_grad():
        network(torch.rand(4, 1, 64, 64) * 100)
    described = {
        "format": 1,
        "name": "zhang16-l2",
        "trunk": trunk,
        "head": "pyramid",
        "head_options": {"width": 8},
        "objective": "regression",
        "channels": 2,
        "in_chans": 1,
        "stride": 4,
        "ab_origin": 2.0,
        "input_size": 64,
        "temperature": 1.0,
        "recipe": "zhang16-l2",
        "data": "noise",
        "steps": 7,
        "versions": {"tintype": "0"},
    }
    save_weights(folder / "weights.safetensors", network.state_dict(), described)
    return folder


def test_a_run_without_a_model_is_exported_elsewhere_and_once(photographs, unexported, tmp_path, monkeypatch):
    before = sorted(unexported.iterdir())
    given = {"runs": (unexported,), "options": Options(classifier="none", resume=tmp_path / "kept")}
    first, rows = build(photographs, **given)
    assert rows["zhang16-l2"]["run"]["steps"] == 7
    assert rows["zhang16-l2"]["run"]["model"] == "exported for this table, with default settings"
    assert rows["zhang16-l2"]["ours"].keys() == {"auc", "auc_rebalanced"}
    assert sorted(unexported.iterdir()) == before

    monkeypatch.setattr(runs, "export", None)  # another export would fail
    again, _ = build(photographs, **given)
    assert again == first


def test_a_run_that_has_not_finished_is_told_in_one_line(photographs, unexported):
    (unexported / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match="has the run finished") as told:
        build(photographs, runs=(unexported,))
    assert "\n" not in str(told.value)


def test_no_temporary_place_is_told(photographs, make_run):
    table, _ = build(photographs, runs=(make_run("zhang16-l2"),))
    assert "/tintype-" not in json.dumps(table)


def test_runs_that_fit_no_row_or_the_same_are_refused(photographs, make_run, tmp_path):
    one, two = make_run("zhang16-l2"), make_run("zhang16-l2", name="two")
    with pytest.raises(ValueError, match="both runs of zhang16-l2"):
        build(photographs, runs=(one, two))
    with pytest.raises(ValueError, match="recipe bundled, for which this table has no row"):
        build(photographs, runs=(make_run("bundled"),))
    with pytest.raises(ValueError, match="is no run"):
        build(photographs, runs=(photographs,))
    shutil.copy(two / "model.onnx", two / "other.onnx")
    with pytest.raises(ValueError, match=r"several models \(model.onnx, other.onnx\)"):
        build(photographs, runs=(two,))


def test_models_and_pictures_go_to_the_row_of_their_name_or_to_a_new_one(photographs, model):
    options = with_pictures(dahl=photographs, theirs=photographs)
    _, rows = build(photographs, models={"zhang16-full": model, "mine": model}, options=options)
    assert rows["dahl"]["ours"]["auc"]["value"] == 100  # the photographs themselves
    assert rows["dahl"]["published"]["auc"]["value"] == 90.4
    assert rows["theirs"]["ours"]["auc"]["value"] == 100
    assert rows["zhang16-full"]["run"] == {"model": str(model)}
    assert rows["zhang16-full"]["ours"] == rows["mine"]["ours"]
    assert list(rows)[-3:] == ["bundled", "mine", "theirs"]


def test_a_name_that_is_taken_is_refused(photographs, make_run, model):
    with pytest.raises(ValueError, match="'grey' is a row that is always there"):
        build(photographs, models={"grey": model})
    with pytest.raises(ValueError, match="'zhang16-l2' is given twice"):
        build(photographs, models={"zhang16-l2": model}, runs=(make_run("zhang16-l2"),))
    with pytest.raises(ValueError, match="'dahl' is given twice"):
        build(photographs, models={"dahl": model}, options=with_pictures(dahl=photographs))


def study_file(place, **fooled):
    methods = {
        name: {"visitors": 40, "trials": 1600, "fooled": 1, "fooled_percent": share,
               "interval": None if share is None else [share - 2, share + 2]} for name, share in fooled.items()
    }  # fmt: skip
    place.write_text(json.dumps({"title": "a study", "methods": methods}))
    return place


def test_a_study_fills_the_column_of_people_fooled(photographs, tmp_path):
    study = study_file(tmp_path / "study.json", bundled=21.5, random=12.0, dahl=None, unheard=5.0)
    table, rows = build(photographs, study=study)
    assert rows["bundled"]["ours"]["fooled"] == {
        "value": 21.5,
        "interval": [19.5, 23.5],
        "visitors": 40,
        "trials": 1600,
    }
    assert rows["random"]["ours"]["fooled"]["value"] == 12
    assert rows["dahl"]["ours"] == {}
    assert rows["unheard"]["ours"].keys() == {"fooled"}
    assert rows["unheard"]["not_run"]  # judged by people, but not measured
    assert "fooled" not in rows["grey"]["ours"]
    assert table["protocol"]["study"] == str(study)


@pytest.mark.parametrize("content", ["", "[]", '{"methods": 3}', '{"methods": {"bundled": {}}}', "\xff"])
def test_a_file_that_is_no_study_s_is_refused_in_one_line(photographs, tmp_path, content):
    (tmp_path / "study.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match="is not what `tintype study results --json` prints"):
        build(photographs, study=tmp_path / "study.json")


def test_the_text_has_each_figure_once_under_its_head_and_every_reason(photographs, make_run, tmp_path):
    study = study_file(tmp_path / "study.json", bundled=21.5)
    table, rows = build(photographs, runs=(make_run("zhang16-l2", "steps=10"),), study=study)
    lines = text(table).splitlines()
    shown = {line.split("  ")[0]: line for line in lines[4 : 4 + len(rows)]}
    assert list(shown) == [row["row"] for row in table["rows"]]
    assert len({len(line) for line in lines[2 : 4 + len(rows)]}) == 1
    auc = rows["zhang16-l2"]["ours"]["auc"]["value"]
    assert shown["Ours (L2)"].split()[2:6] == ["91.2", "M", f"{auc:.2f}", "64.4"]
    assert shown["tintype bundled"].split()[-1] == "21.5"
    assert shown["Ours (full)"].split()[-2:] == ["V2", NOTHING]
    for row in table["rows"]:
        assert row["not_run"] is None or f"  {row['row']}: {row['not_run']}" in lines
    assert any("with other values of steps" in line for line in lines)
    assert any(line.startswith("Top-1: not measured, as it needs a classifier") for line in lines)
    assert any("The protocols differ" in line for line in lines)


def test_what_was_exported_of_other_weights_of_the_same_recipe_is_not_taken(unexported, tmp_path, monkeypatch):
    calls = []

    def export(run, out):
        calls.append(run)
        out.write_bytes((run / "weights.safetensors").read_bytes())

    monkeypatch.setattr(runs, "export", export)
    other = shutil.copytree(unexported, tmp_path / "other")
    (other / "weights.safetensors").write_bytes(b"others")
    os.utime(other / "weights.safetensors", (1, 1))  # older than what is exported first
    place = tmp_path / "place"
    place.mkdir()
    made = [runs.bundle(runs.read_run(folder), place) for folder in (unexported, other, unexported)]
    assert made[0] == made[2] != made[1]
    assert made[1].read_bytes() == b"others"
    assert calls == [unexported, other]
