"""`tintype table`, with a model that paints everything orange."""

import json
import os
import re
import shutil
import signal
import sys
import threading
import time

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tables import small
from tintype.cli import main
from tintype.cli.table import PASSED, table
from tintype.tables import execute
from tintype.tables.spec import bundled_tables


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 40)).save(folder / f"{number}.png")
    return folder


def invoke(*arguments, code=0):
    done = CliRunner().invoke(main, ["table", *map(str, arguments)])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


def test_without_a_name_the_tables_are_listed():
    lines = invoke().stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted({*bundled_tables(), "zhang16-1"})
    assert any(re.fullmatch(r"zhang16-1 +Zhang et al\. 2016, Table 1: .*", line) for line in lines)
    assert any(re.fullmatch(r"larsson17-3 +Larsson et al\. 2017, Table 3: .* \(paper, mini\)", line) for line in lines)


def test_a_table_at_a_scale_is_planned_run_and_written(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path)
    (tmp_path / "a.tar").touch()
    (tmp_path / "orders.json").write_text('{"fail": []}')
    words = ("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out")
    planned = invoke(*words, "--dry-run").stdout
    assert "7 to run:\n    5 about 11 minutes, 1 at a time with a CPU core each\n    2 at most about" in planned
    assert re.search(r"their weights and checkpoints: at most about [\d.]+ GB\n", planned)
    assert not (tmp_path / "called.txt").exists()
    commands = invoke(*words, "--commands").stdout.splitlines()
    assert len(commands) == 7
    assert "not run yet" in invoke(*words, "--collect", code=1).stdout
    done = invoke(*words, "--jobs", "2")
    assert "colorization above random, seg: +10.0 (paper +15.7)  yes, every seed" in done.stdout
    assert json.loads((tmp_path / "out" / "small-mini.json").read_text())["table"] == "small"
    assert invoke(*words, "--commands").stdout == ""
    assert json.loads(invoke(*words, "--json").stdout)["rows"][1]["ours"]["seg"]["values"] == [30, 31]
    for file in (tmp_path / "out").glob("small*"):
        file.unlink()
    invoke(*words, "--collect", "--only", "colour", "--only", "none", "--only", "none")
    assert {file.stem for file in (tmp_path / "out").glob("small*")} == {"small-mini-none-colour"}


def test_a_run_that_fails_makes_the_exit_code_1_and_the_rest_of_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path)
    (tmp_path / "a.tar").touch()
    (tmp_path / "orders.json").write_text('{"fail": ["pretrain"]}')
    words = ("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out", "--seeds", "1")
    done = invoke(*words, code=1)
    assert re.search(r"larsson17-alexnet-histograms-mini-\w+: FAILED, see out/logs/", done.stderr)
    assert "left out: what it needs has failed" in done.stderr
    assert "colorization, seg: failed" in done.stdout
    assert "20.0" in next(line for line in done.stdout.splitlines() if line.startswith("random "))
    (tmp_path / "orders.json").write_text('{"fail": []}')
    assert "failed" not in invoke(*words).stdout


def test_a_figure_that_runs_do_not_tell_makes_the_exit_code_1(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path, small.TABLE.replace("figure: mean_iu", "figure: mean_ui"))
    (tmp_path / "a.tar").touch()
    (tmp_path / "orders.json").write_text('{"fail": []}')
    done = invoke("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out", "--seeds", "1", code=1)
    assert "  seg: a run has no figure mean_ui" in done.stdout


def test_data_that_a_run_would_miss_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path, small.TABLE.replace('"train={photos}"', '"train={photos}/train", "test={photos}/val"'))
    (tmp_path / "a.tar").touch()
    words = ("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out")
    for how in ((), ("--dry-run",)):
        done = invoke(*words, *how, code=2)
        assert "nothing is at ./train, nor at 1 more that runs are given" in done.stderr
    assert not (tmp_path / "out").exists()
    assert "train=./train" in invoke(*words, "--commands").stdout  # for a machine that has it


def test_what_people_said_stands_in_its_column(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    monkeypatch.chdir(tmp_path)
    text = small.TABLE.replace('few: {task: low-shot-mini, data: ["{photos}"], set: [per_class=10], figure: top1}',
                               "few: {task: study, figure: fooled}")  # fmt: skip
    small.write_table(
        tmp_path, text.replace("colour: {weights: colour, without: {few: too slow}}", "colour: {weights: colour}")
    )
    (tmp_path / "a.tar").touch()
    (tmp_path / "orders.json").write_text('{"fail": []}')
    one = {"fooled_percent": 21.5, "interval": [18.0, 25.0], "visitors": 40, "trials": 1600}
    recipe = "larsson17-alexnet-histograms-mini"
    (tmp_path / "study.json").write_text(
        json.dumps({"methods": {"random": {**one, "fooled_percent": 13.25}, recipe: one}})
    )
    words = ("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out")
    assert "10 per class: people are asked: --study FILE.json" in invoke(*words).stdout
    done = invoke(*words, "--study", "study.json")
    row = next(line for line in done.stdout.splitlines() if line.startswith("colorization "))
    assert re.split("  +", row)[-3:] == ["17.4 M", "21.5", "+4.1"]
    cell = json.loads((tmp_path / "out" / "small-mini.json").read_text())["rows"][0]["ours"]["few"]
    assert (cell["mean"], cell["interval"], cell["runs"]) == (13.25, [18, 25], [])
    assert "no row is" not in done.stderr
    (tmp_path / "study.json").write_text(json.dumps({"methods": {"nobody": one}}))
    assert "--study: no row is nobody; there are none, colour" in invoke(*words, "--study", "study.json").stderr
    small.write_table(tmp_path)
    assert (
        "--study fills a column of people, which small has none of"
        in invoke(*words, "--study", "study.json", code=2).stderr
    )
    (tmp_path / "study.json").write_text("{}")
    assert "is not what `tintype study results --json` prints" in invoke(*words, "--study", "study.json", code=2).stderr


def test_a_table_that_is_stopped_says_so_and_goes_on_when_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path)
    (tmp_path / "a.tar").touch()
    (tmp_path / "orders.json").write_text('{"fail": [], "sleep": 60}')
    words = ("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out", "--seeds", "1", "--only", "none")

    def stop():
        while not list(tmp_path.glob("out/runs/*/recipe.yaml")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    stopped = invoke(*words, code=128 + signal.SIGTERM)
    assert stopped.stderr.endswith("stopped; the same command goes on\n")
    assert "random: not run yet" in stopped.stdout
    assert len(invoke(*words, "--commands").stdout.splitlines()) == 2
    (tmp_path / "orders.json").write_text('{"fail": []}')
    assert "20.0" in invoke(*words).stdout


def test_a_wrong_recipe_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small.write_table(tmp_path, small.TABLE.replace("set: [per_class=10]", "set: [per_clas=10]"))
    (tmp_path / "a.tar").touch()
    done = invoke("./small.yaml", "--scale", "mini", "--data", "photos=.", "--out", "out", code=2)
    assert "unknown key 'per_clas'" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", [["--collect"], ["--jobs", "2"]])
def test_a_full_disk_or_a_file_in_the_way_is_told_in_a_line(tmp_path, monkeypatch, small_disk, how):
    monkeypatch.setattr(execute, "PROGRAM", (sys.executable, small.__file__))
    small.write_table(tmp_path)
    (tmp_path / "a.tar").touch()
    words = (tmp_path / "small.yaml", "--scale", "mini", "--data", f"photos={tmp_path}", *how)
    (small_disk / "others").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    (tmp_path / "file").touch()
    for out, told in ((small_disk / "out", "No space left on device"), (tmp_path / "file" / "out", "Not a directory")):
        done = invoke(*words, "--out", out, code=1)
        assert re.fullmatch(rf"Error: {re.escape(str(out))}[^\n]*: {told}", done.stderr.splitlines()[-1])


def test_json_and_text_tell_the_same(photographs, model):
    arguments = ("zhang16-1", "--data", photographs, "--classifier", "none", "--model", f"zhang16-full={model}")
    answer = json.loads(invoke(*arguments, "--json").stdout)
    shown = invoke(*arguments).stdout
    assert answer["table"] == "zhang16-1"
    assert answer["images"] == 2
    for row in answer["rows"]:
        line = next(line for line in shown.splitlines() if line.startswith(f"{row['row']}  "))
        assert all(one["printed"] in line for one in row["published"].values())
        assert all(f"{one['value']:.2f}" in line for one in row["ours"].values())
    assert {row["name"] for row in answer["rows"] if row["ours"]} == {
        "ground-truth",
        "grey",
        "random",
        "zhang16-full",
        "bundled",
    }


def test_options_of_the_evaluation_reach_it(photographs, tmp_path):
    assert {option.name for option in table.params} >= set(PASSED)
    np.save(tmp_path / "prior.npy", np.full(313, 1 / 313))
    answer = json.loads(
        invoke(
            *("zhang16-1", "--data", photographs, "--classifier", "none", "--json"),
            *("--prior", tmp_path / "prior.npy", "--seed", 3, "--pictures", f"dahl={photographs}"),
        ).stdout
    )
    ours = answer["protocol"]["ours"]
    assert (ours["preset"], ours["prior"], ours["seed"]) == ("square256", "prior.npy", 3)
    assert next(row for row in answer["rows"] if row["name"] == "dahl")["ours"]["auc"]["value"] == 100


def test_a_damaged_photograph_is_named_and_the_exit_code_is_1(photographs):
    (photographs / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    done = invoke("zhang16-1", "--data", photographs, "--classifier", "none", "--json", code=1)
    assert "cut.jpg" in done.stderr
    assert [item["input"].endswith("cut.jpg") for item in json.loads(done.stdout)["damaged"]] == [True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("larsson17-9", "--data", "FOLDER"),
            "no table named 'larsson17-9'; there are goyal19, larsson17-1,",
        ),
        (("zhang16-1",), "--data FOLDER"),
        (("larsson17-3",), "say how large: tintype table larsson17-3 --scale paper or mini"),
        (("larsson17-3", "--scale", "mini"), "say where photos is"),
        (("larsson17-3", "--scale", "mini", "--data", "FOLDER"), "with --scale it is NAME=PATH"),
        (("larsson17-3", "--scale", "mini", "--data", "photos=nowhere"), "nothing is at nowhere"),
        (
            ("zhang16-1", "--scale", "mini", "--data", "photos=FOLDER", "--model", "a=FOLDER/0.png"),
            "--model is for a table that is put together of what there is, without --scale",
        ),
        (
            ("larsson17-3", "--scale", "mini", "--data", "photos=FOLDER", "--dry-run", "--commands"),
            "--dry-run prints something else than --commands: leave one out",
        ),
        (
            ("larsson17-3", "--scale", "mini", "--data", "photos=FOLDER", "--commands", "--json"),
            "--commands prints something else than --json: leave one out",
        ),
        (("zhang16-1", "--scale", "mini", "--data", "photos=FOLDER", "--protocol", "ctest10k"), "--protocol is for"),
        (("larsson17-3", "--scale", "mini", "--data", "photos=FOLDER", "--launch", 'run "x'), 'is run "x: no closing'),
        (("zhang16-1", "--data", "FOLDER", "--jobs", "2"), "--jobs is for a table that is made, with --scale"),
        (("zhang16-1", "--data", "FOLDER", "--runs", "FOLDER"), "is no run of `tintype pretrain`"),
        (("zhang16-1", "--data", "FOLDER", "--model", "nothing.onnx"), "is not NAME=FILE"),
        (("zhang16-1", "--data", "FOLDER", "--model", "a=nothing.onnx"), "is not a file"),
        (("zhang16-1", "--data", "FOLDER", "--study", "FOLDER/0.png"), "`tintype study results --json`"),
        (("zhang16-1", "--data", "FOLDER", "--protocol", "ctest10k"), "--list FILE"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(photographs, arguments, told):
    done = invoke(*(word.replace("FOLDER", str(photographs)) for word in arguments), code=2)
    assert told in done.stderr.replace("\n", " ")


def test_a_folder_where_nothing_can_be_measured_has_one_line_for_each_file(tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    done = invoke("zhang16-1", "--data", tmp_path, "--classifier", "none", code=1)
    assert "cut.jpg" in done.stderr
    assert "no photograph could be measured" in done.stderr
