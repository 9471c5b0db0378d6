"""A smaller bundle from a bundle."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tintype.data import DataError, open_photos
from tintype.export.onnx_file import halve_weights
from tintype.export.precision import is_plain, round_weights_to_bytes, widen_weights
from tintype.export.quantization import calibration_inputs, quantize
from tintype.export.weights import ExportError
from tintype.runtime.atomic import write_atomically
from tintype.runtime.model import Model, load_model


def compress(
    source: str | Path, out: Path, precision: str, calibrate: str | None = None, count: int = 100
) -> dict[str, int]:
    """Write a bundle again with its numbers stored, or also computed with, in fewer bits.

    The metadata says `precision`, and in `made_from` the name, SHA-256 and figures of the source, and how many
    photographs ranges were taken from. It has no figures of its own: these are to be measured.

    Args:
        source: a model's name or file.
        out: the .onnx file; replaced if it exists.
        precision: `fp16` or `int8-weights` (see `round_weights_to_bytes`; the others are float16), which are computed
            with in float32; or `int8`, computed as such (see `quantize`).
        calibrate: photographs (folder, list or tar) to take the ranges of `int8` from: neither trained nor measured on.
        count: of those, at most.

    Returns:
        "before" and "bytes": sizes of both files; "calibrated": photographs that ranges were taken from.

    Raises:
        ModelError: there is no such model.
        ExportError: it is not of float32 or float16, or is of the precision already; or there are no photographs.
        OSError: the file cannot be written.
    """
    model = load_model(source, 1)
    graph = onnx.load(model.path)
    if not out.absolute().parent.is_dir():
        raise ExportError(f"{out}: there is no folder {out.parent}")
    if out.exists() and out.samefile(model.path):
        raise ExportError(f"{out}: is the model itself, which is not replaced; give another name")
    if not is_plain(graph):
        raise ExportError(f"{model.path}: is compressed already; start from the model that it was made from")
    if precision == "fp16" and any(tensor.data_type == TensorProto.FLOAT16 for tensor in graph.graph.initializer):
        raise ExportError(f"{model.path}: its weights are float16 already")
    inputs = _inputs(model, calibrate, count) if precision == "int8" else []
    made = _made(graph, precision, inputs, model)
    helper.set_model_props(made, {"tintype": json.dumps(_described(model, graph, precision, len(inputs)))})
    made.producer_name = "tintype"
    content = made.SerializeToString()
    _check(content, model)
    write_atomically(out, lambda file: file.write(content), overwrite=True)
    return {"before": model.path.stat().st_size, "bytes": len(content), "calibrated": len(inputs)}


def _made(
    graph: onnx.ModelProto, precision: str, inputs: Sequence[NDArray[np.float32]], model: Model
) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    widen_weights(made)
    if precision == "int8":
        return quantize(made, inputs, model.temperature)
    if precision == "int8-weights":
        round_weights_to_bytes(made)
    halve_weights(made)
    return made


def _inputs(model: Model, calibrate: str | None, count: int) -> list[NDArray[np.float32]]:
    if calibrate is None:
        raise ExportError("int8 needs photographs to calibrate on")
    try:
        inputs = calibration_inputs(model, open_photos([calibrate]), count)
    except DataError as error:
        raise ExportError(str(error)) from error
    if not inputs:
        raise ExportError(f"{calibrate}: none of the photographs can be read")
    return inputs


def _described(model: Model, graph: onnx.ModelProto, precision: str, calibrated: int) -> dict[str, Any]:
    described = json.loads({entry.key: entry.value for entry in graph.metadata_props}["tintype"])
    made_from: dict[str, Any] = {
        "name": model.name,
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
        "figures": model.figures,
    }
    if calibrated:
        made_from["calibrated_on"] = calibrated
    own = {"name": f"{model.name}-{precision}", "precision": precision, "made_from": made_from}
    return {**described, **own, "figures": {}, "previous": {}}


def _check(content: bytes, model: Model) -> None:
    """Runs it once."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    lightness = np.full((1, 1, 2 * model.multiple, model.multiple), 50, np.float32)
    given = {"lightness": lightness, "temperature": np.array(model.temperature, np.float32)}
    if not all(np.isfinite(plane).all() for plane in session.run(["ab", "entropy"], given)):
        raise ExportError(f"{model.path}: gives numbers that are not finite at this precision; nothing was written")
