"""Colorizing photographs, without torch: read, predict, merge, write."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Colorizer", "Model", "ModelError", "PhotoError", "Prediction"]

if TYPE_CHECKING:
    from tintype.runtime.colorizer import Colorizer
    from tintype.runtime.errors import ModelError, PhotoError
    from tintype.runtime.model import Model
    from tintype.runtime.predict import Prediction

_HOMES = {
    "Colorizer": "colorizer",
    "Model": "model",
    "ModelError": "errors",
    "PhotoError": "errors",
    "Prediction": "predict",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # loaded on first use: listing folders needs neither numpy nor ONNX Runtime
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
