"""`tintype evaluate`, with a model that paints everything orange."""

import importlib.util
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE
from tintype.cli import main

FIGURES = {"auc", "auc_rebalanced", "auc_rebalanced_per_image", "psnr", "ssim", "colourfulness"}


@pytest.fixture
def photographs(tmp_path):
    """Three colour photographs, one of them in a folder of its own."""
    folder = tmp_path / "photographs"
    for number, name in enumerate(("a.png", "b.jpg", "deeper/c.tif")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 40)).save(folder / name)
    (folder / "notes.txt").write_text("not a photograph, and not to be told of")
    return folder


@pytest.fixture
def evaluate(model):
    """Runs the command with the orange model, in this process."""

    def evaluate(*arguments, code=0):
        done = CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--model", str(model)])
        assert done.exit_code == code, done.output
        return done

    return evaluate


def test_json_has_every_figure_of_grey_model_and_truth(evaluate, photographs, model):
    answer = json.loads(evaluate(photographs, "--json").stdout)
    assert answer["images"] == 3
    assert list(answer["methods"]) == ["grey", str(model), "true"]
    assert all(set(figures) == FIGURES for figures in answer["methods"].values())
    assert answer["damaged"] == []


def test_figures_that_are_not_numbers_are_null(evaluate, photographs):
    truth = json.loads(evaluate(photographs, "--json").stdout)["methods"]["true"]
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
    assert protocol["models"] == {str(model): {"name": "orange", "size": 96, "temperature": 0.38}}
    assert protocol["prior"] == "the photographs' own colours, smoothed"
    assert protocol["prior_sha256"] is None
    assert protocol["resize"].startswith("none")


def test_a_second_evaluation_prints_the_same(evaluate, photographs):
    assert evaluate(photographs, "--json").stdout == evaluate(photographs, "--json").stdout


def test_several_models_stand_side_by_side(evaluate, photographs, model, tmp_path):
    other = tmp_path / "other.onnx"
    other.write_bytes(model.read_bytes())
    methods = json.loads(evaluate(photographs, "--model", other, "--json").stdout)["methods"]
    assert list(methods) == ["grey", str(other), str(model), "true"]
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


def test_the_table_has_a_row_for_each_method(evaluate, photographs, model):
    lines = evaluate(photographs).stdout.splitlines()
    assert lines[0].startswith("3 photographs")
    assert [line.split()[0] for line in lines[1:]] == ["grey", str(model), "true"]
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split()[1:6] == ["100.00", "100.00", "100.00", "inf", "1.0000"]


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


def test_a_plain_install_says_what_to_install(evaluate, photographs, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("tintype.cli.evaluate.find_spec", lambda name: None if name == "skimage" else find_spec(name))
    done = evaluate(photographs, code=1)
    assert len(done.stderr.splitlines()) == 1
    assert 'pip install ".[evaluate]"' in done.stderr


def test_the_command_as_a_person_runs_it(photographs, model):
    done = subprocess.run(
        [TINTYPE, "evaluate", photographs, "--model", model, "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["images"] == 3
