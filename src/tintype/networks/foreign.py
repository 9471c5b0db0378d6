"""Weights that other programs wrote: found in torch's cache, read without running code, fitted by name or by order."""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def cached(name: str) -> Path | None:
    """The file `name` in torch's hub cache ($TORCH_HOME/hub/checkpoints), where there is one. Downloads nothing."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    return path if path.is_file() else None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a .safetensors file, or from a .pth or the like that holds tensors only.

    Raises:
        ValueError: the file is missing, cannot be read as weights, would run code, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # of the legacy format, which weights_only reads as safely
            warnings.simplefilter("ignore")
            given = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as weights ({error.strerror or error})") from error
    except Exception as error:  # torch and safetensors raise a dozen types for files that they cannot read
        raise ValueError(f"{path}: cannot be read as weights: not .safetensors, nor .pth of tensors alone") from error
    if not isinstance(given, dict) or not all(isinstance(value, Tensor) for value in given.values()):
        raise ValueError(f"{path}: holds no state dict")
    return given


def renamed(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`given` under the names of `expected`, where it holds tensors of the same shapes in the same order.

    Where it does not, or the names are the same already, it is returned as it is.
    """
    ours, theirs = ({k: v for k, v in held.items() if not _counts(v)} for held in (expected, given))
    if ours.keys() == theirs.keys() or [v.shape for v in ours.values()] != [v.shape for v in theirs.values()]:
        return dict(given)
    return {**_counters(expected), **dict(zip(ours, theirs.values(), strict=True))}


def fit(network: nn.Module, path: Path, what: str) -> None:
    """Load the weights in `path` into `network`, all of them, by name or else by order.

    Args:
        network: what the weights are for; loaded in place.
        path: a file that `read_state_dict` reads.
        what: the network's name, for the error.

    Raises:
        ValueError: the file cannot be read, or holds other weights, or values that are not finite.
    """
    expected = network.state_dict()
    given = renamed(read_state_dict(path), expected)
    for key, value in expected.items():
        if not _counts(value) and (key not in given or given[key].shape != value.shape):
            raise ValueError(f"{path}: these are not the weights of {what} ({key} is missing or differs)")
    surplus = next((key for key in given if key not in expected), None)
    if surplus is not None:
        raise ValueError(f"{path}: these are not the weights of {what} (which has no {surplus})")
    if not all(value.isfinite().all() for value in given.values()):
        raise ValueError(f"{path}: holds weights that are not finite numbers")
    network.load_state_dict({**_counters(expected), **given})


def _counts(value: Tensor) -> bool:
    """Whether this is batch-norm's count of batches, which older files lack and no answer depends on."""
    return value.ndim == 0 and value.dtype == torch.int64


def _counters(expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in expected.items() if _counts(value)}
