"""Weights as one .safetensors file with metadata (never pickle)."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
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


def is_ours(path: Path) -> bool:
    """Whether a file is one that `save_weights` wrote, by its header alone."""
    try:
        with safe_open(path, framework="pt") as file:
            return "tintype" in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


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
