"""A bundle stored and computed in other precisions (`tintype compress`): file, time and quality.

    OMP_NUM_THREADS=1 python bench/precision.py EVALUATION --calibrate PHOTOGRAPHS [--prior P.npy] [--labels L.json]

Quality is that of `tintype evaluate EVALUATION`. Ranges are taken from photographs that the bundled model's recipe
holds out of PHOTOGRAPHS (a folder, list or tar). "off" is how far the network's ab is from that of the model itself, in
CIE ab units, over all cells of scikit-image's and scikit-learn's photographs. Time is the processor's for one run of
the network on one thread, the least of many in turns, as a share of the model's own. The last rows are what `tintype
compress` does not do, not evaluated; "of all": the first convolutions too.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from tqdm import tqdm

from _machine import describe
from _photograph import free_photographs
from tintype.data import open_photos
from tintype.evaluate import Options, run
from tintype.evaluate.figures import FIGURES, NOTHING
from tintype.evaluate.photograph import grey_of
from tintype.export import compress
from tintype.export.precision import round_weights_to_bytes, widen_weights
from tintype.export.quantization import calibration_inputs, quantize
from tintype.pretrain import load_recipe
from tintype.runtime import Colorizer, Model
from tintype.runtime.model import load_model

ROUNDS = 60
MEASURES = ("auc", "auc_rebalanced_per_image", "psnr", "neutral_chroma", "agreement", "colourfulness")
MADE = ("int8-weights", "int8")
OTHERS = ("fp32", "int8-weights of all", "int8 of all", "int8 dynamic", "fp16 throughout")  # not evaluated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluation", type=Path, help="folder of photographs to measure on")
    parser.add_argument("--calibrate", required=True, help="folder, list or tar, as the recipe has it")
    parser.add_argument("--count", type=int, default=100, help="photographs to calibrate on")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--prior", type=Path, help="as of `tintype evaluate`")
    parser.add_argument("--labels", type=Path, help="as of `tintype evaluate`")
    args = parser.parse_args()

    model = load_model(args.model, threads=1)
    print(describe("onnx", "onnxruntime"))
    with tempfile.TemporaryDirectory() as place:
        held_out = hold_out(args.calibrate, Path(place) / "held-out")
        files = {args.model: model.path} | made(model, held_out, args.count, Path(place))
        shares = times(files, model.multiple * math.ceil(model.input_size / model.multiple))
        off = distances(files)
        done = run(
            args.evaluation,
            Options(
                models=tuple(str(files[name]) for name in (args.model, *MADE)), prior=args.prior, labels=args.labels
            ),
            lambda paths, words: tqdm(paths, desc=words, disable=None),
        ).result
        show(files, shares, off, done)


def hold_out(photographs: str, place: Path) -> str:
    """A folder of the photographs that the recipe holds out."""
    place.mkdir()
    _, held_out = open_photos([photographs]).split(load_recipe("bundled", ()).data.val_fraction)
    for number in np.random.default_rng(0).permutation(len(held_out))[:500]:
        photo = held_out[int(number)]
        (place / f"{number}.jpg").write_bytes(photo.read())
    return str(place)


def made(model: Model, calibrate: str, count: int, place: Path) -> dict[str, Path]:
    """Every variant as a bundle in a folder, by name."""
    full = onnx.load(model.path)
    described = {entry.key: entry.value for entry in full.metadata_props}
    widen_weights(full)
    files = {name: place / f"{name}.onnx" for name in (*MADE, *OTHERS)}
    onnx.save(full, files["fp32"])
    compress(model.path, files["int8-weights"], "int8-weights")
    compress(model.path, files["int8"], "int8", calibrate, count)
    inputs = calibration_inputs(model, open_photos([calibrate]), count)
    everything = quantize(full, inputs, model.temperature, spared=0)
    onnx.save(everything, files["int8 of all"])
    in_bytes = onnx.load(files["fp32"])
    round_weights_to_bytes(in_bytes, spared=0)
    onnx.save(in_bytes, files["int8-weights of all"])
    quant_pre_process(files["fp32"], place / "prepared.onnx", skip_symbolic_shape=True)
    dynamic = {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QUInt8}
    quantize_dynamic(place / "prepared.onnx", files["int8 dynamic"], **dynamic)
    throughout = convert_float_to_float16(full, keep_io_types=True, disable_shape_infer=True)
    onnx.save(throughout, files["fp16 throughout"])
    for name in OTHERS[1:]:
        other = onnx.load(files[name])
        helper.set_model_props(other, described)
        onnx.save(other, files[name])
    return files


def times(files: dict[str, Path], side: int) -> dict[str, float]:
    """Least processor time of one run on one thread, in seconds, by name."""
    models = {name: load_model(path, 1) for name, path in files.items()}
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 1, side, side)).astype(np.float32)
    took = dict.fromkeys(files, math.inf)
    for _ in range(ROUNDS):
        for name, model in models.items():
            start = time.process_time()
            model.run(lightness)
            took[name] = min(took[name], time.process_time() - start)
    return took


def distances(files: dict[str, Path]) -> dict[str, tuple[float, float]]:
    """Mean and largest distance in ab from what the first model gives, by name."""
    greys = [grey_of(picture) for picture in free_photographs().values()]
    colours = {}
    for name, path in files.items():
        colorizer = Colorizer(path, threads=1)
        colours[name] = [colorizer.predict(grey).ab.reshape(2, -1) for grey in greys]
    true = np.concatenate(next(iter(colours.values())), axis=1)
    off = {name: np.hypot(*(np.concatenate(each, axis=1) - true)) for name, each in colours.items()}
    return {name: (float(one.mean()), float(one.max())) for name, one in off.items()}


def show(
    files: dict[str, Path], took: dict[str, float], off: dict[str, tuple[float, float]], result: dict[str, Any]
) -> None:
    heads = ["", "MB", "time", "off, mean", "largest", *(FIGURES[key].label for key in MEASURES if key in FIGURES)]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    own = next(iter(took.values()))
    rows = [("grey", "grey"), *((name, str(path)) for name, path in files.items()), ("ground-truth", "ground-truth")]
    for name, method in rows:
        cells = [name, *[""] * 4]
        if name in files:
            size = f"{files[name].stat().st_size / 1e6:.2f}"
            cells[1:] = [size, f"{took[name] / own:.2f} x", *(f"{value:.2f}" for value in off[name])]
        figures = result["methods"].get(method, {})
        cells += [FIGURES[key].text(figures[key]) if key in figures else NOTHING for key in MEASURES]
        print("| " + " | ".join(cells) + " |")
    print(f"\n{result['images']} photographs; the model itself takes {1e3 * own:.0f} ms.")


if __name__ == "__main__":
    main()
