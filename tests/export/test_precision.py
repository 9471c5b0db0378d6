import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tintype.export.onnx_file import halve_weights
from tintype.export.precision import is_plain, round_weights_to_bytes, widen_weights

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(0, RNG.uniform(0.1, 3, (16, 1, 1, 1)), (16, 4, 3, 3)).astype(np.float32)
MATRIX = RNG.normal(0, RNG.uniform(0.1, 3, 24), (16, 24)).astype(np.float32)
PICTURE = RNG.normal(size=(1, 4, 8, 8)).astype(np.float32)


@pytest.fixture
def model():
    """A convolution and a matrix product, whose channels differ in size."""
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["picture", "kernel"], ["features"]),
            helper.make_node("Transpose", ["features"], ["last"], perm=[0, 2, 3, 1]),
            helper.make_node("MatMul", ["last", "matrix"], ["out"]),
        ],
        "small",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, PICTURE.shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 6, 6, 24])],
        [numpy_helper.from_array(KERNEL, "kernel"), numpy_helper.from_array(MATRIX, "matrix")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _run(model):
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"picture": PICTURE})[0]


def _expected(kernel, matrix):
    windows = np.lib.stride_tricks.sliding_window_view(PICTURE[0], (3, 3), axis=(1, 2))
    return np.einsum("cyxij,kcij,kn->yxn", windows, kernel, matrix)[None]


def test_halved_and_widened_again_has_the_weights_rounded_to_float16(model):
    halve_weights(model)
    widen_weights(model)
    assert not [node for node in model.graph.node if node.op_type == "Cast"]
    rounded = (weights.astype(np.float16).astype(np.float32) for weights in (KERNEL, MATRIX))
    np.testing.assert_allclose(_run(model), _expected(*rounded), rtol=1e-4, atol=1e-4)


def test_weights_in_bytes_are_rounded_in_every_channel_by_its_own_largest_weight(model):
    def rounded(weights, axis):
        channels = np.moveaxis(weights, axis, 0)
        made = []
        for channel in channels:
            step = np.abs(channel).max() / 127
            made.append(np.rint(channel / step) * step)
        return np.moveaxis(np.array(made), 0, axis)

    round_weights_to_bytes(model, spared=0)
    np.testing.assert_allclose(_run(model), _expected(rounded(KERNEL, 0), rounded(MATRIX, 1)), rtol=1e-3, atol=1e-3)


def test_only_weights_of_floats_are_plain(model):
    assert is_plain(model)
    halve_weights(model)
    assert is_plain(model)
    widen_weights(model)
    round_weights_to_bytes(model)
    assert not is_plain(model)


def test_the_first_convolutions_are_spared(model):
    round_weights_to_bytes(model, spared=1)
    assert [node.op_type for node in model.graph.node] == ["Cast", "Mul", "Conv", "Transpose", "MatMul"]
    assert not is_plain(model)
