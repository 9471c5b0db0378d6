"""A model that paints everything one colour, and the commands with it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from click.testing import Result as ClickResult
from onnx import TensorProto, helper
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, Result, Run
from cli.evaluation import NO_NETWORKS
from tintype.cli import main


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that paints everything orange: a = 25, b = 80 times the temperature."""
    made = [("zero", 0.0), ("a", 25.0), ("b", 80.0)]
    nodes = [
        helper.make_node("AveragePool", ["lightness"], ["cells"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["cells", "zero"], ["blank"]),
        helper.make_node("Add", ["blank", "a"], ["red"]),
        helper.make_node("Mul", ["temperature", "b"], ["strength"]),
        helper.make_node("Add", ["blank", "strength"], ["yellow"]),
        helper.make_node("Concat", ["red", "yellow"], ["ab"], axis=1),
        helper.make_node("Add", ["blank", "temperature"], ["entropy"]),
    ]
    graph = helper.make_graph(
        nodes,
        "orange",
        [
            helper.make_tensor_value_info("lightness", TensorProto.FLOAT, [1, 1, "h", "w"]),
            helper.make_tensor_value_info("temperature", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("ab", TensorProto.FLOAT, [1, 2, "h4", "w4"]),
            helper.make_tensor_value_info("entropy", TensorProto.FLOAT, [1, 1, "h4", "w4"]),
        ],
        [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in made],
    )
    bundle = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    metadata = {
        "format": 1,
        "name": "orange",
        "trunk": "none",
        "head": "none",
        "objective": "bins",
        "input_size": 64,
        "stride": 4,
        "ab_origin": 2.0,
        "temperature": 0.38,
        "recipe": "none",
        "data": "none",
        "steps": 0,
        "license": "CC0-1.0",
        "figures": {"auc": 12.5},
        "versions": {},
    }
    helper.set_model_props(bundle, {"tintype": json.dumps(metadata)})
    path = tmp_path_factory.mktemp("model") / "orange.onnx"
    onnx.save(bundle, path)
    return path


@pytest.fixture
def run(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `tintype colorize` with the orange model in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        done = CliRunner().invoke(main, ["colorize", *arguments, "--model", str(model)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path, model: Path) -> Run:
    """The same as a process of its own."""

    def start(*arguments: str) -> Result:
        done = subprocess.run(
            [TINTYPE, "colorize", *arguments, "--model", model],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    return start


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three colour photographs, one of them in a folder of its own."""
    folder = tmp_path / "photographs"
    for number, name in enumerate(("a.png", "b.jpg", "deeper/c.tif")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 40)).save(folder / name)
    (folder / "notes.txt").write_text("not a photograph, and not to be told of")
    return folder


@pytest.fixture
def evaluate(model: Path) -> Callable[..., ClickResult]:
    """Runs the command with the orange model, in this process, without networks that judge."""

    def evaluate(*arguments: object, code: int = 0) -> ClickResult:
        done = CliRunner().invoke(main, ["evaluate", *NO_NETWORKS, *map(str, arguments), "--model", str(model)])
        assert done.exit_code == code, done.output
        return done

    return evaluate
