"""A colorizing network in one .onnx file, with the metadata that it carries."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tintype.runtime.errors import ModelError
from tintype.runtime.hub import BUNDLE, from_hub

_FORMAT = 1
_MULTIPLE = 32
_BUNDLED = Path(__file__).parent.parent / "models"


@dataclass(frozen=True)
class Model:
    """A bundle, ready to run.

    Attributes:
        name, trunk, head, objective, recipe, data, steps, license: where it comes from.
        input_size: side, in pixels, of the square as large as the pictures it works best on.
        stride: pixels of the network's input from one cell of its output to the next.
        ab_origin: where the centre of output cell 0 lies, in pixels from the left and top edges of the input.
        temperature: default for the annealed mean.
        figures: measured quality, by name.
        previous: that of the model which this one replaced, if any.
        versions: of the programs that made it.
        multiple: what height and width of the network's input must be multiples of.
        path: the file.
    """

    name: str
    trunk: str
    head: str
    objective: str
    input_size: int
    stride: int
    ab_origin: float
    temperature: float
    recipe: str
    data: str
    steps: int
    license: str
    figures: dict[str, float]
    previous: dict[str, float]
    versions: dict[str, str]
    multiple: int
    path: Path
    _session: Any

    def run(
        self, lightness: NDArray[np.float32], temperature: float | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predicts colour. Safe to call from several threads at once.

        Args:
            lightness: CIE L in [0, 100], (1, 1, H, W), H and W multiples of `multiple`.
            temperature: of the annealed mean; the model's own where None.

        Returns:
            ab (1, 2, H/4, W/4) in CIE units, and entropy (1, 1, H/4, W/4) in nats.
        """
        temperature = self.temperature if temperature is None else temperature
        inputs = {"lightness": lightness, "temperature": np.array(temperature, dtype=np.float32)}
        ab, entropy = self._session.run(["ab", "entropy"], inputs)
        return ab, entropy

    @property
    def metadata(self) -> dict[str, Any]:
        """All that the bundle says of itself, as it stands there."""
        facts: dict[str, Any] = json.loads(self._session.get_modelmeta().custom_metadata_map["tintype"])
        return facts

    @property
    def has_distribution(self) -> bool:
        """Whether it tells the distribution over colours, not only what is decoded from it."""
        return any(node.name == "logits" for node in self._session.get_outputs())

    def logits(self, lightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predicts the distribution over the 313 colours: unnormalised log-probabilities, (1, H/4, W/4, 313).

        Args:
            lightness: as of `run`.

        Raises:
            ModelError: it tells none: it was made by an earlier tintype, or has another objective than `bins`.
        """
        if not self.has_distribution:
            raise ModelError(f"{self.path}: tells no distribution over colours; only models of objective bins do")
        inputs = {"lightness": lightness, "temperature": np.array(self.temperature, dtype=np.float32)}
        logits: NDArray[np.float32] = self._session.run(["logits"], inputs)[0]
        return logits


def load_model(model: str | Path, threads: int) -> Model:
    """Opens a model by name ("bundled"), by path, or by its name on the Hugging Face Hub (see `tintype.runtime.hub`).

    Raises:
        ModelError: there is no such model, or the file is not a tintype bundle that this version can run.
    """
    fetched = from_hub(model, BUNDLE) if isinstance(model, str) else None
    if fetched is None:
        return _open(_find(model), threads)
    try:
        return _open(fetched, threads)
    except ModelError as error:
        raise ModelError(f"{model}: {error}") from None


def _open(path: Path, threads: int) -> Model:
    try:
        session = onnxruntime.InferenceSession(path, _options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen types that it does not export
        reason = " ".join(str(error).rpartition("failed:")[2].split())
        raise ModelError(f"{path}: not an ONNX model that can be run ({reason[:200]})") from None
    text = session.get_modelmeta().custom_metadata_map.get("tintype")
    if text is None:
        raise ModelError(f"{path}: an ONNX model, but not a tintype bundle; make one with `tintype export`")
    inputs, outputs = ({node.name for node in nodes} for nodes in (session.get_inputs(), session.get_outputs()))
    if inputs != {"lightness", "temperature"} or not {"ab", "entropy"} <= outputs:
        raise ModelError(f"{path}: its inputs or outputs are not those of a tintype bundle")
    try:
        facts = json.loads(text)
        if facts["format"] != _FORMAT:
            raise ModelError(f"{path}: bundle format {facts['format']}, this tintype reads {_FORMAT}; upgrade tintype")
        facts = {"multiple": _MULTIPLE, "previous": {}, **facts}  # which older bundles lack
        fields = {field: facts[field] for field in Model.__dataclass_fields__ if field not in ("path", "_session")}
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: its tintype metadata is damaged or incomplete ({error})") from None
    return Model(**fields, path=path, _session=session)


def bundled_models() -> list[Model]:
    """The models that came with tintype, by name."""
    return [load_model(path, threads=1) for path in sorted(_BUNDLED.glob("*.onnx"))]


def _find(model: str | Path) -> Path:
    """The file of a model. A plain name means one that came with tintype; anything else is a path."""
    path = Path(model)
    if isinstance(model, str) and path.name == model and not path.suffix and not path.exists():
        path = _BUNDLED / f"{model}.onnx"
        if not path.is_file():
            names = ", ".join(sorted(file.stem for file in _BUNDLED.glob("*.onnx"))) or "none"
            raise ModelError(f"no model {model!r}; give a path to an .onnx file, or one of these names: {names}")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ModelError(f"{path}: no such model file, or it cannot be read")
    return path


def _options(threads: int) -> Any:
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised; nothing is to be written over a progress bar
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Its threads would go on spinning after a run, on the cores that the merge needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options
