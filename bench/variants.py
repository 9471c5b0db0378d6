"""A bundle stored and computed in other precisions: file size, network time and quality beside float32.

    taskset -c 1 env OMP_NUM_THREADS=1 python bench/variants.py PHOTOGRAPHS [--model bundled] [--prior prior_probs.npy]

Measured on photographs that the bundled model's recipe holds out of PHOTOGRAPHS (a folder, list or tar); static
quantization is calibrated on others. Time is that of one run of the network on a square of about 160 pixels, the least
of many in turns: on one thread the processor's time, on two the clock's, where the process may use two cores. "off" is
how far the network's ab is from float32's, in CIE ab units, over all cells of all photographs.

Where products are of int8, weights have 7 bits: processors without VNNI add two products of 8 bits in 16, which
overflows without a word. A bundle that stores float16 is widened to float32; what that rounding cost shows only in one
made with `tintype export --full`.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from tqdm import tqdm

from _held_out import photographs
from _machine import describe
from tintype.color import rebalancing_weights, smoothed_prior
from tintype.evaluate import Photograph, Summary, read_prior
from tintype.evaluate.colour_error import count_bins
from tintype.evaluate.figures import FIGURES, NOTHING
from tintype.evaluate.measure import measure, true_colours
from tintype.evaluate.suite import as_json
from tintype.export.onnx_file import halve_weights
from tintype.runtime import Colorizer, Model
from tintype.runtime.buffers import Plane
from tintype.runtime.model import load_model
from tintype.runtime.strips import cores

SIDE = 160
ROUNDS = 60
CLOSE = 0.5  # in ab: half the step between neighbouring 8-bit Lab values; what `tintype export` asks of float16
MEASURES = ("auc", "auc_rebalanced_per_image", "psnr", "colourfulness")
PREDICTION = {"MatMul", "Softmax", "Mul", "Div", "Sub", "Exp", "Log"}  # of the 313 bins, their mean and their entropy
FULL = "fp32"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", help="folder, list or tar, as the recipe has it")
    parser.add_argument("--count", type=int, default=200, help="photographs to measure on")
    parser.add_argument("--calibrate", type=int, default=100, help="photographs to calibrate on")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--prior", type=Path, help="of the rebalanced figures [default: counted from what is measured]")
    args = parser.parse_args()

    model = load_model(args.model, threads=1)
    few, many = photographs(args.photographs, args.calibrate, args.count)
    counts = np.sum([count_bins(one.true) for one in many], axis=0)
    prior = read_prior(args.prior) if args.prior else smoothed_prior(counts)
    print(describe("onnx", "onnxruntime"))
    with tempfile.TemporaryDirectory() as place:
        files = make_all(model, inputs_of(model, few), Path(place))
        side = model.multiple * math.ceil(SIDE / model.multiple)
        print(
            f"{model.name}, calibrated on {len(few)} photographs, measured on {len(many)} others, network at {side}²\n"
        )
        times = {threads: seconds(files, side, threads) for threads in (1, 2) if threads <= cores()}
        figures, off = quality(files, many, rebalancing_weights(prior, uniform=0.0))
        show(files, times, figures, off)


def make_all(model: Model, inputs: list[dict[str, Any]], place: Path) -> dict[str, Path]:
    """Every variant as a bundle in a folder, by name."""
    full, prepared = place / "full.onnx", place / "prepared.onnx"
    onnx.save(widened(onnx.load(model.path)), full)
    quant_pre_process(full, prepared, skip_symbolic_shape=True)
    operators = {node.op_type for node in onnx.load(prepared).graph.node}

    def static(out: Path, per_channel: bool, kept: set[str]) -> None:
        quantize_static(
            prepared,
            out,
            Inputs(inputs),
            quant_format=QuantFormat.QDQ,
            per_channel=per_channel,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=sorted(operators - kept),
        )

    makers: dict[str, Callable[[Path], None]] = {
        FULL: lambda out: onnx.save(onnx.load(full), out),
        "fp16 weights, computed in fp32": lambda out: onnx.save(halved(onnx.load(full)), out),
        "int8 weights per channel, computed in fp32": lambda out: onnx.save(in_bytes(onnx.load(full)), out),
        "int8 dynamic": lambda out: quantize_dynamic(
            prepared, out, per_channel=True, reduce_range=True, weight_type=QuantType.QUInt8
        ),
        "int8 static, per tensor": lambda out: static(out, False, PREDICTION),
        "int8 static, per channel": lambda out: static(out, True, PREDICTION),
        "int8 static, per channel, prediction too": lambda out: static(out, True, set()),
    }
    files = {}
    for number, (name, make) in enumerate(makers.items()):
        files[name] = place / f"{number}.onnx"
        make(files[name])
        made = onnx.load(files[name])
        described = {entry.key: entry.value for entry in onnx.load(full).metadata_props}
        helper.set_model_props(made, described)  # the quantizers drop or add to it
        onnx.save(made, files[name])
    return files


def widened(model: ModelProto) -> ModelProto:
    """A bundle with its float16 weights stored as float32."""
    casts = {node.input[0]: node for node in model.graph.node if node.op_type == "Cast"}
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            cast = casts[tensor.name]
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, cast.output[0]))
            model.graph.node.remove(cast)
    return model


def halved(model: ModelProto) -> ModelProto:
    """A bundle with its weights stored as float16, as `tintype export` does it."""
    halve_weights(model)
    return model


def in_bytes(model: ModelProto) -> ModelProto:
    """A bundle with its weights stored as int8 and a scale per channel, which ONNX Runtime multiplies on loading."""
    before = []
    matrices = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.ndim < 2 or values.size < 256:
            continue
        name, channel = tensor.name, values.ndim - 1 if tensor.name in matrices else 0
        others = tuple(axis for axis in range(values.ndim) if axis != channel)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / np.float32(127)
        tensor.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}.bytes"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        before += [
            helper.make_node("Cast", [f"{name}.bytes"], [f"{name}.whole"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name]),
        ]
    nodes = [*before, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


class Inputs(CalibrationDataReader):
    """What the quantizer is to run the network on."""

    def __init__(self, inputs: Sequence[dict[str, Any]]):
        self._rest: Iterator[dict[str, Any]] = iter(inputs)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._rest, None)


class _Recorder:
    """A session that remembers what it was given."""

    def __init__(self, session: Any):
        self._session, self.inputs = session, list[dict[str, Any]]()

    def run(self, outputs: list[str], inputs: dict[str, Any]) -> Any:
        self.inputs.append(inputs)
        return self._session.run(outputs, inputs)


def inputs_of(model: Model, few: list[Photograph]) -> list[dict[str, Any]]:
    """What a model is given to colorize photographs."""
    colorizer = Colorizer(model.path, threads=1)
    recorder = _Recorder(colorizer.model._session)
    colorizer.model = replace(colorizer.model, _session=recorder)
    for one in few:
        colorizer.predict(one.grey)
    return recorder.inputs


def seconds(files: dict[str, Path], side: int, threads: int) -> dict[str, float]:
    """Least time of one run on so many threads, by name."""
    models = {name: load_model(path, threads) for name, path in files.items()}
    clock = time.process_time if threads == 1 else time.perf_counter
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 1, side, side)).astype(np.float32)
    took = dict.fromkeys(files, math.inf)
    for _ in range(ROUNDS):
        for name, model in models.items():
            start = clock()
            model.run(lightness)
            took[name] = min(took[name], clock() - start)
    return took


def quality(
    files: dict[str, Path], many: list[Photograph], weights: np.ndarray
) -> tuple[dict[str, dict[str, float]], dict[str, tuple[float, float]]]:
    """Figures as `tintype evaluate` has them, by name, with those of grey and true; and mean and largest distance."""
    colorizers = {name: Colorizer(path, threads=1) for name, path in files.items()}
    summary = Summary(["grey", *files, "ground-truth"], resamples=0)
    sums, largest, cells = dict.fromkeys(files, 0.0), dict.fromkeys(files, 0.0), 0
    for number, one in enumerate(tqdm(many, disable=None)):
        colours = list(true_colours(one.true, weights))
        made = {"grey": np.repeat(one.grey[..., None], 3, axis=-1), "ground-truth": one.true}
        full: Plane | None = None
        for name, colorizer in colorizers.items():
            ab = colorizer.predict(one.grey).ab
            full = ab if full is None else full  # FULL comes first
            distance = np.hypot(*(ab - full))
            sums[name] += float(distance.sum())
            largest[name] = max(largest[name], float(distance.max()))
            made[name] = np.asarray(colorizer(Image.fromarray(one.grey)))
        cells += distance.size
        measured = {name: measure(one.true, picture, colours) for name, picture in made.items()}
        summary.add(
            {
                "photograph": str(number),
                "colourfulness": measured["ground-truth"].colourfulness,
                "methods": {name: as_json(it) for name, it in measured.items()},
            }
        )
    figures = {name: {key: value[0] for key, value in row.items()} for name, row in summary.figures().items()}
    return figures, {name: (sums[name] / cells, largest[name]) for name in files}


def show(
    files: dict[str, Path],
    times: dict[int, dict[str, float]],
    figures: dict[str, dict[str, float]],
    off: dict[str, tuple[float, float]],
) -> None:
    heads = [
        "",
        "MB",
        "ms, 1 thread",
        "ms, 2 threads",
        *(FIGURES[key].label for key in MEASURES),
        "off, mean",
        "largest",
    ]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for name, row in figures.items():
        cells = [name, *[""] * 3, *(FIGURES[key].text(row[key]) for key in MEASURES), "", ""]
        if name in files:
            each = [f"{1e3 * times[n][name]:.1f}" if n in times else NOTHING for n in (1, 2)]
            cells[1:4] = [f"{files[name].stat().st_size / 1e6:.2f}", *each]
            cells[-2:] = [f"{value:.2f}" for value in off[name]]
        print("| " + " | ".join(cells) + " |")
    close = [name for name in files if off[name][1] < CLOSE]
    smallest = min(close, key=lambda name: files[name].stat().st_size)
    print(f"\nsmallest of those within {CLOSE} of {FULL} everywhere: {smallest}")


if __name__ == "__main__":
    main()
