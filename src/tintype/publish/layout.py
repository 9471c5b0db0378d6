"""What is published of a model: its file under the Hub's name for it, and what it says of itself."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tintype.runtime.errors import ModelError
from tintype.runtime.hub import BUNDLE, WEIGHTS
from tintype.runtime.model import load_model


class PublishError(ValueError):
    """A model cannot be published. The message is one line for people."""


@dataclass(frozen=True)
class Layout:
    """A model to be published.

    Attributes:
        source: its file.
        name: what that is called on the Hub.
        metadata: what it says of itself.
    """

    source: Path
    name: str
    metadata: dict[str, Any]

    @property
    def config(self) -> bytes:
        """config.json."""
        return (json.dumps(self.metadata, indent=2, ensure_ascii=False) + "\n").encode()


def read_layout(model: str, licence: str | None = None) -> Layout:
    """The layout of a model.

    Args:
        model: a bundle (a path, or a name as `load_model` takes it), a run's folder, or its weights.safetensors.
        licence: an SPDX identifier, in place of what the model says.

    Raises:
        PublishError: it is not there, damaged, or not tintype's.
    """
    layout = _read(model)
    return layout if licence is None else replace(layout, metadata={**layout.metadata, "license": licence})


def _read(model: str) -> Layout:
    path = Path(model)
    if path.is_dir():
        path = path / "weights.safetensors"
        if not path.is_file():
            raise PublishError(f"{model}: has no weights.safetensors; has the run finished?")
    if path.suffix == ".safetensors":
        return Layout(path, WEIGHTS, _metadata_of_weights(path))
    try:
        bundle = load_model(model, threads=1)
    except ModelError as error:
        raise PublishError(str(error)) from error
    return Layout(bundle.path, BUNDLE, bundle.metadata)


def _metadata_of_weights(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:  # which holds the header against the file's size
            text = (file.metadata() or {}).get("tintype")
        metadata = json.loads(text or "null")
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise PublishError(f"{path}: not a readable .safetensors file ({' '.join(str(error).split()):.200})") from error
    if not isinstance(metadata, dict) or "trunk" not in metadata:
        raise PublishError(f"{path}: has no tintype metadata, so nobody could tell what network it belongs to")
    return metadata
