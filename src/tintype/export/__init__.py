"""From trained weights to files that others run: ONNX bundles, and plain trunks."""

from tintype.export.bundle import BLOCK, export
from tintype.export.compression import compress
from tintype.export.graphs import TwoViews
from tintype.export.onnx_file import OPSET
from tintype.export.trunk import export_trunk
from tintype.export.weights import ExportError

__all__ = ["BLOCK", "OPSET", "ExportError", "TwoViews", "compress", "export", "export_trunk"]
