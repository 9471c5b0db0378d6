"""Exponential moving average of weights."""

import copy

import torch
from torch import nn


class WeightAverage:
    """Keeps an exponential moving average of a network's weights.

    The decay is min(decay, (1 + updates) / (10 + updates)), so that a short run does not keep its random start.
    Batch-norm's running statistics are averaged as the weights are; whole numbers are copied.

    Args:
        network: what to average. Its weights must stay where they are in memory from here on.
        decay: share of the old average kept at each update, in (0, 1).

    Attributes:
        network: a copy of the network with the averaged weights, in evaluation mode.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the network's weights after another update, the `updates`-th (from 1)."""
        decay = min(self.decay, (1 + updates) / (10 + updates))
        averages, values = zip(*self._averaged, strict=True)
        torch._foreach_lerp_(averages, values, 1 - decay)
        for average, value in self._copied:
            average.copy_(value)
