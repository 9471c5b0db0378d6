"""Studies that are served: in this process, and by the real command, to be visited by a real browser."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from study.small import make
from web.server import Server


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A study of two practice and four test pairs that nobody has visited."""
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serves a study by a process of its own."""
    running = []

    def start(folder: Path, port: int = 0) -> Server:
        running.append(Server(folder, port))
        return running[-1]

    yield start
    for server in running:
        server.stop()
