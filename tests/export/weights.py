"""Weights of small networks that have learned nothing, as a run leaves them."""

import torch

from export.metadata import METADATA
from tintype.networks import build_network, save_weights


def make_weights(path, objective="bins", trunk=METADATA["trunk"], head="pyramid", extra=None, **options):
    torch.manual_seed(0)
    channels = {"bins": 313, "regression": 2, "histograms": 16}[objective]
    network = build_network(trunk, head, channels, **options)
    with torch.no_grad():
        network(torch.rand(4, 1, 64, 64) * 100)  # running statistics unlike the initial ones
        network.head.predict.weight.mul_(20)
    network.eval()
    described = {"trunk": trunk, "head": head, "head_options": options, "objective": objective, "channels": channels}
    save_weights(path, network.state_dict(), {**METADATA, **described, **(extra or {})})
    return network
