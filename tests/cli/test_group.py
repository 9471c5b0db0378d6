"""The command as a whole: what it lists, what it loads, what it says of wrong use."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import tintype
from tintype.cli import VERBS, main

EXAMPLES = Path(__file__).parents[2] / "examples" / "colour"


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_no_library_of_images_or_networks(argument: str) -> None:
    done = python(
        "import sys\n"
        "from tintype.cli import main\n"
        f"main(['{argument}'], prog_name='tintype', standalone_mode=False)\n"
        "heavy = {'numpy', 'PIL', 'onnxruntime', 'torch', 'tqdm', 'tintype.runtime', 'tintype.cli.colorize'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    assert done.stdout.endswith("loaded: []\n"), done.stdout + done.stderr


def test_help_lists_every_verb_with_what_it_does() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    for verb, (line, _) in VERBS.items():
        assert f"{verb}  " in listed
        assert line in listed


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples_on_lines_of_their_own(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "--help"], terminal_width=100)
    assert result.exit_code == 0, result.output
    assert "Examples:" in result.output
    examples = [line for line in result.output.splitlines() if line.strip().startswith(f"tintype {verb}")]
    assert examples
    assert all(line.count(f"tintype {verb}") == 1 for line in examples)


def test_every_file_of_a_verb_is_listed() -> None:
    folder = Path(tintype.__file__).parent / "cli"
    assert {path.stem for path in folder.glob("[!_]*.py")} == set(VERBS)


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"tintype {tintype.__version__}\n"


def test_a_wrong_verb_gets_a_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.jpg").write_bytes(b"")
    for wrong, guess in [("colourize", "tintype colorize"), ("old.jpg", "tintype colorize old.jpg")]:
        result = CliRunner().invoke(main, [wrong])
        assert result.exit_code == 2
        assert f"Did you mean `{guess}`?" in result.output


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("evaluate", ["EXAMPLES", "--classifier", "resnet10t", "--classifier-weights", __file__]),
        ("table", ["zhang16-1", "--data", "FOLDER"]),
        ("pretrain", ["zhang16-full", "--data", "FOLDER"]),
        ("pack", ["FOLDER", "-o", "x"]),
        ("labels", ["noise", "--share", "0.1", "--data", "FOLDER", "-o", "x.tsv"]),
        ("export", ["FOLDER", "-o", "x.onnx"]),
        ("push", ["bundled", "me/mine"]),
    ],
)
def test_without_the_extra_packages_a_verb_says_in_one_line_what_to_install(
    verb: str, arguments: list[str], tmp_path: Path
) -> None:
    arguments = [verb, *({"FOLDER": str(tmp_path), "EXAMPLES": str(EXAMPLES)}.get(word, word) for word in arguments)]
    missing = ["torch", "torchvision", "timm", "accelerate", "skimage", "safetensors", "yaml", "onnx", "scipy"]
    missing.append("huggingface_hub")
    done = python(
        f"import sys\nsys.modules.update(dict.fromkeys({missing}))\n"  # None there makes `import` fail
        f"from tintype.cli import main\nmain({arguments}, prog_name='tintype')"
    )
    assert done.returncode == 1, done.stderr
    assert f'pip install ".[{VERBS[verb][1]}]"' in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_missing_file_of_our_own_is_a_bug_not_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERBS, "nothing", ("not written", "train"))
    result = CliRunner().invoke(main, ["nothing"])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_ctrl_c_in_a_verb_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tintype.cli.models.models", interrupted)
    result = CliRunner().invoke(main, ["models"])
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")
