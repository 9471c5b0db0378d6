"""The page that colorizes in a visitor's browser (web/), beside what `Colorizer` makes of the same photographs."""

import functools
import http.server
import io
import os
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from tintype.color import rgb_to_lab
from tintype.export import compress
from tintype.runtime import Colorizer
from tintype.runtime.model import load_model
from web.page import PHONE

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
    once = {**os.environ, "npm_config_fetch_retries": "0"}
    command = [site / "fetch.sh", load_model("bundled", 1).path]
    fetched = subprocess.run(command, env=once, capture_output=True, text=True)
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
    """Opens the page; fails at the end where it had an error, or asked for something from elsewhere, or sent any."""
    contexts, errors, requests = [], [], []

    def open_(model=None, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        if model is not None:
            contexts[-1].route("**/model.onnx", lambda route: route.fulfill(**model))
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


def page_says(name, width, height):
    return f"{name}, {width} \N{MULTIPLICATION SIGN} {height} pixels"


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
    assert distance.mean() < 0.15
    assert distance.max() < 4


def test_a_compressed_model_runs_too(visit, tmp_path):
    compress("bundled", tmp_path / "small.onnx", "int8", str(ROOT / "examples" / "colour"), 3)
    page = visit(model={"path": tmp_path / "small.onnx"})
    page.set_input_files("#file", png(grey_astronaut()))
    page.wait_for_selector(READY)
    distance = ab(Image.open(save(page).path())) - ab(Colorizer(tmp_path / "small.onnx")(grey_astronaut()))
    assert np.linalg.norm(distance, axis=-1).mean() < 1  # int8 rounds otherwise on other processors


def test_an_upright_jpeg_is_saved_under_the_photographs_name(visit, tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    Image.fromarray(grey_astronaut((200, 120))).save(tmp_path / "aunt.1912.jpeg", exif=exif)
    page = visit()
    page.set_input_files("#file", tmp_path / "aunt.1912.jpeg")
    page.wait_for_selector(READY)
    assert page_says("aunt.1912.jpeg", 120, 200) in page.inner_text("#status")
    saved = save(page, "#jpeg")
    assert saved.suggested_filename == "aunt.1912.color.jpg"
    with Image.open(saved.path()) as image:
        assert (image.format, image.size) == ("JPEG", (120, 200))


def jpeg(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a photograph", "photograph.jpg cannot be read: it is damaged, or no photograph"),
        (b"", "photograph.jpg cannot be read: it is damaged, or no photograph"),
        (jpeg(grey_astronaut())[:9000], "photograph.jpg is damaged: the end of it is missing."),
    ],
)
def test_a_damaged_file_gets_a_message_and_the_next_one_goes_on(visit, content, message):
    page = visit()
    page.set_input_files("#file", {"name": "photograph.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.wait_for_selector("#error:visible")
    assert page.inner_text("#error").startswith(message)
    assert not page.is_visible("#result")
    page.set_input_files("#file", png(grey_astronaut((64, 64))))
    page.wait_for_selector(READY)
    assert not page.is_visible("#error")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"status": 404}, "The model is not beside this page: run web/fetch.sh first."),
        ({"body": b"\x72\xff\xff\xff\xff\x0f"}, "The model is damaged, or is not one that this page can run."),
        ({"body": b""}, "The model is damaged, or is not one that this page can run."),
    ],
)
def test_a_model_that_is_not_there_or_damaged_is_told(visit, model, message):
    page = visit(model=model)
    page.set_input_files("#file", png(grey_astronaut((64, 64))))
    page.wait_for_selector("#error:visible")
    assert page.inner_text("#error") == message


def test_on_a_phone_everything_is_within_the_width_and_large_enough_for_a_finger(visit):
    page = visit(**PHONE)
    page.set_input_files("#file", png(grey_astronaut((600, 300))))
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in ("#drop .go", "#png", "#jpeg", "#divide"):
        box = page.locator(control).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 36


def test_the_keyboard_reaches_everything_in_order_compares_and_saves(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    page.set_input_files("#file", png(grey_astronaut((80, 60))))  # the browser's own control, which opens its dialogue
    page.wait_for_selector(READY)
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.evaluate("getComputedStyle(stage).getPropertyValue('--at')") == "0%"
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "photograph.color.png"
    for control, label in (("#divide", "How much is shown"), ("#before", "as it was"), ("#after", "with colours")):
        assert label in page.get_attribute(control, "aria-label")


def test_the_picture_can_be_dragged_over_and_one_dropped(visit):
    page = visit()
    drop = """bytes => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, list(png(grey_astronaut((100, 100)))["buffer"]))
    page.wait_for_selector(READY)
    assert page.inner_text("#status").startswith(page_says("dropped.png", 100, 100))
    box = page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 10)
    page.mouse.up()
    assert float(page.input_value("#divide")) == pytest.approx(25, abs=1)


def test_of_two_photographs_one_after_the_other_the_last_is_shown(visit):
    page = visit()
    page.set_input_files("#file", png(grey_astronaut((900, 900))))
    page.set_input_files("#file", {**png(grey_astronaut((40, 30))), "name": "second.png"})
    page.wait_for_selector(READY)
    assert page.inner_text("#status").startswith(page_says("second.png", 40, 30))
    assert save(page).suggested_filename == "second.color.png"
