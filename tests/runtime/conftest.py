"""A tiny bundle with the inputs, outputs and metadata of a real one, and a photograph."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

METADATA = {
    "format": 1,
    "name": "tiny",
    "trunk": "none",
    "head": "none",
    "objective": "regression",
    "input_size": 64,
    "stride": 4,
    "ab_origin": 2.0,
    "temperature": 0.5,
    "recipe": "none",
    "data": "none",
    "steps": 0,
    "license": "CC0-1.0",
    "figures": {"auc": 90.0},
    "versions": {},
}


def save_bundle(path, *, metadata=METADATA, slope=(0.4, -0.6), offset=(-10.0, 40.0)):
    """ab = (slope L + offset) 0.5 / temperature and entropy = L / 100, with L the mean over 4x4 pixels."""
    size = [1, 1, "height", "width"]
    weights = {
        "slope": np.array(slope, dtype=np.float32).reshape(2, 1, 1, 1),
        "offset": np.array(offset, dtype=np.float32),
        "half": np.array(0.5, dtype=np.float32),
        "hundredth": np.array(0.01, dtype=np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["lightness"], ["cells"], kernel_shape=[4, 4], strides=[4, 4]),
            helper.make_node("Conv", ["cells", "slope", "offset"], ["warm"]),
            helper.make_node("Div", ["half", "temperature"], ["factor"]),
            helper.make_node("Mul", ["warm", "factor"], ["ab"]),
            helper.make_node("Mul", ["cells", "hundredth"], ["entropy"]),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("lightness", TensorProto.FLOAT, size),
            helper.make_tensor_value_info("temperature", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("ab", TensorProto.FLOAT, [1, 2, "h", "w"]),
            helper.make_tensor_value_info("entropy", TensorProto.FLOAT, [1, 1, "h", "w"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if metadata is not None:
        helper.set_model_props(model, {"tintype": json.dumps(metadata)})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def make_bundle():
    """A function that saves a tiny bundle, with changes where wanted."""
    return save_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return save_bundle(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def colorizer(bundle):
    from tintype.runtime import Colorizer

    return Colorizer(bundle, threads=2)


@pytest.fixture(scope="session")
def grey():
    """(97, 130) uint8: smooth, with an edge, some noise, and all levels from black to white."""
    y, x = np.mgrid[0:97, 0:130]
    picture = 255 * x / 129 * (0.6 + 0.4 * np.cos(y / 15)) + 60 * (x > 70) * (y > 40)
    picture += np.random.default_rng(0).normal(0, 2, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)
