"""The bundled network in PyTorch, float32: what a loop of one's own would run."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tintype.export.graphs import TwoViews, make_graph
from tintype.networks.bundle import read_bundle
from tintype.objectives import Bins
from tintype.runtime import Colorizer


class Session:
    """Answers as an ONNX Runtime session of the bundle does."""

    def __init__(self, graph: torch.nn.Module):
        self._graph = graph

    @torch.inference_mode()
    def __call__(self, lightness: Tensor, temperature: float) -> Tensor:
        """ab, (1, 2, h, w), of CIE L, (1, 1, H, W)."""
        ab: Tensor = self._graph(lightness, torch.tensor(temperature))[0]
        return ab

    @torch.inference_mode()
    def run(self, names: list[str], inputs: dict[str, Any]) -> list[np.ndarray]:
        given = [torch.from_numpy(np.asarray(inputs[name])) for name in ("lightness", "temperature")]
        outputs = dict(zip(("ab", "entropy", "logits"), self._graph(*given), strict=True))
        return [outputs[name].numpy() for name in names]


def torch_session(colorizer: Colorizer) -> Session:
    """The network of a colorizer's bundle, checked against it.

    Raises:
        SystemExit: they differ.
    """
    model = colorizer.model
    network, _ = read_bundle(model.path)
    looking = TwoViews(network) if model.multiple > 32 else network
    session = Session(make_graph(looking, Bins(), "lightness").eval())
    seen = np.random.default_rng(0).uniform(0, 100, (1, 1, 128, 192)).astype(np.float32)
    difference = np.abs(replace(model, _session=session).run(seen)[0] - model.run(seen)[0]).max()
    if difference > 0.5:
        raise SystemExit(f"the network in PyTorch is another: ab differs by {difference:.2f}")
    return session
