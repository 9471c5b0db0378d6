"""A protocol in words: what figures must be told with, to be compared with others."""

from collections.abc import Mapping
from typing import Any


def protocol_lines(protocol: Mapping[str, Any]) -> list[str]:
    """A line for each part of what `tintype evaluate --json` has as `protocol`, with hashes of models and weights."""
    parts = {
        "protocol": f"{protocol['preset']}, {protocol['photographs']} photographs; resize: {protocol['resize']}",
        "list": _hashed(protocol["list"], protocol["list_sha256"]),
        "prior": _hashed(protocol["prior"], protocol["prior_sha256"]),
        **{
            f"model {name}": _hashed(f"size {one['size']}, T = {one['temperature']:g}", one["sha256"])
            for name, one in protocol["models"].items()
        },
        **{f"pictures {name}": place for name, place in protocol["pictures"].items()},
        **{
            name: _hashed(", ".join(str(one[key]) for key in ("name", "net", "weights") if key in one), one["sha256"])
            for name, one in ((name, protocol[name]) for name in ("classifier", "lpips", "fid"))
            if one
        },
        "labels": _hashed(protocol["labels"], protocol["labels_sha256"]),
        "seed": f"{protocol['seed']}; tintype {protocol['tintype']}",
    }
    return [f"{name}: {text}" for name, text in parts.items() if text]


def _hashed(what: str | None, sha256: str | None) -> str | None:
    return f"{what} (sha256 {sha256[:12]}...)" if what and sha256 else what
