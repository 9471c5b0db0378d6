"""From trained weights to the ONNX bundle that `tintype.runtime` runs."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import helper
from torch import nn
from torch.nn import functional as F

from tintype.color import lightness_to_grey
from tintype.export.graphs import TwoViews, entropy_of, make_graph
from tintype.export.onnx_file import halve_weights, to_onnx
from tintype.export.weights import ExportError, average, load, objective_of, undo_rebalancing
from tintype.networks import Network
from tintype.networks.surgery import fold_batch_norm
from tintype.objectives import Bins, Histograms, Objective
from tintype.runtime.atomic import write_atomically

BLOCK = 32
"""Height and width of the bundle's input are multiples of this; of twice this where two views are averaged."""

_HALF_TOLERANCE = 0.5  # in ab: half the step between neighbouring 8-bit Lab values
_TOLERANCE = 1e-2  # between ONNX Runtime and torch, same weights


def export(
    source: Path,
    out: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    half_weights: bool | None = None,
    rebalance: float = 1.0,
    two_views: bool = False,
    blend: Path | None = None,
    share: float = 0.5,
) -> dict[str, float]:
    """Write the ONNX bundle of trained weights, after checking that it gives what torch gives.

    Args:
        source: a run's folder, or its weights.safetensors.
        out: the .onnx file; replaced if it exists, but only by a whole and checked one.
        overrides: metadata to put in place of the weights' own: name, license, figures, previous (figures of the model
            that this one replaces), data, input_size, temperature.
        half_weights: store weights as float16, at half the size; they are computed with in float32. None: where that
            changes ab by less than 0.5.
        rebalance: share of the training's class rebalancing to keep in what is predicted. Trained with weights w, a
            network predicts p w / Σ p w in place of the colours' true distribution p; the bundle predicts
            p w^rebalance, normalised. 0 gives p itself: safe, greyer colours.
        two_views: average the prediction with that of the mirrored picture at half the size (`TwoViews`).
        blend: weights that `source` was trained further from, to be averaged with: the average often keeps what both
            are good at (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
        share: of `source` in that average, in [0, 1].

    Returns:
        "ab": the largest difference in ab between ONNX Runtime and torch on a random input; "half": the one that
        float16 weights make; "bytes": the file's size.

    Raises:
        ExportError: the weights cannot be read or rebuilt, or the bundle does not give what torch gives.
        OSError: the file cannot be written.
    """
    network, metadata, path = load(source, out)
    if blend is not None:
        average(network, load(blend, out)[0], share, blend)
    try:
        objective = objective_of(metadata)
        if rebalance != 1:
            undo_rebalancing(network, metadata, 1 - rebalance)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ExportError(f"{path}: the network cannot be rebuilt from its metadata ({reason:.200})") from error

    if isinstance(objective, Histograms) and objective.decoding == "sample":
        raise ExportError(f"{path}: a bundle cannot draw colours; choose another objective.decoding than sample")
    if two_views and metadata["ab_origin"] != metadata["stride"] / 2:
        raise ExportError(f"{path}: two views fall on each other only after `sampling: mean`, without histograms")
    if BLOCK % network.multiple:
        raise ExportError(f"{path}: a bundle is for multiples of {BLOCK} pixels, its trunk of {network.multiple}")
    looking = TwoViews(network) if two_views else network
    multiple = 2 * BLOCK if two_views else BLOCK
    seen = metadata.get("input", "lightness")
    expected = _Expected(looking.eval(), objective, seen)
    # ONNX's own optimizer leaves batch-norms after convolutions whose weights are used twice.
    fold_batch_norm(network, torch.full((1, 1, 2 * BLOCK, 2 * BLOCK), 50.0))
    graph = make_graph(looking, objective, seen).eval()
    model = to_onnx(graph, multiple, graph.outputs)
    described = {**_bundle_metadata({**metadata, **(overrides or {})}), "multiple": multiple}
    helper.set_model_props(model, {"tintype": json.dumps(described)})
    model.producer_name, model.producer_version = "tintype", described["versions"].get("tintype", "")

    full = model.SerializeToString()
    difference = expected.difference(full)
    if not difference < _TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and torch differ by {difference:.3g} in ab; nothing was written")
    halve_weights(model)
    half = model.SerializeToString()
    half_difference = expected.difference(half)
    if half_weights is None:
        half_weights = half_difference < _HALF_TOLERANCE
    write_atomically(out, lambda file: file.write(half if half_weights else full), overwrite=True)
    return {"ab": difference, "half": half_difference, "bytes": out.stat().st_size}


class _Expected:
    """What torch makes of two random pictures, to hold bundles against."""

    def __init__(self, network: Network | TwoViews, objective: Objective, seen: str):
        random = torch.Generator().manual_seed(0)
        self.temperature = np.array(Bins.temperature, dtype=np.float32)
        self.cases: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]] = []
        for height, width in ((64, 128), (192, 128)):
            # Soft shapes with a little grain, nearer to a photograph than white noise is.
            shapes = torch.rand(1, 1, height // 16, width // 16, generator=random)
            lightness = 90 * nn.functional.interpolate(shapes, size=(height, width), mode="bilinear")
            lightness += 10 * torch.rand(lightness.shape, generator=random)
            with torch.no_grad():
                grey = lightness_to_grey(lightness)
                prediction = network(100 * grey if seen == "mean" else lightness)
                ab = objective.decode(prediction, float(self.temperature), grey=F.avg_pool2d(grey, network.stride))
                spread = entropy_of(objective, prediction)
            self.cases.append((lightness.numpy(), ab.numpy(), spread.numpy()))

    def difference(self, bundle: bytes) -> float:
        """The largest difference in ab (and in entropy, if that is larger) that a bundle makes."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(bundle, options, providers=["CPUExecutionProvider"])
        worst = 0.0
        for lightness, *expected in self.cases:
            given = session.run(["ab", "entropy"], {"lightness": lightness, "temperature": self.temperature})
            for a, b in zip(given, expected, strict=True):
                if a.shape != b.shape:
                    return math.inf
                worst = max(worst, float(np.nan_to_num(np.abs(a - b), nan=math.inf).max()))
        return worst


def _bundle_metadata(weights: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that a bundle carries, from that of the weights."""
    keys = "format name trunk head head_options objective input_size stride ab_origin temperature recipe data steps"
    described = {key: weights[key] for key in keys.split()}
    return {
        **described,
        "versions": weights["versions"],
        "license": weights.get("license", "unknown"),
        "figures": weights.get("figures", {}),
        "previous": weights.get("previous", {}),
    }
