"""`tintype colorize`, run as a person or a script runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, Run, names, photograph
from tintype.cli import main

# one photograph


def test_a_photograph_becomes_a_colour_version_beside_it(start: Run, tmp_path: Path) -> None:
    before = photograph(tmp_path / "old.jpg").read_bytes()
    result = start("old.jpg")
    assert (result.code, result.out, result.err) == (0, "", "made old.color.jpg\n")
    assert names(tmp_path) == {"old.jpg", "old.color.jpg"}
    assert (tmp_path / "old.jpg").read_bytes() == before
    with Image.open(tmp_path / "old.color.jpg") as made:
        assert (made.size, made.mode, made.format) == ((48, 40), "RGB", "JPEG")
        red, _, blue = made.getpixel((24, 20))
        assert red > blue + 40  # the model paints orange


def test_output_names_a_file_whose_suffix_chooses_the_format(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "old.jpg")
    assert run("old.jpg", "-o", "sub/new.png").code == 0
    with Image.open(tmp_path / "sub" / "new.png") as made:
        assert made.format == "PNG"


def test_options_reach_the_model(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "old.png")

    def middle(*options: str) -> tuple[int, ...]:
        assert run("old.png", "-o", "new.png", "--overwrite", *options).code == 0
        with Image.open(tmp_path / "new.png") as made:
            return made.convert("RGB").getpixel((24, 20))

    default = middle()
    assert middle("--temperature", "0.38") == default  # the temperature in its metadata
    assert middle("--temperature", "0.1")[2] > default[2] + 10  # the model's b falls with it: less yellow
    red, green, blue = middle("--saturation", "0")
    assert max(red, green, blue) - min(red, green, blue) <= 1
    assert middle("--size", "256") == default


# many


def test_a_folder_keeps_its_structure_and_a_second_run_does_only_what_is_new(run: Run, tmp_path: Path) -> None:
    for name in ["album/Großmutter 1923.jpg", "album/b/祖母.png", "album/b/c/x.TIF"]:
        photograph(tmp_path / name)
    (tmp_path / "album" / "notes.txt").write_text("no photograph")
    result = run("album", "-o", "new", "--json")
    assert result.code == 0
    assert names(tmp_path / "new") == {"Großmutter 1923.jpg", "b/祖母.png", "b/c/x.TIF"}
    assert result.err == "3 colorized\n"

    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "new").rglob("*.*")}
    photograph(tmp_path / "album" / "more.jpg")
    result = run("album", "-o", "new", "--json")
    assert result.code == 0
    assert {name for name, answer in result.json.items() if "skipped" not in answer} == {"more.jpg"}
    assert result.err == "made new/more.jpg, 3 skipped, as the output is there (--overwrite makes it again)\n"
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())

    assert run("album", "-o", "new", "--overwrite").err == "4 colorized\n"
    assert all(path.stat().st_mtime_ns > time for path, time in times.items())


def test_when_all_is_done_already_no_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(Path("a.jpg"))
    photograph(Path("a.color.jpg"))
    monkeypatch.setattr("tintype.runtime.Colorizer", lambda *arguments, **options: pytest.fail("loaded"))
    assert CliRunner().invoke(main, ["colorize", "a.jpg"]).exit_code == 0


def test_patterns_are_expanded(run: Run, tmp_path: Path) -> None:
    for name in ["a.jpg", "d/b.jpg", "d/e/c.jpg", "d/e/c.png"]:
        photograph(tmp_path / name)
    assert set(run("**/*.jpg", "--json").json) == {"a.jpg", "b.jpg", "c.jpg"}
    assert names(tmp_path) >= {"a.color.jpg", "d/b.color.jpg", "d/e/c.color.jpg"}


def test_json_is_one_object_per_photograph_and_nothing_else(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "good.jpg")
    photograph(tmp_path / "done.jpg")
    photograph(tmp_path / "done.color.jpg")
    (tmp_path / "bad.jpg").write_text("no photograph")
    result = run("good.jpg", "done.jpg", "bad.jpg", "missing.jpg", "--json")
    assert result.code == 1
    answers = result.json
    assert len(answers) == len(result.out.splitlines()) == 4
    seconds = {name: answer.pop("seconds") for name, answer in answers.items()}
    assert seconds["good.jpg"] > 0
    assert seconds["done.jpg"] == seconds["missing.jpg"] == 0
    assert answers["good.jpg"] == {"input": "good.jpg", "output": "good.color.jpg"}
    assert answers["done.jpg"] == {"input": "done.jpg", "output": "done.color.jpg", "skipped": True}
    assert answers["missing.jpg"] == {"input": "missing.jpg", "error": "missing.jpg: no such file or folder"}
    assert set(answers["bad.jpg"]) == {"input", "error"}


def test_many_jobs_give_the_same_pictures_as_one(run: Run, tmp_path: Path) -> None:
    for number in range(8):
        photograph(tmp_path / "in" / f"{number}.png", (40 + number, 30))
    assert run("in", "-o", "one", "--jobs", "1").code == 0
    assert run("in", "-o", "many", "--jobs", "4").code == 0
    for number in range(8):
        assert (tmp_path / "one" / f"{number}.png").read_bytes() == (tmp_path / "many" / f"{number}.png").read_bytes()


def test_names_that_are_no_text_or_would_move_the_cursor(start: Run, tmp_path: Path) -> None:
    odd = [b"caf\xe9.jpg", b"two\nlines.jpg", b"\x1b[31mred.jpg", b"-o.jpg"]
    for name in odd:
        photograph(tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / os.fsdecode(name))
    (tmp_path / "in" / "bad\n\x1b.jpg").write_text("no photograph")
    result = start("in", "--json")
    assert result.code == 1
    assert len(result.out.splitlines()) == 5
    assert len(result.err.splitlines()) == 2
    assert "\x1b" not in result.err
    assert {os.fsencode(name) for name in os.listdir(tmp_path / "in")} >= {
        name.replace(b".jpg", b".color.jpg") for name in odd
    }


# what is never replaced


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_no_photograph_is_ever_replaced(run: Run, tmp_path: Path, overwrite: list[str]) -> None:
    photographs = [tmp_path / name for name in ("a.jpg", "a.color.jpg", "in/b.jpg", "in/in/b.jpg")]
    before = {photograph(path, (40 + number, 30)): path.read_bytes() for number, path in enumerate(photographs)}
    assert run("a.jpg", "-o", "a.jpg", *overwrite).code == 1
    assert run("a.jpg", "-o", ".", *overwrite).code == 2
    assert run("in", "-o", "in", *overwrite).code == 2
    assert run("in", "-o", ".", *overwrite).code == 1  # in/in/b.jpg would go to in/b.jpg
    assert run("a.jpg", "a.color.jpg", *overwrite).code == (1 if overwrite else 0)
    assert {path: path.read_bytes() for path in photographs} == before


def test_two_photographs_with_one_output(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "1950" / "a.jpg")
    photograph(tmp_path / "1960" / "a.jpg", (30, 30))
    result = run("1950/a.jpg", "1960/a.jpg", "-o", "new")
    assert result.code == 1
    assert result.err.splitlines()[0].startswith("1960/a.jpg: new/a.jpg is the output of 1950/a.jpg already")
    with Image.open(tmp_path / "new" / "a.jpg") as made:
        assert made.size == (48, 40)


# wrong use


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        ([], "PATH"),
        (["a.jpg", "--temperature", "0"], "--temperature"),
        (["a.jpg", "--temperature", "nan"], "--temperature"),
        (["a.jpg", "--temperature", "inf"], "--temperature"),
        (["a.jpg", "--saturation", "-0.1"], "--saturation"),
        (["a.jpg", "--saturation", "much"], "--saturation"),
        (["a.jpg", "--size", "31"], "--size"),
        (["a.jpg", "--size", "2049"], "--size"),
        (["a.jpg", "--jobs", "0"], "--jobs"),
        (["a.jpg", "b.jpg", "-o", "new.jpg"], "new.jpg"),
        (["a.jpg", "-o", "new.pgn"], ".pgn"),
        ([".", "-o", "."], "-o"),
        (["a.jpg", "--colour"], "--colour"),
        (["a.jpg", "--model", "no-such-model"], "no-such-model"),
        (["a.jpg", "--model", "b.jpg"], "b.jpg"),
        (["a.jpg", "--model", "missing.onnx"], "missing.onnx"),
    ],
)
def test_wrong_use_exits_with_2_and_touches_nothing(
    arguments: list[str], about: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(Path("a.jpg"))
    photograph(Path("b.jpg"))
    result = CliRunner().invoke(main, ["colorize", *arguments])
    assert result.exit_code == 2, result.output
    assert about in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert names(tmp_path) == {"a.jpg", "b.jpg"}


def test_an_unknown_model_is_told_even_if_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(Path("a.jpg"))
    photograph(Path("a.color.jpg"))
    assert CliRunner().invoke(main, ["colorize", "a.jpg", "--model", "no-such-model"]).exit_code == 2


def test_a_folder_without_photographs_says_so_and_is_no_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("empty", "--json")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines()[0] == "empty: no photographs in this folder"


# places where nothing can be written


def test_an_output_folder_below_a_file_is_one_line(run: Run, tmp_path: Path) -> None:
    for number in range(5):
        photograph(tmp_path / "in" / f"{number}.jpg")
    (tmp_path / "file").write_text("in the way")
    for out in ["file", "file/new", "file/new.jpg"]:
        result = run("in/0.jpg" if out.endswith("jpg") else "in", "-o", out)
        assert (result.code, result.out) == (1, "")
        assert len(result.err.splitlines()) == 1
        assert "cannot write to file" in result.err
        assert "there is a file in the way" in result.err


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc, where nobody can write")
def test_a_folder_that_cannot_be_made_is_one_line(run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "a.jpg")
    result = run("a.jpg", "-o", "/proc/new")
    assert (result.code, len(result.err.splitlines())) == (1, 1)
    assert result.err.startswith("Error: cannot write to /proc/new")


def test_a_full_disk_is_told_once_and_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(20):
        photograph(tmp_path / "in" / f"{number:02}.jpg")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tintype.runtime.Colorizer.colorize_file", full)
    result = CliRunner().invoke(main, ["colorize", "in", "-o", "new", "--jobs", "2", "--json", "--model", str(model)])
    assert result.exit_code == 1
    assert 1 <= len(result.stdout.splitlines()) <= 3
    assert "No space left on device" in json.loads(result.stdout.splitlines()[0])["error"]
    assert result.stderr.splitlines()[-1].startswith("Stopped: 0 colorized")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_write_that_fails_halfway_leaves_nothing_behind(tmp_path: Path, model: Path) -> None:
    Image.effect_noise((200, 150), 60).save(tmp_path / "a.png")
    limited = [
        "bash",
        "-c",
        'ulimit -f 4; trap "" XFSZ; exec "$0" "$@"',
        TINTYPE,
        "colorize",
        "a.png",
        "--model",
        model,
    ]
    done = subprocess.run(limited, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("a.png: cannot write a.color.png: ")
    assert names(tmp_path) == {"a.png"}
