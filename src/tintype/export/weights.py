"""What is exported: trained weights, read and changed."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tintype.networks import Network, build_network, build_trunk, load_weights
from tintype.networks.trunk import Trunk
from tintype.objectives import Bins, Histograms, Objective, Regression


class ExportError(ValueError):
    """Weights cannot be made into a bundle. The message is one line for people."""


def load(source: Path, out: Path) -> tuple[Network, dict[str, Any], Path]:
    """The network of a run's folder or weights file, with the metadata, and that file."""
    path = source / "weights.safetensors" if source.is_dir() else source
    if not out.parent.is_dir():
        raise ExportError(f"{out}: there is no folder {out.parent}")
    try:
        tensors, metadata = load_weights(path)
    except ValueError as error:
        hint = "; has the run finished?" if source.is_dir() and not path.exists() else ""
        raise ExportError(f"{error}{hint}") from error
    try:
        network = build_network(
            metadata["trunk"],
            metadata["head"],
            metadata["channels"],
            in_chans=metadata["in_chans"],
            **metadata["head_options"],
        )
        network.load_state_dict(tensors)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ExportError(f"{path}: the network cannot be rebuilt from its metadata ({reason:.200})") from error
    return network, metadata, path


def load_trunk(source: Path, out: Path) -> tuple[Trunk, dict[str, Any]]:
    """The trunk of a run's folder or weights file, of colorization or classification, with the metadata."""
    path = source / "weights.safetensors" if source.is_dir() else source
    with contextlib.suppress(ValueError):  # which `load` tells
        tensors, metadata = load_weights(path)
        if metadata.get("objective") == "classification":
            trunk = build_trunk(metadata["trunk"], metadata["in_chans"])
            own = {name.removeprefix("trunk."): value for name, value in tensors.items() if name.startswith("trunk.")}
            trunk.load_state_dict(own)
            return trunk, metadata
    network, metadata, _ = load(source, out)
    return network.trunk, metadata


def average(network: Network, other: Network, share: float, path: Path) -> None:
    """Average a network's weights with another's, in place; `share` is its own."""
    own, theirs = network.state_dict(), other.state_dict()
    strange = [name for name in own.keys() | theirs.keys() if name not in own or name not in theirs]
    strange += [name for name in own if name in theirs and own[name].shape != theirs[name].shape]
    if strange:
        raise ExportError(f"{path}: another network's weights, which cannot be averaged with (first at {min(strange)})")
    for name, value in own.items():
        if value.is_floating_point():
            value.lerp_(theirs[name], 1 - share)


def objective_of(metadata: Mapping[str, Any]) -> Objective:
    if metadata["objective"] == "histograms":
        return Histograms(**metadata["objective_options"])
    return Bins() if metadata["objective"] == "bins" else Regression()


def undo_rebalancing(network: Network, metadata: Mapping[str, Any], share: float) -> None:
    if "rarity" not in metadata:
        raise ValueError("trained without rebalancing, or before its weights were kept")
    with torch.no_grad():
        bias = network.head.predict.bias
        assert bias is not None
        bias -= share * torch.tensor(metadata["rarity"]).log()
