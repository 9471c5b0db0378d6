"""Weights of an ONNX graph as float32, and as int8 with a scale for each channel."""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256  # numbers in a tensor; there is nothing to gain in smaller ones

SPARED = 0.017
"""Share of the convolutions' weights, from the beginning, that is kept from int8.

In the bundled model these are the 15 convolutions up to stride 8, which make most of the error.
"""


def is_plain(model: onnx.ModelProto) -> bool:
    """Whether the weights are float32 or float16, as `tintype export` writes them."""
    kinds = {tensor.data_type for tensor in model.graph.initializer if math.prod(tensor.dims) >= SMALLEST}
    return kinds <= {TensorProto.FLOAT, TensorProto.FLOAT16}


def widen_weights(model: onnx.ModelProto) -> None:
    """Store as float32 what `halve_weights` stored as float16."""
    casts = {node.input[0]: node for node in model.graph.node if node.op_type == "Cast"}
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            cast = casts[tensor.name]
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, cast.output[0]))
            model.graph.node.remove(cast)


def first_kernels(model: onnx.ModelProto, share: float) -> list[str]:
    """Names of the weights of the first convolutions, which together are at most this share of all convolutions'."""
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer}
    kernels = list(dict.fromkeys(node.input[1] for node in model.graph.node if node.op_type == "Conv"))
    sums = np.cumsum([sizes[name] for name in kernels])
    return [name for name, reached in zip(kernels, sums, strict=True) if reached <= share * sums[-1]]


def round_weights_to_bytes(model: onnx.ModelProto, spared: float = SPARED) -> None:
    """Store kernels and matrices as int8 and a float32 scale for each channel, multiplied once, on loading.

    Args:
        model: with float32 weights.
        spared: share of the convolutions' weights, from the beginning, that stays as it is.
    """
    before = []
    first = first_kernels(model, spared)
    matrices = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        small = values.ndim < 2 or values.size < SMALLEST
        if tensor.data_type != TensorProto.FLOAT or small or tensor.name in first:
            continue
        name, channel = tensor.name, values.ndim - 1 if tensor.name in matrices else 0
        others = tuple(axis for axis in range(values.ndim) if axis != channel)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / np.float32(127)
        tensor.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}.bytes"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        before += [
            helper.make_node("Cast", [f"{name}.bytes"], [f"{name}.whole"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name]),
        ]
    nodes = [*before, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
