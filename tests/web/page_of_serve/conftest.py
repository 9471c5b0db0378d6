"""A server, a browser and photographs."""

import pytest
from PIL import Image

from web.page import CHROMIUM, WEBGL
from web.page_of_serve.acts import WIDE
from web.server import Server

skdata = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def browser(playwright):
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=WEBGL)
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def served():
    server = Server("serve", "--no-browser")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """Photographs."""
    folder = tmp_path_factory.mktemp("old")
    for name in ("astronaut", "coffee"):
        Image.fromarray(getattr(skdata, name)()).convert("L").save(folder / f"{name}.jpg", quality=95)
    (folder / "broken.jpg").write_bytes((folder / "coffee.jpg").read_bytes()[:3000])
    (folder / "notes.txt").write_text("hello")
    return folder


@pytest.fixture
def visit(browser, served):
    """Opens the page; fails at the end where it had an error, or asked another computer."""
    errors, elsewhere, contexts = [], [], []

    def open_(url=None, **options):
        context = browser.new_context(**(options or WIDE))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(url or served.url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in elsewhere if not url.startswith(("http://127.0.0.1:", "blob:"))] == []
