import json
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from pretrain import labelled
from pretrain.tiny import RECIPE, make_photographs
from tintype.cli import main
from tintype.pretrain import bundled_recipes, classification, colorization

# Python 3.12 and later warn of forking where there are threads; torch's workers only ever use one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photographs(tmp_path / "photographs")
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return tmp_path


def tintype(*arguments):
    return CliRunner().invoke(main, ["pretrain", *arguments])


def test_list_shows_every_recipe_on_a_line_of_its_own():
    result = tintype("--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == bundled_recipes()


def test_a_run_prints_its_weights_and_is_named_after_recipe_and_time(place):
    result = tintype("tiny.yaml", "--data", "photographs", "--set", "steps=3")
    assert result.exit_code == 0, result.output
    (run,) = (place / "runs").iterdir()
    assert run.name.startswith("tiny-2")
    assert result.stdout == f"runs/{run.name}/weights.safetensors\n"


def test_a_run_asked_to_stop_says_how_to_go_on_and_does(place, monkeypatch):
    loss = colorization.loss_of

    def stop(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return loss(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(colorization, "loss_of", stop)
        result = tintype("tiny.yaml", "--data", "photographs", "--out", "run", "--set", "steps=3")
    assert result.exit_code == 128 + signal.SIGTERM
    line = result.stderr.splitlines()[-1]
    assert line.startswith("stopped after step 1; go on with: tintype pretrain run/recipe.yaml --data photographs")
    result = tintype(*shlex.split(line.partition("tintype pretrain ")[2]))
    assert result.exit_code == 0, result.output
    assert (place / "run" / "weights.safetensors").exists()


def test_a_classifier_is_trained_with_a_studys_labels_and_told_how_to_go_on(place, monkeypatch):
    (place / "classes.yaml").write_text(labelled.RECIPE)
    labelled.make_photographs(place / "kinds")
    made = CliRunner().invoke(main, ["labels", "random", "--buckets", "2", "--data", "kinds", "-o", "r2.tsv"])
    assert made.exit_code == 0, made.output
    run = ["classes.yaml", "--data", "kinds", "--labels", "r2.tsv", "--out", "run", "--set", "steps=3"]
    look, asked = classification.look, []

    def stop(*arguments):
        if not asked:
            asked.append(os.kill(os.getpid(), signal.SIGTERM))
        return look(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(classification, "look", stop)
        result = tintype(*run, "--accumulate", "2")
    assert result.exit_code == 128 + signal.SIGTERM
    line = result.stderr.splitlines()[-1]
    assert line.endswith("--data kinds --labels r2.tsv --accumulate 2 --out run --resume")
    result = tintype(*shlex.split(line.partition("tintype pretrain ")[2]), "--channels-first")
    assert result.exit_code == 0, result.output
    first, second = [json.loads(line) for line in (place / "run" / "sessions.jsonl").read_text().splitlines()]
    assert [session["accumulate"] for session in (first, second)] == [2, 2]
    assert [session["channels_last"] for session in (first, second)] == [True, False]


def test_a_cluster_that_signals_every_process_twice_still_gets_a_checkpoint(place):
    """torchrun and batch systems send SIGTERM to the whole process group, workers included."""
    command = [
        Path(sys.executable).parent / "tintype",
        "pretrain",
        "tiny.yaml",
        "--data",
        "photographs",
        "--out",
        "run",
    ]
    settings = ["steps=100000", "data.workers=1", "log_every=1", "checkpoint_every=100000"]
    command += [part for setting in settings for part in ("--set", setting)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        for line in process.stderr:
            if line.startswith("step "):
                break
        for _ in range(2):
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(0.01)
        rest = process.stderr.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert rest.splitlines()[-1].startswith("stopped after step ")
    assert list((place / "run" / "checkpoints").glob("step-*.pt"))


def test_how_to_go_on_is_told_with_every_option_and_quoted(place, monkeypatch):
    loss = colorization.loss_of

    def stop(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return loss(*arguments)

    (place / "photographs").rename(place / "my album")
    monkeypatch.setattr(colorization, "loss_of", stop)
    options = ["--max-damaged", "0.5", "--channels-first", "--out", "run", "--set", "steps=3"]
    line = tintype("tiny.yaml", "--data", "my album", *options).stderr.splitlines()[-1]
    assert line.endswith("--data 'my album' --max-damaged 0.5 --channels-first --out run --resume")


def test_a_worker_that_is_killed_ends_a_run_in_one_line(place, monkeypatch):
    loss_of = colorization.loss_of

    def kill(*arguments):
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
        return loss_of(*arguments)

    monkeypatch.setattr(colorization, "loss_of", kill)
    result = tintype(
        "tiny.yaml", "--data", "photographs", "--out", "run", "--set", "data.workers=1", "--set", "steps=100"
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("a process that decodes photographs was killed, perhaps")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:29511"),  # as gloo says it
        torch.distributed.DistBackendError("NCCL error"),
    ],
)
def test_a_process_whose_peer_is_gone_says_so_in_one_line(error, place, monkeypatch):
    def fail(*arguments):
        raise error

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(colorization, "loss_of", fail)
    result = tintype("tiny.yaml", "--data", "photographs", "--out", "run", "--set", "steps=3")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("process 1: another process of this run is gone")


@pytest.mark.parametrize(("rank", "opening"), [("0", ""), ("1", "process 1: ")])
def test_too_many_damaged_photographs_end_a_run_in_one_line_from_the_process_that_met_them(
    place, monkeypatch, rank, opening
):
    monkeypatch.setenv("RANK", rank)
    for path in sorted((place / "photographs").iterdir())[:8]:
        path.write_bytes(b"")
    result = tintype("tiny.yaml", "--data", "photographs", "--out", "run", "--set", "steps=8")
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith(opening)
    assert line.removeprefix(opening)[0].isdigit()
    assert line.endswith("they are listed in run/damaged.tsv")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["zhang16-ful", "--data", "photographs"], 2, "did you mean 'zhang16-full'?"),
        (["tiny.yaml", "--data", "photographs", "--set", "optimiser.lr=1"], 2, "did you mean 'optimizer.lr'?"),
        (["tiny.yaml", "--data", "nowhere"], 1, "nowhere does not exist"),
        (["tiny.yaml", "--data", "photographs", "--out", "photographs"], 1, "photographs: is not empty"),
        (["tiny.yaml"], 2, "Missing --data"),
        (["--data", "photographs"], 2, "Missing RECIPE"),
        (["tiny.yaml", "--data", "photographs", "--resume"], 2, "--resume needs --out RUN"),
        (["tiny.yaml", "--data", "photographs", "--labels", "x.tsv"], 2, "recipe tiny learns from colour and takes no"),
        (["tiny.yaml", "--data", "photographs", "--accumulate", "3"], 2, "a multiple of the 1 processes times 3 parts"),
        (["classification-mini", "--data", "photographs"], 1, "put the photographs of each class into a folder of its"),
        (["classification-mini", "--data", "photographs", "--labels", "x.tsv"], 1, "x.tsv: cannot be read"),
        (
            ["larsson17-vgg16-c1000-80", "--data", "photographs"],
            2,
            "starts from torchvision's VGG-16 of its weights IMAGENET1K_V1, the file vgg16-397923af.pth: give it with "
            "--set pretrained=FILE",
        ),
        (
            ["larsson17-vgg16-e10", "--data", "photographs"],
            2,
            "make its file with `tintype labels noise --share 0.1 --held-out 0.002 --data photographs -o FILE.tsv`, "
            "and give it with --labels FILE.tsv",
        ),
        (["zhang16-l2-ft", "--data", "photographs"], 2, "give them with --set pretrained=RUN/weights.safetensors"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(place, arguments, code, message):
    result = tintype(*arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
    assert not (place / "runs").exists()
