"""`tintype push`, and what is done with what was pushed."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, names, photograph
from runtime.hub_server import TOKEN
from tintype.cli import main


@pytest.fixture
def push(model, tmp_path, monkeypatch):
    """Pushes the orange model as me/mine."""
    monkeypatch.chdir(tmp_path)

    def push(*arguments, code=0):
        done = CliRunner().invoke(main, ["push", str(model), "me/mine", *map(str, arguments)])
        assert done.exit_code == code, done.output
        return done

    return push


def test_what_was_pushed_colorizes_also_when_the_hub_is_away(hub, model, tmp_path, monkeypatch):
    """By processes, as people do it."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    photograph(tmp_path / "old.png")

    def tintype(*arguments):
        hubs = {name: value for name, value in os.environ.items() if name.startswith(("HF_", "NO_PROXY"))}
        return subprocess.run(
            [TINTYPE, *arguments], cwd=tmp_path, env=ENVIRONMENT | hubs, capture_output=True, text=True, check=True
        )

    done = tintype("push", model, "me/mine", "--message", "Orange")
    commit, _ = hub.repositories["me/mine"].at("main")
    assert done.stdout == f"{hub.url}/me/mine/commit/{commit}: model.onnx, 0.0 MB\n"
    tintype("colorize", "old.png", "-o", "first.png", "--model", "me/mine")
    hub.stop()
    done = tintype("colorize", "old.png", "-o", "again.png", "--model", "hf://me/mine/model.onnx")
    assert "Traceback" not in done.stderr
    tintype("colorize", "old.png", "-o", "file.png", "--model", model)
    pictures = [Image.open(tmp_path / name).tobytes() for name in ("first.png", "again.png", "file.png")]
    assert pictures[0] == pictures[1] == pictures[2]


def test_a_dry_run_writes_a_folder_and_asks_nobody(hub, push, model, tmp_path):
    done = push("--dry-run", "--license", "MIT")
    assert done.stdout == "mine: model.onnx, 0.0 MB\n"
    assert names(Path("mine")) == {"model.onnx", "config.json", "README.md"}
    assert Path("mine/model.onnx").read_bytes() == model.read_bytes()
    assert "license: mit\n" in Path("mine/README.md").read_text()
    push("--dry-run", "--to", "else/where")
    assert names(Path("else/where")) == names(Path("mine"))
    assert hub.asked == []


def test_a_readme_of_somebodys_is_kept_and_told_of_and_replaced_on_request(push):
    push("--dry-run")
    Path("mine/README.md").write_text("# Mine\n")
    (line,) = push("--dry-run").stderr.splitlines()
    assert "README.md there was written or changed by hand" in line
    assert Path("mine/README.md").read_text() == "# Mine\n"
    Path("new.md").write_text("# New\n")
    assert push("--dry-run", "--card", "new.md").stderr == ""
    assert Path("mine/README.md").read_text().endswith("# New\n")


def test_options_reach_the_hub(hub, push, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    push("--private", "--branch", "tried", "--message", "Another orange")
    repository = hub.repositories["me/mine"]
    assert repository.private
    assert "model.onnx" in repository.at("tried")[1]
    assert "model.onnx" not in repository.at("main")[1]
    assert repository.messages[-1] == "Another orange"


def test_what_is_wrong_is_told_in_one_line(hub, push, tmp_path):
    Path("full").write_text("a file")
    for arguments, code, message in (
        ((), 2, "you are not logged in to the Hub: run `hf auth login`"),
        (("--to", "there"), 2, "--to is of --dry-run"),
        (("--card", "nowhere.md"), 2, "does not exist"),
        (("--dry-run", "--to", "full"), 2, "is a file"),
        (("--dry-run", "--to", "full/deeper"), 1, "full/deeper: Not a directory"),
    ):
        result = push(*arguments, code=code)
        assert message in result.stderr.splitlines()[-1]
    for given, message in (
        (("nowhere.onnx", "me/mine"), "nowhere.onnx: no such model file"),
        ((str(tmp_path), "me/mine"), "has no weights.safetensors; has the run finished?"),
        (("bundled", "mine"), "'mine' is not OWNER/NAME."),
        (("bundled", "me/mine@main"), "'me/mine@main' is not OWNER/NAME."),
    ):
        result = CliRunner().invoke(main, ["push", *given])
        assert result.exit_code == 2
        assert message in result.stderr.splitlines()[-1]
    assert hub.asked == []
