"""What is exported: trained weights, read and changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tintype.networks import Network, load_weights
from tintype.networks.trained import rebuild_network, rebuild_trunk, weights_of
from tintype.networks.trunk import Trunk
from tintype.objectives import Bins, Histograms, Objective, Regression


class ExportError(ValueError):
    """Weights cannot be made into a bundle. The message is one line for people."""


def load(source: Path, out: Path) -> tuple[Network, dict[str, Any], Path]:
    """The network of a run's folder or weights file, with the metadata, and that file."""
    path, tensors, metadata = _read(source, out)
    if metadata.get("objective") == "autoencoder":
        raise ExportError(f"{path}: an autoencoder of lightness, which knows no colours; --trunk exports its trunk")
    try:
        return rebuild_network(tensors, metadata), metadata, path
    except ValueError as error:
        raise ExportError(f"{path}: {error}") from error


def load_trunk(source: Path, out: Path) -> tuple[Trunk, dict[str, Any]]:
    """The trunk of a run's folder or weights file, of colorization, classification or transfer, with the metadata."""
    path, tensors, metadata = _read(source, out)
    try:
        return rebuild_trunk(tensors, metadata), metadata
    except ValueError as error:
        raise ExportError(f"{path}: {error}") from error


def _read(source: Path, out: Path) -> tuple[Path, dict[str, Tensor], dict[str, Any]]:
    path = weights_of(source)
    if not out.parent.is_dir():
        raise ExportError(f"{out}: there is no folder {out.parent}")
    try:
        return path, *load_weights(path)
    except ValueError as error:
        hint = "; has the run finished?" if source.is_dir() and not path.exists() else ""
        raise ExportError(f"{error}{hint}") from error


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
