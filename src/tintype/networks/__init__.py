"""Trunks, heads, surgery and weight files. Knows nothing of colour."""

from tintype.networks.network import HEADS, TRUNKS, Network, build_network, build_trunk
from tintype.networks.weights import load_weights, save_weights

__all__ = ["HEADS", "TRUNKS", "Network", "build_network", "build_trunk", "load_weights", "save_weights"]
