"""A trained trunk out of tintype's own files: a run, its weights, or a bundle."""

from pathlib import Path
from typing import Any

from tintype.networks.bundle import read_bundle
from tintype.networks.network import build_network, build_trunk
from tintype.networks.trunk import Trunk
from tintype.networks.weights import load_weights


def trained_trunk(path: Path) -> tuple[Trunk, dict[str, Any]]:
    """Rebuild the trunk that was trained, by colorization or by classification.

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
    file = path / "weights.safetensors" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise ValueError(f"{path}: has no weights.safetensors; has the run finished?")
    tensors, metadata = load_weights(file)
    try:
        if "head_options" in metadata:
            network = build_network(
                metadata["trunk"],
                metadata["head"],
                metadata["channels"],
                in_chans=metadata["in_chans"],
                **metadata["head_options"],
            )
            network.load_state_dict(tensors)
            return network.trunk.eval(), metadata
        name = metadata["trunk"]
        if metadata.get("folded"):  # which are the networks without batch-norm
            name = name.removesuffix("_bn")
        trunk = build_trunk(name, metadata["in_chans"])
        if "last_map" in metadata:
            trunk.end_at(metadata["last_map"])
        trunk.load_state_dict(
            {name.removeprefix("trunk."): value for name, value in tensors.items() if name.startswith("trunk.")}
        )
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file}: the trunk cannot be rebuilt from its metadata ({reason:.200})") from error
    return trunk.eval(), metadata
