"""From trained weights to the ONNX bundle that `tintype.runtime` runs."""

import contextlib
import io
import json
import logging
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import bin_centres, lightness_to_grey
from tintype.color.encoding import entropy
from tintype.networks import Network, build_network, load_weights
from tintype.networks.published import plain_trunk
from tintype.networks.surgery import fold_batch_norm
from tintype.objectives import Bins, Histograms, Objective, Regression

OPSET = 18
BLOCK = 32
"""Height and width of the bundle's input are multiples of this; of twice this where two views are averaged."""

_HALF_TOLERANCE = 0.5  # in ab: half the step between neighbouring 8-bit Lab values
_TOLERANCE = 1e-2  # between ONNX Runtime and torch, same weights


class ExportError(ValueError):
    """Weights cannot be made into a bundle. The message is one line for people."""


class TwoViews(nn.Module):
    """What a network predicts for a picture, averaged with that for the picture's mirror image at half the size.

    Test-time augmentation, at a quarter more of the network's time: mistakes that hang on the size or on the side
    cancel out, and the small view sees more of the scene at once. Logits are averaged, so probabilities geometrically.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.head, self.stride = network.head, network.stride  # `BinsBundle` takes the head's last layer away
        self.network = network

    def forward(self, lightness: Tensor) -> Tensor:
        small = self.network(F.avg_pool2d(lightness, 2).flip(3)).flip(3)
        average: Tensor = (self.network(lightness) + F.interpolate(small, scale_factor=2.0, mode="bilinear")) / 2
        return average


class BinsBundle(nn.Module):
    """A classifier over the 313 bins, its annealed mean and its entropy as one graph, in float32 throughout.

    The last 1x1 convolution is done as a matrix product with the channels last, where softmax wants them.
    """

    centres: Tensor
    ones: Tensor

    def __init__(self, network: Network | TwoViews):
        super().__init__()
        predict = network.head.predict
        self.weight = nn.Parameter(predict.weight.detach().flatten(1).T.contiguous())
        assert predict.bias is not None
        self.bias = nn.Parameter(predict.bias.detach().clone())
        network.head.predict = nn.Identity()  # type: ignore[assignment]
        self.network: nn.Module = network
        self.register_buffer("centres", torch.from_numpy(bin_centres()))
        self.register_buffer("ones", torch.ones(Bins.channels, 1))

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.network(lightness).permute(0, 2, 3, 1) @ self.weight + self.bias
        ab = torch.softmax(logits / temperature, dim=-1) @ self.centres
        p = torch.softmax(logits, dim=-1)
        # H = log Σ exp(z - E[z]): no term can overflow, for the sum is e^H, at most 313. ONNX Runtime's LogSoftmax and
        # Log are slow enough to take half of the whole network's time.
        mean = (p * logits) @ self.ones
        spread = ((logits - mean).exp() @ self.ones).log()
        return ab.permute(0, 3, 1, 2), spread.permute(0, 3, 1, 2)


class RegressionBundle(nn.Module):
    """A regression as the same graph: the temperature changes nothing and the entropy is 0."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        ab = Regression.scale * self.network(lightness)
        return ab, ab[:, :1] * 0 + temperature * 0


class HistogramsBundle(nn.Module):
    """Histograms of hue and chroma as the same graph: decoded upon the picture's own grey.

    The entropy is that of both together, at most 2 log K.
    """

    def __init__(self, network: nn.Module, objective: Histograms, stride: int):
        super().__init__()
        self.network, self.objective, self.stride = network, objective, stride

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        prediction = self.network(lightness)
        grey = F.avg_pool2d(lightness_to_grey(lightness), self.stride)
        ab = self.objective.decode(prediction, temperature, grey=grey)
        return ab, _entropy(self.objective, prediction)


class GreyInput(nn.Module):
    """A network that was trained on (R + G + B) / 3, fed with the CIE's lightness.

    Of a grey photograph the lightness says exactly what that mean is, as it does of the photographs that are colorized
    for good. Of a colour photograph that is colorized anew to be measured it does not: a saturated blue has a mean of
    .33 and the lightness of a grey of .30. There the network sees what a black-and-white print of the photograph would
    show it, not what it was trained on.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> Tensor:
        prediction: Tensor = self.network(100 * lightness_to_grey(lightness))
        return prediction


def _entropy(objective: Objective, prediction: Tensor) -> Tensor:
    """(B, 1, h, w), in nats."""
    if isinstance(objective, Bins):
        return entropy(prediction)
    if isinstance(objective, Histograms):
        hue, chroma = prediction.chunk(2, dim=1)
        return entropy(hue) + entropy(chroma)
    return torch.zeros_like(prediction[:, :1])


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
    network, metadata, path = _load(source, out)
    if blend is not None:
        _blend(network, _load(blend, out)[0], share, blend)
    try:
        objective = _objective(metadata)
        if rebalance != 1:
            _undo_rebalancing(network, metadata, 1 - rebalance)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ExportError(f"{path}: the network cannot be rebuilt from its metadata ({reason:.200})") from error

    if isinstance(objective, Histograms) and objective.decoding == "sample":
        raise ExportError(f"{path}: a bundle cannot draw colours; choose another objective.decoding than sample")
    if two_views and metadata["ab_origin"] != metadata["stride"] / 2:
        raise ExportError(f"{path}: two views fall on each other only for networks trained with `sampling: mean`")
    looking = TwoViews(network) if two_views else network
    multiple = 2 * BLOCK if two_views else BLOCK
    seen = metadata.get("input", "lightness")
    expected = _Expected(looking.eval(), objective, seen)
    # ONNX's own optimizer leaves batch-norms after convolutions whose weights are used twice.
    fold_batch_norm(network, torch.full((1, 1, 2 * BLOCK, 2 * BLOCK), 50.0))
    model = _to_onnx(_bundle(looking, objective, seen).eval(), multiple)
    described = {**_bundle_metadata({**metadata, **(overrides or {})}), "multiple": multiple}
    helper.set_model_props(model, {"tintype": json.dumps(described)})
    model.producer_name, model.producer_version = "tintype", described["versions"].get("tintype", "")

    full = model.SerializeToString()
    difference = expected.difference(full)
    if not difference < _TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and torch differ by {difference:.3g} in ab; nothing was written")
    _halve_weights(model)
    half = model.SerializeToString()
    half_difference = expected.difference(half)
    if half_weights is None:
        half_weights = half_difference < _HALF_TOLERANCE
    _write(out, half if half_weights else full)
    return {"ab": difference, "half": half_difference, "bytes": out.stat().st_size}


def export_trunk(source: Path, out: Path, rgb: bool = False) -> str:
    """Write a trained trunk as a plain state dict, for use without tintype.

    Args:
        source: a run's folder, or its weights.safetensors.
        out: a .safetensors, .pth or .pt file; replaced if it exists.
        rgb: copy the first layer's filters to three channels and divide them by 3.

    Returns:
        What loads it, and what its input is, in words.

    Raises:
        ExportError: the weights cannot be read or rebuilt, or `out` has another ending.
        OSError: the file cannot be written.
    """
    if out.suffix not in (".safetensors", ".pth", ".pt"):
        raise ExportError(f"{out}: a trunk is written as .safetensors, .pth or .pt")
    network, metadata, _ = _load(source, out)
    state, what = plain_trunk(network.trunk, rgb)
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    seen = {"mean": "(R + G + B) / 3", "lightness": "L of CIE Lab / 100"}[metadata.get("input", "lightness")]
    mean, std = network.trunk.mean / 100, network.trunk.std / 100
    if metadata["trunk"] == "zhang16":
        mean, std = 0.5, 1.0
    words = f"{what}; input: (x - {mean:.4g}) / {std:.4g}, x = {seen} in [0, 1]"
    if out.suffix == ".safetensors":
        _write(out, save(state, metadata={"format": "pt", "use": words}))
    else:
        file = io.BytesIO()
        torch.save(state, file)
        _write(out, file.getvalue())
    return words


def _load(source: Path, out: Path) -> tuple[Network, dict[str, Any], Path]:
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


def _blend(network: Network, other: Network, share: float, path: Path) -> None:
    """Average a network's weights with another's, in place; `share` is its own."""
    own, theirs = network.state_dict(), other.state_dict()
    strange = [name for name in own.keys() | theirs.keys() if name not in own or name not in theirs]
    strange += [name for name in own if name in theirs and own[name].shape != theirs[name].shape]
    if strange:
        raise ExportError(f"{path}: another network's weights, which cannot be averaged with (first at {min(strange)})")
    for name, value in own.items():
        if value.is_floating_point():
            value.lerp_(theirs[name], 1 - share)


def _objective(metadata: Mapping[str, Any]) -> Objective:
    if metadata["objective"] == "histograms":
        return Histograms(**metadata["objective_options"])
    return Bins() if metadata["objective"] == "bins" else Regression()


def _bundle(network: Network | TwoViews, objective: Objective, seen: str) -> nn.Module:
    """The graph that a bundle holds. `seen` is the network's input: `lightness`, or `mean` of the channels."""
    if isinstance(objective, Bins):
        bundle = BinsBundle(network)
        if seen == "mean":
            bundle.network = GreyInput(network)
        return bundle
    looking = GreyInput(network) if seen == "mean" else network
    if isinstance(objective, Histograms):
        return HistogramsBundle(looking, objective, network.stride)
    return RegressionBundle(looking)


def _undo_rebalancing(network: Network, metadata: Mapping[str, Any], share: float) -> None:
    if "rarity" not in metadata:
        raise ValueError("trained without rebalancing, or before its weights were kept")
    with torch.no_grad():
        bias = network.head.predict.bias
        assert bias is not None
        bias -= share * torch.tensor(metadata["rarity"]).log()


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
                spread = _entropy(objective, prediction)
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


def _to_onnx(bundle: nn.Module, multiple: int) -> onnx.ModelProto:
    height, width = torch.export.Dim("height", min=1, max=4096), torch.export.Dim("width", min=1, max=4096)
    # Sides that no dimension of the network equals, so that the exporter mistakes neither for a constant.
    example = torch.rand(1, 1, 5 * multiple, 7 * multiple) * 100, torch.tensor(0.38)
    with _quiet():
        program = torch.onnx.export(
            bundle,
            example,
            dynamo=True,
            input_names=["lightness", "temperature"],
            output_names=["ab", "entropy"],
            dynamic_shapes={"lightness": {2: multiple * height, 3: multiple * width}, "temperature": {}},
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    del model.metadata_props[:]
    for node in model.graph.node:  # where in the source each node comes from: as large as a small network's weights
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress, warnings and logging to itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store the large tensors as float16, each followed by a Cast, which ONNX Runtime does once, on loading."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) < 256:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor)
        if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


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


def _write(path: Path, data: bytes) -> None:
    """Write a file that is whole or absent."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
