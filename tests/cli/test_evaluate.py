"""`tintype evaluate`, with a model that paints everything orange."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE
from cli.evaluation import FIGURES, NO_NETWORKS
from tintype.cli import main


def test_json_has_every_figure_of_every_row(evaluate, photographs, model):
    answer = json.loads(evaluate(photographs, "--json").stdout)
    assert answer["images"] == 3
    assert list(answer["methods"]) == ["grey", "random", str(model), "ground-truth"]
    assert all(set(figures) == FIGURES for figures in answer["methods"].values())
    assert answer["damaged"] == []


def test_figures_that_are_not_numbers_are_null(evaluate, photographs):
    truth = json.loads(evaluate(photographs, "--json").stdout)["methods"]["ground-truth"]
    assert truth["psnr"] is None
    assert (truth["auc"], truth["auc_rebalanced"], truth["auc_rebalanced_per_image"], truth["ssim"]) == (
        100,
        100,
        100,
        1,
    )


def test_the_model_is_seen_in_its_figures(evaluate, photographs, model):
    methods = json.loads(evaluate(photographs, "--json").stdout)["methods"]
    assert methods["grey"]["colourfulness"] == 0
    assert methods[str(model)]["colourfulness"] > 10
    assert methods[str(model)]["auc"] != methods["grey"]["auc"]


def test_saturation_of_nought_makes_the_model_grey(evaluate, photographs, model):
    methods = json.loads(evaluate(photographs, "--saturation", 0, "--json").stdout)["methods"]
    assert methods[str(model)] == pytest.approx(methods["grey"], abs=0.5)


def test_temperature_reaches_the_model(evaluate, photographs, model):
    cool, warm = (
        json.loads(evaluate(photographs, "--temperature", t, "--json").stdout)["methods"][str(model)] for t in (0.1, 1)
    )
    assert cool["colourfulness"] < warm["colourfulness"]


def test_the_protocol_stands_beside_the_figures(evaluate, photographs, model):
    protocol = json.loads(evaluate(photographs, "--size", 96, "--json").stdout)["protocol"]
    assert protocol["models"] == {
        str(model): {
            "name": "orange",
            "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "size": 96,
            "temperature": 0.38,
        }
    }
    assert protocol["prior"] == "the photographs' own colours, smoothed"
    assert protocol["prior_sha256"] is None
    assert protocol["resize"].startswith("none")


def test_a_second_evaluation_prints_the_same(evaluate, photographs):
    assert evaluate(photographs, "--json").stdout == evaluate(photographs, "--json").stdout


def test_several_models_stand_side_by_side(evaluate, photographs, model, tmp_path):
    other = tmp_path / "other.onnx"
    other.write_bytes(model.read_bytes())
    methods = json.loads(evaluate(photographs, "--model", other, "--json").stdout)["methods"]
    assert list(methods) == ["grey", "random", str(other), str(model), "ground-truth"]
    assert methods[str(other)] == methods[str(model)]


def test_a_prior_from_a_file_changes_the_rebalanced_figures_only(evaluate, photographs, tmp_path):
    np.save(tmp_path / "prior.npy", np.random.default_rng(0).dirichlet(np.ones(313)))
    own = json.loads(evaluate(photographs, "--json").stdout)
    given = json.loads(evaluate(photographs, "--prior", tmp_path / "prior.npy", "--json").stdout)
    assert given["protocol"]["prior"] == "prior.npy"
    assert len(given["protocol"]["prior_sha256"]) == 64
    for figure in FIGURES:
        same = own["methods"]["grey"][figure] == given["methods"]["grey"][figure]
        assert same == (not figure.startswith("auc_rebalanced")), figure


def test_the_table_has_a_column_for_each_method_and_its_protocol_below(evaluate, photographs, model):
    lines = evaluate(photographs).stdout.splitlines()
    assert re.split(r"  +", lines[0]) == ["3 photographs", "grey", "random", str(model), "ground-truth"]
    rows = {cells[0]: cells[1:] for cells in (re.split(r"  +", line) for line in lines[1 : lines.index("")])}
    assert len(rows) == len(FIGURES)
    assert (rows["AuC %"][-1], rows["PSNR dB"][-1], rows["SSIM"][-1]) == ("100.00", "inf", "1.0000")
    assert re.fullmatch(r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", rows["AuC %"][2])
    told = dict(line.split(": ", 1) for line in lines[lines.index("") + 2 :])
    assert (
        told["protocol"] == "own-size, 3 photographs; resize: none: pictures are compared at the photograph's own size"
    )
    assert told["prior"] == "the photographs' own colours, smoothed"
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert told[f"model {model}"] == f"size 64, T = 0.38 (sha256 {digest[:12]}...)"


@pytest.mark.parametrize("prior", [False, True])
def test_damaged_photographs_are_listed_and_left_out_of_every_method(evaluate, photographs, tmp_path, prior):
    np.save(tmp_path / "prior.npy", np.full(313, 1 / 313))
    options = ("--prior", tmp_path / "prior.npy", "--json") if prior else ("--json",)
    before = json.loads(evaluate(photographs, *options).stdout)
    (photographs / "bad.jpg").write_bytes((photographs / "b.jpg").read_bytes()[:200])
    (photographs / "empty.png").write_bytes(b"")
    done = evaluate(photographs, *options, code=1)
    after = json.loads(done.stdout)
    assert (after["images"], after["methods"]) == (3, before["methods"])
    assert [Path(one["input"]).name for one in after["damaged"]] == ["bad.jpg", "empty.png"]
    bad, empty = done.stderr.splitlines()
    assert "bad.jpg" in bad
    assert "empty.png" in empty


def test_only_damaged_photographs_are_an_error(evaluate, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no")
    done = evaluate(tmp_path, code=1)
    assert done.stdout == ""
    assert "no photograph could be measured" in done.stderr.splitlines()[-1]


def test_an_empty_folder_is_one_line(evaluate, tmp_path):
    done = evaluate(tmp_path, code=2)
    assert done.stdout == ""
    assert done.stderr == f"Error: {tmp_path}: no photographs in this folder\n"


def test_a_model_that_is_not_there_is_one_line(photographs):
    done = CliRunner().invoke(main, ["evaluate", str(photographs), "--model", "nowhere.onnx"])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "nowhere.onnx" in done.stderr


def test_a_prior_that_is_none_is_one_line(evaluate, photographs, tmp_path):
    np.save(tmp_path / "prior.npy", np.ones(4))
    done = evaluate(photographs, "--prior", tmp_path / "prior.npy", code=2)
    assert len(done.stderr.splitlines()) == 1
    assert "prior.npy" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["missing"], [".", "--temperature", "0"], [".", "--saturation", "nan"], [".", "--size", "8"], []]
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert CliRunner().invoke(main, ["evaluate", *arguments]).exit_code == 2


def test_every_figure_has_an_interval_around_it_but_what_is_certain(evaluate, photographs):
    answer = json.loads(evaluate(photographs, "--json").stdout)
    for method, row in answer["methods"].items():
        for figure, value in row.items():
            bounds = answer["intervals"][method][figure]
            assert bounds is None if value is None else bounds[0] <= value <= bounds[1], (method, figure)


def test_curves_end_where_auc_is_their_area(evaluate, photographs, model):
    answer = json.loads(evaluate(photographs, "--json").stdout)
    for method in answer["methods"]:
        for kind, figure in (("all", "auc"), ("rebalanced", "auc_rebalanced")):
            shares = answer["curves"][method][kind]
            assert len(shares) == 151
            assert 100 * np.trapezoid(shares) / 150 == pytest.approx(answer["methods"][method][figure], abs=1e-3)


def test_pictures_of_another_program_stand_beside_the_models(evaluate, photographs, model, tmp_path):
    theirs = tmp_path / "theirs" / "deeper"
    theirs.mkdir(parents=True)
    for path in photographs.rglob("*.*"):
        if path.suffix != ".txt":
            Image.open(path).convert("RGB").save(theirs.parent / path.relative_to(photographs).with_suffix(".png"))
    answer = json.loads(evaluate(photographs, "--pictures", f"theirs={theirs.parent}", "--json").stdout)
    assert list(answer["methods"]) == ["grey", "random", str(model), "theirs", "ground-truth"]
    assert answer["methods"]["theirs"] == answer["methods"]["ground-truth"]
    assert answer["protocol"]["pictures"] == {"theirs": str(theirs.parent)}
    assert set(answer["gallery"]) == {str(model), "theirs"}


def test_pictures_alone_are_measured_without_a_model(photographs):
    done = CliRunner().invoke(
        main, ["evaluate", str(photographs), *NO_NETWORKS, "--pictures", f"same={photographs}", "--json"]
    )
    assert list(json.loads(done.stdout)["methods"]) == ["grey", "random", "same", "ground-truth"]


def test_a_picture_that_is_missing_leaves_its_photograph_out_of_every_row(evaluate, photographs, tmp_path):
    shutil.copytree(photographs, tmp_path / "theirs")
    (tmp_path / "theirs" / "a.png").unlink()
    done = evaluate(photographs, "--pictures", f"theirs={tmp_path / 'theirs'}", "--json", code=1)
    answer = json.loads(done.stdout)
    assert answer["images"] == 2
    assert "theirs has none of this name" in done.stderr


@pytest.mark.parametrize("value", ["theirs", "=folder", "theirs=", "theirs=missing", "grey=."])
def test_pictures_that_name_no_folder_are_wrong_usage(evaluate, photographs, value):
    evaluate(photographs, "--pictures", value, code=2)


def test_a_square_protocol_measures_256_by_256(evaluate, photographs):
    own, square = (
        json.loads(evaluate(photographs, *more, "--json").stdout) for more in ((), ("--protocol", "square256"))
    )
    assert square["protocol"]["preset"] == "square256"
    assert square["protocol"]["resize"].startswith("resized to 256 x 256")
    assert own["methods"]["grey"]["ssim"] != square["methods"]["grey"]["ssim"]


def test_a_published_protocol_needs_all_of_its_photographs(evaluate, photographs):
    done = evaluate(photographs, "--protocol", "val5k", code=2)
    assert done.stderr == "Error: this protocol has 5,000 photographs; there are 3\n"


def test_a_list_says_which_photographs_count(evaluate, photographs, tmp_path):
    (tmp_path / "list.txt").write_text("c.tif\na.png\n")
    answer = json.loads(evaluate(photographs, "--list", tmp_path / "list.txt", "--json").stdout)
    assert (answer["images"], answer["protocol"]["list"]) == (2, "list.txt")


def test_the_command_as_a_person_runs_it(photographs, model):
    done = subprocess.run(
        [TINTYPE, "evaluate", photographs, *NO_NETWORKS, "--model", model, "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["images"] == 3


def test_the_seed_settles_the_random_row_and_the_intervals(evaluate, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    one, same, other = (json.loads(evaluate(folder, "--seed", seed, "--json").stdout) for seed in (1, 1, 2))
    assert one == same
    assert one["methods"]["random"] != other["methods"]["random"]
    assert one["methods"]["grey"] == other["methods"]["grey"]
    assert one["intervals"]["grey"] != other["intervals"]["grey"]


def test_one_photograph_is_measured_without_random_colours_and_without_intervals(evaluate, photographs, tmp_path):
    shutil.copytree(photographs / "deeper", tmp_path / "one")
    done = evaluate(tmp_path / "one", "--json")
    answer = json.loads(done.stdout)
    assert "random" not in answer["methods"]
    assert set(answer["intervals"]["grey"].values()) == {None}
    assert "not measured: random (there is no other photograph" in done.stderr


def test_names_that_are_not_text_are_measured_and_printed(evaluate, photographs):
    os.rename(os.fsencode(photographs / "a.png"), os.fsencode(photographs) + b"/caf\xe9.png")
    assert json.loads(evaluate(photographs, "--json").stdout)["images"] == 3
    assert evaluate(photographs).stdout.startswith("3 photographs")


def test_a_report_that_cannot_be_written_loses_no_figures(evaluate, photographs, tmp_path):
    if not Path("/proc").is_dir():
        pytest.skip("needs a folder that no one can write to")
    done = evaluate(photographs, "--json", "--report", "/proc/report.html", code=1)
    assert json.loads(done.stdout)["images"] == 3
    assert len(done.stderr.splitlines()) == 1
    assert "/proc/report.html" in done.stderr


def test_the_report_is_written_beside_the_table(evaluate, photographs, tmp_path):
    done = evaluate(photographs, "--report", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert done.stdout.startswith("3 photographs")
    assert page.startswith("<!DOCTYPE html>")
    assert "data:image/jpeg" in page


def test_photographs_without_colour_are_told_of(evaluate, photographs):
    Image.new("L", (40, 30), 90).save(photographs / "grey.png")
    done = evaluate(photographs, "--json")
    assert json.loads(done.stdout)["methods"]["grey"]["psnr"] is None
    assert "some photographs have no colour" in done.stderr


def test_a_size_without_a_model_is_wrong_usage(photographs):
    done = CliRunner().invoke(
        main, ["evaluate", str(photographs), *NO_NETWORKS, "--pictures", f"same={photographs}", "--size", "96"]
    )
    assert done.exit_code == 2
    assert "for models" in done.stderr


def test_a_terminal_that_lacks_letters_gets_escapes(photographs, model):
    done = subprocess.run(
        [TINTYPE, "evaluate", photographs, *NO_NETWORKS, "--model", model],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u0394 colourfulness" in done.stdout
