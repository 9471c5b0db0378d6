"""Trained networks and trunks out of tintype's own files: a run, its weights, or a bundle."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from tintype.networks.bundle import read_bundle
from tintype.networks.network import Network, build_network, build_trunk
from tintype.networks.surgery import without_batch_norm
from tintype.networks.trunk import Trunk
from tintype.networks.weights import load_weights


def rebuild_network(tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Network:
    """A colorizer from what `load_weights` gives. Raises ValueError where the two do not go together."""
    with _rebuilding("network"):
        network = build_network(
            metadata["trunk"],
            metadata["head"],
            metadata["channels"],
            in_chans=metadata["in_chans"],
            **metadata["head_options"],
        )
        network.load_state_dict(tensors)
    return network


def rebuild_trunk(tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Trunk:
    """The trunk of a colorizer, a classifier or a run of transfer, from what `load_weights` gives.

    Raises:
        ValueError: the two do not go together.
    """
    if "head_options" in metadata:
        return rebuild_network(tensors, metadata).trunk
    with _rebuilding("trunk"):
        given = {name.removeprefix("trunk."): value for name, value in tensors.items() if name.startswith("trunk.")}
        trunk = build_trunk(metadata["trunk"], metadata["in_chans"])
        if "last_map" in metadata:
            trunk.end_at(metadata["last_map"])
        if metadata.get("folded"):
            without_batch_norm(trunk, given)
        trunk.load_state_dict(given)
    return trunk


def trained_trunk(path: Path) -> tuple[Trunk, dict[str, Any]]:
    """Rebuild the trunk that was trained.

    Args:
        path: a run's folder, its weights.safetensors, or a bundle (.onnx), whose batch-norms are folded.

    Returns:
        The trunk, in evaluation mode, and what the file says about it.

    Raises:
        ValueError: the file cannot be read, is not tintype's, or the trunk cannot be rebuilt.
    """
    if path.suffix == ".onnx":
        bundled, metadata = read_bundle(path)
        return bundled.trunk.eval(), metadata
    file = weights_of(path)
    if path.is_dir() and not file.exists():
        raise ValueError(f"{path}: has no weights.safetensors; has the run finished?")
    tensors, metadata = load_weights(file)
    try:
        return rebuild_trunk(tensors, metadata).eval(), metadata
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def weights_of(path: Path) -> Path:
    """The weights of a run's folder, or the file itself."""
    return path / "weights.safetensors" if path.is_dir() else path


@contextmanager
def _rebuilding(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"the {what} cannot be rebuilt from its metadata ({reason:.200})") from error
