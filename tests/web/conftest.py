"""Studies that are served: in this process, and by the real command, to be visited by a real browser."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from study.small import make
from tintype.runtime import Colorizer
from tintype.study.folder import read_study
from tintype.study.storage import Storage
from tintype.study.visit import Room
from tintype.web.study import study_app
from web.page import CHROMIUM, FLAGS
from web.server import Server
from web.visitor import Visitor


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer("bundled", threads=1)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where requests keep their photographs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A study of two practice and four test pairs that nobody has visited."""
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture
def room() -> Room | None:
    """How many visitors the study takes; for tests to override."""
    return None


@pytest.fixture
def app(study: Path, room: Room | None) -> Iterator[tuple[TestClient, str]]:
    """The application in this process, and where its page is."""
    settings = read_study(study)
    served = study_app(study, settings, Storage(study), room)
    with TestClient(served, base_url="http://study.test", raise_server_exceptions=False) as client:
        yield client, f"/s/{settings.token}/"


@pytest.fixture
def visitor(app: tuple[TestClient, str]) -> Visitor:
    return Visitor(*app)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serves a study by a process of its own."""
    running = []

    def start(folder: Path, port: int = 0, *options: str) -> Server:
        running.append(Server("study", "serve", folder, *options, port=port))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def visit(browser, study, serve):
    """Opens the study in a new visitor's browser; fails at the end where the page had an error."""
    server, errors, contexts = serve(study), [], []

    def open_(url=None, context=None, **options):
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(url or server.url)
        return page

    open_.server = server
    yield open_
    for context in contexts:
        context.close()
    assert errors == []
