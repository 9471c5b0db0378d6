"""Static quantization: a bundle's convolutions computed with int8, their ranges taken from photographs.

Krishnamoorthi, Quantizing deep convolutional networks for efficient inference, arXiv 1806.08342
"""

import contextlib
import itertools
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from tintype.data import DamagedPhotoError, Photo
from tintype.data.decode import full_size
from tintype.export.precision import SPARED, first_kernels
from tintype.runtime.layout import lay_out
from tintype.runtime.model import Model
from tintype.runtime.photo import photo_from_array
from tintype.runtime.predict import network_input
from tintype.runtime.reduce import guide_of


def quantize(
    model: onnx.ModelProto, inputs: Sequence[NDArray[np.float32]], temperature: float, spared: float = SPARED
) -> onnx.ModelProto:
    """A graph with all but its first convolutions computed in int8, a scale for each channel of the weights.

    Sums, enlargements and what follows the features (logits, annealed mean, entropy) stay in float32 too: rounded at
    every step, they would double the error, and not be faster. Weights have 7 bits: processors without VNNI add two
    products of 8 bits in 16, which overflows without a word.

    Args:
        model: with float32 weights.
        inputs: lightness as the network is to see it, (1, 1, H, W) each, from which ranges are taken.
        temperature: to run it with.
        spared: share of the convolutions' weights, from the beginning, that stays as it is.
    """
    with tempfile.TemporaryDirectory() as place, _quiet():
        before, prepared, after = (Path(place, f"{name}.onnx") for name in ("before", "prepared", "after"))
        onnx.save(model, before)
        quant_pre_process(before, prepared, skip_symbolic_shape=True)
        graph, first = onnx.load(prepared).graph, first_kernels(model, spared)
        quantize_static(
            prepared,
            after,
            _Calibration(inputs, temperature),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=["Conv", "Clip", "Relu"],
            nodes_to_exclude=[node.name for node in graph.node if node.op_type == "Conv" and node.input[1] in first],
        )
        return onnx.load(after)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, inputs: Sequence[NDArray[np.float32]], temperature: float):
        self._rest = iter(inputs)
        self._temperature = np.array(temperature, np.float32)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        lightness = next(self._rest, None)
        return None if lightness is None else {"lightness": lightness, "temperature": self._temperature}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the quantizer's advice to itself."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def calibration_inputs(model: Model, photos: Sequence[Photo], count: int) -> list[NDArray[np.float32]]:
    """What a model is shown of photographs drawn at random, (1, 1, H, W) each. Damaged ones are passed over."""
    drawn = (photos[int(number)] for number in np.random.default_rng(0).permutation(len(photos)))
    return list(itertools.islice(_seen(model, drawn), count))


def _seen(model: Model, photos: Iterator[Photo]) -> Iterator[NDArray[np.float32]]:
    for one in photos:
        try:
            photo = photo_from_array(full_size(one.read()))
        except (OSError, DamagedPhotoError):
            continue
        guide = guide_of(photo, model.input_size)
        (region,) = lay_out(model, guide, model.input_size, as_is=True).regions
        yield network_input(model, region)
