"""tintype colorizes black-and-white photographs, and learns visual features from colour without labels."""

import os
from typing import TYPE_CHECKING, Any

# Official builds of ONNX Runtime otherwise keep an identifier of the computer and send what they do to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["Colorizer", "ModelError", "PhotoError", "Prediction", "__version__"]

if TYPE_CHECKING:
    from tintype.runtime import Colorizer, ModelError, PhotoError, Prediction


def __getattr__(name: str) -> Any:
    if name in __all__:  # loaded on first use: `tintype --help` needs neither numpy nor ONNX
        import tintype.runtime

        return getattr(tintype.runtime, name)
    raise AttributeError(f"module 'tintype' has no attribute {name!r}")
