import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from skimage import data

from tintype.export import ExportError, compress
from tintype.export.precision import widen_weights
from tintype.networks.bundle import read_bundle
from tintype.runtime import Colorizer
from tintype.runtime.model import load_model

EXAMPLES = str(Path(__file__).parents[2] / "examples" / "colour")
BUNDLED = load_model("bundled", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compressed")
    full = onnx.load(BUNDLED.path)
    widen_weights(full)
    onnx.save(full, folder / "full.onnx")
    compress(folder / "full.onnx", folder / "fp16.onnx", "fp16")
    compress("bundled", folder / "int8-weights.onnx", "int8-weights")
    compress("bundled", folder / "int8.onnx", "int8", EXAMPLES, 3)
    return folder


def kernels(path):
    """Convolutions by what their weights are: a type, or None where another node makes them."""
    graph = onnx.load(path).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    found = [makers.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    return [types.get(maker.input[0]) if maker else TensorProto.FLOAT for maker in found]


@pytest.mark.parametrize(
    ("precision", "share", "mean", "largest"),
    [("fp16", 0.51, 1e-6, 1e-4), ("int8-weights", 0.27, 0.7, 7), ("int8", 0.33, 1, 10)],
)
def test_a_smaller_bundle_gives_nearly_the_same_colours(folder, precision, share, mean, largest):
    path = folder / f"{precision}.onnx"
    assert path.stat().st_size < share * (folder / "full.onnx").stat().st_size
    cat = data.chelsea()
    expected, given = (Colorizer(one, threads=1).predict(cat).ab for one in ("bundled", path))
    distance = np.hypot(*(given - expected))
    assert distance.mean() < mean
    assert distance.max() < largest
    assert np.hypot(*expected).mean() > 5 * mean


def test_metadata_says_what_it_is_and_what_it_was_made_from(folder):
    model = load_model(folder / "int8.onnx", 1)
    assert (model.name, model.input_size, model.figures) == ("bundled-int8", BUNDLED.input_size, {})
    assert model.has_distribution
    (entry,) = onnx.load(folder / "int8.onnx").metadata_props
    described = json.loads(entry.value)
    assert described["precision"] == "int8"
    made_from = described["made_from"]
    assert (made_from["name"], made_from["figures"]["auc"]) == ("bundled", BUNDLED.figures["auc"])
    assert (len(made_from["sha256"]), made_from["calibrated_on"]) == (64, 3)


def test_int8_computes_all_but_the_first_fifteen_convolutions_so_in_both_views(folder):
    types = kernels(folder / "int8.onnx")
    assert (types.count(TensorProto.FLOAT), types.count(TensorProto.INT8), len(types)) == (2 * 15, 2 * 42, 2 * 57)


def test_half_weights_can_still_be_trained_further_and_bytes_not(folder):
    read_bundle(folder / "fp16.onnx")
    with pytest.raises(ValueError, match=r"int8\.onnx: not a bundle"):
        read_bundle(folder / "int8.onnx")


@pytest.mark.parametrize(
    ("source", "out", "precision", "photographs", "message"),
    [
        ("bundled", "a.onnx", "fp16", None, "float16 already"),
        ("int8.onnx", "a.onnx", "fp16", None, "compressed already"),
        ("int8-weights.onnx", "a.onnx", "int8-weights", None, "compressed already"),
        ("full.onnx", "full.onnx", "fp16", None, "is the model itself"),
        ("bundled", "nowhere/a.onnx", "int8-weights", None, "there is no folder"),
        ("bundled", "a.onnx", "int8", "nowhere", "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(folder, source, out, precision, photographs, message):
    source = source if source == "bundled" else folder / source
    with pytest.raises(ExportError, match=message) as caught:
        compress(source, folder / out, precision, photographs and str(folder / photographs))
    assert "\n" not in str(caught.value)
    assert not (folder / "a.onnx").exists()


def test_photographs_that_cannot_be_read_are_passed_over_and_none_left_is_said(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_bytes(b"\xff\xd8\xff nothing")
    with pytest.raises(ExportError, match="none of the photographs can be read"):
        compress("bundled", tmp_path / "a.onnx", "int8", str(tmp_path / "bad"))
