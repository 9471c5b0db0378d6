"""A graph as an ONNX model: traced without noise, stripped of what only the exporter needs, its weights halved."""

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 18


def to_onnx(bundle: nn.Module, multiple: int, outputs: Sequence[str] = ("ab", "entropy")) -> onnx.ModelProto:
    height, width = torch.export.Dim("height", min=1, max=4096), torch.export.Dim("width", min=1, max=4096)
    # Sides that no dimension of the network equals, so that the exporter mistakes neither for a constant.
    example = torch.rand(1, 1, 5 * multiple, 7 * multiple) * 100, torch.tensor(0.38)
    with quiet():
        program = torch.onnx.export(
            bundle,
            example,
            dynamo=True,
            input_names=["lightness", "temperature"],
            output_names=list(outputs),
            dynamic_shapes={"lightness": {2: multiple * height, 3: multiple * width}, "temperature": {}},
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    del model.metadata_props[:]
    for node in model.graph.node:  # where in the source each node comes from: as large as a small network's weights
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]
    return model


def halve_weights(model: onnx.ModelProto) -> None:
    """Store the large tensors as float16, each followed by a Cast, which ONNX Runtime does once, on loading."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) < 256:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor)
        if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's progress, warnings and logging to itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
