import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from runtime.conftest import METADATA, save_bundle
from tintype.publish import PublishError, read_layout
from tintype.runtime.model import load_model


def _weights(path, metadata):
    save_file({"a": np.zeros(3, np.float32)}, path, metadata=metadata)
    return path


def test_a_bundle_says_of_itself_what_is_in_its_file(tmp_path):
    told = METADATA | {"head_options": {"width": 8}}
    layout = read_layout(str(save_bundle(tmp_path / "mine.onnx", metadata=told)))
    assert (layout.source, layout.name, layout.metadata) == (tmp_path / "mine.onnx", "model.onnx", told)
    assert json.loads(layout.config) == told


def test_the_bundled_model_goes_by_its_name():
    assert read_layout("bundled").source == load_model("bundled", 1).path


def test_a_run_or_its_weights_say_what_is_in_their_file(tmp_path):
    told = {"trunk": "alexnet", "objective": "bins"}
    path = _weights(tmp_path / "weights.safetensors", {"tintype": json.dumps(told)})
    for given in (tmp_path, path):
        layout = read_layout(str(given))
        assert (layout.source, layout.name, layout.metadata) == (path, "model.safetensors", told)


def test_another_licence_takes_the_place_of_the_models(tmp_path):
    path = str(save_bundle(tmp_path / "mine.onnx"))
    assert read_layout(path, "MIT").metadata == METADATA | {"license": "MIT"}
    assert read_layout(path).metadata["license"] == "CC0-1.0"


def test_what_cannot_be_published_is_refused_in_one_line(tmp_path):
    good = _weights(tmp_path / "good.safetensors", {"tintype": '{"trunk": "alexnet"}'}).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(good[:-1])
    (tmp_path / "cut.onnx").write_bytes(b"hello")
    _weights(tmp_path / "strange.safetensors", None)
    _weights(tmp_path / "broken.safetensors", {"tintype": "{"})
    (tmp_path / "run").mkdir()
    for name, message in {
        "cut.safetensors": "not a readable .safetensors file",
        "gone.safetensors": "not a readable .safetensors file",
        "strange.safetensors": "has no tintype metadata",
        "broken.safetensors": "not a readable .safetensors file",
        "cut.onnx": "not an ONNX model",
        "gone.onnx": "no such model file",
        "run": "has no weights.safetensors; has the run finished?",
    }.items():
        with pytest.raises(PublishError, match=message) as caught:
            read_layout(str(tmp_path / name))
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)
