import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tintype.runtime import ModelError
from tintype.runtime.model import load_model


def test_metadata_of_a_bundle_is_there_to_read(bundle):
    model = load_model(bundle, 1)
    assert (model.name, model.input_size, model.temperature, model.ab_origin) == ("tiny", 64, 0.5, 2.0)
    assert model.figures == {"auc": 90.0}
    assert model.path == bundle


def test_temperature_is_the_models_own_unless_given(bundle):
    model = load_model(str(bundle), 1)
    lightness = np.full((1, 1, 32, 64), 50, dtype=np.float32)
    ab, entropy = model.run(lightness)
    assert ab.shape == (1, 2, 8, 16)
    assert entropy.shape == (1, 1, 8, 16)
    np.testing.assert_allclose(ab[0, :, 0, 0], [10, 10], atol=1e-4)
    np.testing.assert_allclose(model.run(lightness, 0.25)[0], 2 * ab, atol=1e-4)


@pytest.mark.parametrize("name", ["no-such-model", "folder/no-such-model.onnx", "no-such-model.onnx"])
def test_a_missing_model_is_one_line(name):
    with pytest.raises(ModelError) as caught:
        load_model(name, 1)
    assert "no-such-model" in str(caught.value)
    assert "\n" not in str(caught.value)


def _refused(path, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_model(path, 1)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_model_is_refused(tmp_path, bundle, capfd):
    for name, content in (("text", b"hello"), ("empty", b""), ("cut", bundle.read_bytes()[:300])):
        (tmp_path / f"{name}.onnx").write_bytes(content)
        _refused(tmp_path / f"{name}.onnx", "not an ONNX model")
    assert capfd.readouterr() == ("", "")


def test_a_model_of_another_program_is_refused(tmp_path, make_bundle):
    _refused(make_bundle(tmp_path / "x.onnx", metadata=None), "not a tintype bundle")


def test_a_bundle_of_another_format_says_what_to_do(tmp_path, make_bundle):
    _refused(make_bundle(tmp_path / "x.onnx", metadata={"format": 2}), "upgrade tintype")


@pytest.mark.parametrize("metadata", [{"format": 1}, {}, [], "text"])
def test_incomplete_metadata_is_refused(tmp_path, make_bundle, metadata):
    _refused(make_bundle(tmp_path / "x.onnx", metadata=metadata), "metadata")


def test_metadata_that_is_not_json_is_refused(tmp_path, bundle):
    model = onnx.load(bundle)
    helper.set_model_props(model, {"tintype": "{"})
    onnx.save(model, tmp_path / "x.onnx")
    _refused(tmp_path / "x.onnx", "metadata")


def test_other_inputs_are_refused(tmp_path):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"tintype": json.dumps({"format": 1})})
    onnx.save(model, tmp_path / "x.onnx")
    _refused(tmp_path / "x.onnx", "inputs or outputs")


def test_a_folder_is_no_model(tmp_path):
    _refused(tmp_path, "no such model file")


def test_loading_and_running_prints_nothing(bundle):
    program = (
        "import sys; from tintype.runtime.model import load_model; import numpy as np\n"
        "load_model(sys.argv[1], 2).run(np.zeros((1, 1, 32, 32), np.float32))"
    )
    done = subprocess.run([sys.executable, "-c", program, bundle], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_loading_and_running_leaves_nothing_on_the_disk(bundle, tmp_path):
    """ONNX Runtime's telemetry begins with an identifier in the home folder and one of the session in /tmp."""
    code = (
        "import sys, numpy; from tintype.runtime.model import load_model;"
        "load_model(sys.argv[1], 1).run(numpy.zeros((1, 1, 64, 64), numpy.float32))"
    )
    places = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME", "LOCALAPPDATA")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | places
    subprocess.run([sys.executable, "-c", code, bundle], env=environment, check=True, timeout=60)
    assert not list(tmp_path.iterdir())
