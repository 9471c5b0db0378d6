"""What a run was made with: a line of sessions.jsonl for each time that it was started or resumed."""

import json
import os
import platform
import socket
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = ("tintype", "torch", "timm", "accelerate", "numpy", "simplejpeg")


def record_session(run: Path, device: torch.device, facts: Mapping[str, Any]) -> None:
    """Add a line to run/sessions.jsonl: the time, facts, versions, the state of the code, and the machine."""
    session = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
        "versions": versions(_PACKAGES) | {"cuda": torch.version.cuda},
        "git": git_state(Path.cwd()),
        "tintype_git": git_state(Path(__file__).parent, Path(__file__)),
        "host": _host(device),
    }
    with (run / "sessions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(session) + "\n")


def git_state(folder: Path, tracked: Path | None = None) -> dict[str, Any] | None:
    """The checkout around a folder.

    Args:
        folder: which.
        tracked: a file that must belong to the checkout.

    Returns:
        `commit`, and how many tracked files have been `changed` since; None where there is no checkout, or no git.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    try:
        if tracked is not None:
            git("ls-files", "--error-unmatch", str(tracked))
        commit = git("rev-parse", "HEAD").strip()
        changed = git("status", "--porcelain", "--untracked-files=no").splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": len(changed)}


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Those of Python and of packages; None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _host(device: torch.device) -> dict[str, Any]:
    host: dict[str, Any] = {"name": socket.gethostname(), "system": platform.platform(), "cores": os.cpu_count()}
    if device.type == "cuda":
        host["gpu"] = torch.cuda.get_device_name(device)
    return host
