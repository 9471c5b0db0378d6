"""On which machine, with which versions and when a benchmark ran: printed above its figures."""

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe(*packages: str) -> str:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    today = datetime.date.today().isoformat()
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}; {today}"
