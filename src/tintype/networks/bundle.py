"""Weights out of a bundle: an exported model is also a network to train further."""

import json
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tintype.networks.network import Network, build_network
from tintype.networks.surgery import norms_after


def read_bundle(path: Path) -> tuple[Network, dict[str, Any]]:
    """Rebuild the network of a classifier's bundle, to train it further.

    Exporting folds each batch-norm into the convolution before it. Here they come back with mean 0 and variance 1, so
    the network gives what the bundle gives only while these stay as they are: in evaluation mode, or after
    `Network.fix_statistics`. What the bundle kept of class rebalancing is in the last layer's bias, as it is there.

    Args:
        path: an .onnx file that `tintype export` wrote.

    Returns:
        The network, in evaluation mode, as exact as the bundle's weights are, and the bundle's metadata.

    Raises:
        ValueError: it is not a tintype bundle, or one whose network cannot be rebuilt.
    """
    try:
        model = onnx.load(path)
        metadata = json.loads({entry.key: entry.value for entry in model.metadata_props}["tintype"])
        tensors = {
            tensor.name.removesuffix(".half"): torch.tensor(numpy_helper.to_array(tensor)).float()
            for tensor in model.graph.initializer
        }
        last = tensors["weight"]  # of the prediction, as a matrix
        network = build_network(metadata["trunk"], metadata["head"], last.shape[1], **metadata["head_options"]).eval()
        convolutions = {
            _inside(node.input[1]): [tensors[name] for name in node.input[1:]]
            for node in model.graph.node
            if node.op_type == "Conv"
        }
        convolutions["head.predict.weight"] = [last.T[:, :, None, None], tensors["bias"]]
        _fill(network, convolutions)
    except (OSError, DecodeError, KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not a bundle of a network that can be trained further ({reason:.200})") from error
    return network, metadata


def _inside(name: str) -> str:
    """The name that a weight of the graph has in the network."""
    while name.startswith("network."):
        name = name.removeprefix("network.")
    return name


@torch.no_grad()
def _fill(network: Network, convolutions: dict[str, list[Tensor]]) -> None:
    followed = norms_after(network, torch.full((1, 1, 64, 64), 50.0))
    norms = {conv: network.get_submodule(name) for name, conv in followed.items()}
    if any(isinstance(module, _BatchNorm) and module not in norms.values() for module in network.modules()):
        raise ValueError("it has a batch-norm that does not follow a convolution")
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        weight, *bias = convolutions[f"{name}.weight"]
        if weight.shape != module.weight.shape:
            raise ValueError(f"{name} has another shape")
        module.weight.copy_(weight)
        norm: Any = norms.get(module)
        if norm is not None:
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.weight.fill_(1)
        shift = module.bias if norm is None else norm.bias
        if shift is not None:
            shift.copy_(bias[0])
