"""`tintype models`."""

import json
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner
from onnx import helper

from cli.command import photograph
from runtime.hub_server import Hub
from tintype.cli import main


@pytest.fixture
def bundled(model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tintype.runtime.model._BUNDLED", model.parent)
    return model


def test_the_list_has_name_size_licence_and_figures(bundled: Path) -> None:
    head, row = CliRunner().invoke(main, ["models"]).stdout.splitlines()
    megabytes = f"{bundled.stat().st_size / 1e6:.1f}"
    assert head.split() == ["orange", megabytes, "MB", "CC0-1.0", "none,", "sees", "64", "x", "64"]
    assert row.split() == ["AuC", "%", "12.5"]


def test_figures_of_the_model_before_stand_beside(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(bundled)
    facts = json.loads(model.metadata_props[0].value)
    helper.set_model_props(
        model, {"tintype": json.dumps(facts | {"figures": {"auc": 12.5, "psnr": 20}, "previous": {"auc": 11}})}
    )
    onnx.save(model, tmp_path / "new.onnx")
    monkeypatch.setattr("tintype.runtime.model._BUNDLED", tmp_path)
    _, heads, *rows = CliRunner().invoke(main, ["models"]).stdout.splitlines()
    assert heads.split() == ["now", "before"]
    assert [row.split() for row in rows] == [["AuC", "%", "12.5", "11"], ["PSNR", "dB", "20"]]


def test_json_has_all_that_the_bundle_says(bundled: Path) -> None:
    (line,) = CliRunner().invoke(main, ["models", "--json"]).stdout.splitlines()
    answer = json.loads(line)
    assert answer["name"] == "orange"
    assert answer["license"] == "CC0-1.0"
    assert answer["figures"] == {"auc": 12.5}
    assert answer["bytes"] == bundled.stat().st_size
    assert Path(answer["path"]) == bundled
    assert not [key for key in answer if key.startswith("_")]


def test_a_name_that_is_listed_can_be_colorized_with(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(Path("old.jpg"))
    assert CliRunner().invoke(main, ["colorize", "old.jpg", "--model", "orange"]).exit_code == 0


def test_an_unknown_name_is_answered_with_those_that_there_are(bundled: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["colorize", str(tmp_path), "--model", "purple"])
    assert result.exit_code == 2
    assert "orange" in result.stderr.splitlines()[-1]


def test_models_that_are_named_are_listed_in_place_of_the_bundled_ones(model: Path, hub: Hub) -> None:
    hub.add("me/mine", {"model.onnx": model.read_bytes()})
    lines = CliRunner().invoke(main, ["models", str(model), "me/mine", "--json"]).stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["orange", "orange"]
    assert [Path(json.loads(line)["path"]).name for line in lines] == ["orange.onnx", "model.onnx"]


def test_the_newest_comes_only_when_it_is_asked_for(model: Path, hub: Hub, tmp_path: Path) -> None:
    repository = hub.add("me/mine", {"model.onnx": model.read_bytes()})
    newer = onnx.load(model)
    facts = json.loads(newer.metadata_props[0].value)
    helper.set_model_props(newer, {"tintype": json.dumps(facts | {"name": "red"})})

    def name(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["models", "me/mine", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout.split()[0]

    assert name() == "orange"
    repository.commit({"model.onnx": newer.SerializeToString()})
    assert name() == "orange"
    assert name("--refresh") == "red"
    assert name() == "red"


def test_what_cannot_be_refreshed_is_said_in_one_line(model: Path, hub: Hub) -> None:
    for arguments, message in (
        (["--refresh"], "--refresh is for models on the Hugging Face Hub: name one"),
        (["bundled", "--refresh"], "bundled: not on the Hugging Face Hub, so there is nothing to refresh"),
        (["me/mine", "--refresh"], "me/mine: there is no such file, and no such repository on the Hub"),
        (["purple"], "no model 'purple'"),
    ):
        result = CliRunner().invoke(main, ["models", *arguments])
        assert result.exit_code == 2
        assert message in result.stderr.splitlines()[-1]
