"""The orange model of the command's tests, and file systems that keep their files in memory."""

from collections.abc import Iterator

import fsspec
import pytest

from cli.conftest import model, run

__all__ = ["model", "run"]


@pytest.fixture
def memory() -> Iterator[object]:
    """An empty file system at memory://."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()
