"""The page that colorizes in a visitor's browser (web/), beside what `Colorizer` makes of the same photographs."""

import functools
import http.server
import io
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from tintype.color import rgb_to_lab
from tintype.runtime import Colorizer
from tintype.runtime.model import load_model

ROOT = Path(__file__).parents[2]
READY = "#png:enabled"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that is served, with what web/fetch.sh puts there."""
    if not shutil.which("npm"):
        pytest.skip("no npm on this machine: ONNX Runtime for the web cannot be fetched")
    site = tmp_path_factory.mktemp("site")
    for file in (ROOT / "web").iterdir():
        if file.is_file() and file.suffix != ".onnx":
            shutil.copy(file, site)
    fetched = subprocess.run([site / "fetch.sh", load_model("bundled", 1).path], capture_output=True, text=True)
    if "npm" in fetched.stderr:
        pytest.skip(f"npm has no onnxruntime-web: {fetched.stderr.splitlines()[0]}")
    assert fetched.returncode == 0, fetched.stderr
    return site


@pytest.fixture(scope="module")
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(browser, address):
    """Opens the page; fails at the end where it had an error, or asked for anything from elsewhere, or sent anything."""
    contexts, errors, requests = [], [], []

    def open_(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.on("request", lambda request: requests.append(request))
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
    assert {request.method for request in requests} == {"GET"}
    assert all(request.url.startswith((address, "blob:", "data:")) for request in requests)


def png(pixels) -> dict:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"name": "photograph.png", "mimeType": "image/png", "buffer": file.getvalue()}


def save(page, button="#png"):
    with page.expect_download() as download:
        page.click(button)
    return download.value


def grey_astronaut(size=(512, 512)):
    return np.asarray(Image.fromarray(astronaut()).convert("L").resize(size, Image.Resampling.BICUBIC))


def ab(image):
    return rgb_to_lab(np.asarray(image.convert("RGB")) / 255, axis=-1)[..., 1:]


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(grey_astronaut(), id="as it is"),
        pytest.param(grey_astronaut((1301, 907)), id="blocks that do not fit"),
        pytest.param(grey_astronaut((97, 160)), id="smaller than what the network sees"),
        pytest.param((100 + grey_astronaut() / 4).astype(np.uint8), id="faded"),
    ],
)
def test_colours_are_those_of_the_package(visit, pixels):
    page = visit()
    page.set_input_files("#file", png(pixels))
    page.wait_for_selector(READY)
    made = Image.open(save(page).path())
    expected = Colorizer("bundled", threads=1)(pixels)
    assert made.size == expected.size
    distance = np.linalg.norm(ab(made) - ab(expected), axis=-1)
    print(f"ab differs by {distance.mean():.3f} on average, at most {distance.max():.2f}")
    assert np.linalg.norm(ab(expected), axis=-1).mean() > 5
    assert distance.mean() < 0.3
    assert np.quantile(distance, 0.999) < 3
