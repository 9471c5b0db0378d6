from click.testing import CliRunner

from export.weights import make_weights
from tintype.cli import main


def tintype(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_a_trunk_is_taken_out_and_what_loads_it_is_said(tmp_path):
    make_weights(tmp_path / "weights.safetensors", width=8)
    result = tintype(tmp_path, "--trunk", tmp_path / "trunk.pth", "--rgb")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{tmp_path / 'trunk.pth'}: timm.create_model('test_efficientnet', num_classes=0)")
    assert (tmp_path / "trunk.pth").exists()


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    make_weights(tmp_path / "weights.safetensors", width=8)
    for arguments, message in (
        ([], "Missing -o FILE.onnx or --trunk FILE."),
        (["--rgb", "-o", "a.onnx"], "--rgb needs --trunk FILE."),
        (["--fold", "-o", "a.onnx"], "--fold needs --trunk FILE."),
        (["--unit-variance", "photos", "-o", "a.onnx"], "--unit-variance needs --trunk FILE."),
        (["--trunk", tmp_path / "a.pth", "--unit-variance", tmp_path], "no photographs found in"),
        (["--trunk", tmp_path / "a.pth", "--fold"], "is there with batch-norm only"),
        (["--trunk", tmp_path / "trunk.bin"], "a trunk is written as .safetensors, .pth or .pt"),
        (["--trunk", tmp_path / "nowhere" / "a.pth"], "there is no folder"),
    ):
        result = tintype(tmp_path, *arguments)
        assert result.exit_code != 0
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.output
