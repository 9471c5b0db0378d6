from click.testing import CliRunner
from PIL import Image

from cli.command import photograph
from tintype.cli import main


def tintype(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_what_it_writes_colorizes(tmp_path):
    small = tmp_path / "small.onnx"
    result = tintype("compress", "bundled", "--precision", "int8-weights", "-o", small)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{small}: 3.6 MB, from 6.8 MB\n"
    grey = photograph(tmp_path / "grey.png")
    assert tintype("colorize", grey, "-o", tmp_path / "made.png", "--model", small).exit_code == 0
    with Image.open(tmp_path / "made.png") as made:
        assert made.mode == "RGB"


def test_int8_and_calibration_go_together(tmp_path):
    for arguments in (["--precision", "int8"], ["--precision", "fp16", "--calibrate", tmp_path]):
        result = tintype("compress", "bundled", "-o", tmp_path / "a.onnx", *arguments)
        assert result.exit_code == 2
        assert "--calibrate PHOTOS goes with --precision int8" in result.stderr


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    for model, message in (("nothing", "no model 'nothing'"), (tmp_path / "a.onnx", "no such model file")):
        result = tintype("compress", model, "--precision", "fp16", "-o", tmp_path / "b.onnx")
        assert result.exit_code == 1
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.output
