"""Weights as one .safetensors file with metadata (never pickle), and those of other programs."""

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor


def save_weights(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and metadata to a .safetensors file, atomically.

    Args:
        path: where to; replaced if it exists.
        tensors: a state dict.
        metadata: anything JSON can hold: trunk, head, objective, recipe, data, steps, versions …
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(flat, temporary, metadata={"tintype": json.dumps(metadata)})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_weights` wrote.

    Returns:
        The tensors, and the metadata.

    Raises:
        ValueError: the file is missing, not .safetensors, or was not written by tintype.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = (file.metadata() or {}).get("tintype")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not a readable .safetensors file ({error})") from error
    if metadata is None:
        raise ValueError(f"{path}: has no tintype metadata, so the network that it belongs to is unknown")
    return tensors, json.loads(metadata)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read another program's weights: .safetensors, or .pth holding tensors only.

    Raises:
        ValueError: the file is missing, or no such file.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # of the legacy format, which weights_only reads as safely
            warnings.simplefilter("ignore")
            given = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen types for files that they cannot read
        raise ValueError(f"{path}: cannot be read as weights ({str(error).splitlines()[0]})") from error
    if not isinstance(given, dict) or not all(isinstance(value, Tensor) for value in given.values()):
        raise ValueError(f"{path}: holds no state dict")
    return given


def named_as(expected: Mapping[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights that stand in the expected order, with the expected shapes, under other names: with the expected names.

    Anything else is returned as it is. (EfficientNet-PyTorch names its tensors otherwise than timm.)
    """
    if given.keys() != expected.keys() and [v.shape for v in given.values()] == [v.shape for v in expected.values()]:
        return dict(zip(expected, given.values(), strict=True))
    return given
