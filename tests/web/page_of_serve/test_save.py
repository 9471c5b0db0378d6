"""The page in a real browser: saving one and all."""

import zipfile

import numpy as np
from PIL import Image

from web.page import CHROMIUM, FLAGS, until
from web.page_of_serve.acts import BEGIN, Held, add, coloured, downloaded, states


def test_one_is_saved_as_it_looks(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    name, path = downloaded(page, "#save")
    with Image.open(path) as made:
        assert (name, made.format, made.size) == ("astronaut.color.jpg", "JPEG", (512, 512))
        usual = coloured(np.asarray(made))
    page.evaluate("""() => {
        const slider = document.getElementById("saturation");
        slider.value = 0;
        slider.dispatchEvent(new Event("input"));
        slider.dispatchEvent(new Event("change"));
    }""")
    page.select_option("#format", ".png")
    name, path = downloaded(page, "#save")
    with Image.open(path) as made:
        assert (name, made.format) == ("astronaut.color.png", "PNG")
        assert coloured(np.asarray(made)) < 1 < 5 < usual


def test_all_are_saved_in_one_zip_and_a_damaged_file_is_told(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg", old / "broken.jpg", old / "coffee.jpg", old / "notes.txt", old / "coffee.jpg")
    states = [button.get_attribute("data-state") for button in page.locator("#photographs button").all()]
    assert states == ["done", "failed", "done", "done"]
    page.locator("#photographs button").nth(1).click()
    assert "broken" not in page.inner_text("#notice-text")
    assert page.inner_text("#notice-text").strip() != ""
    name, path = downloaded(page, "#save-all")
    assert name == "tintype.zip"
    with zipfile.ZipFile(path) as made:
        assert made.testzip() is None
        assert made.namelist() == ["astronaut.color.jpg", "coffee.color.jpg", "coffee.color-2.jpg"]
        with Image.open(made.open("coffee.color.jpg")) as picture:
            assert picture.size == (600, 400)


def test_all_are_saved_though_some_still_wait(visit, old):
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / f"{name}.jpg") for name in ("astronaut", "coffee", "broken", "coffee")])
    held.wait()
    held.routes.pop().continue_()
    page.wait_for_selector("#save-all:enabled")
    with page.expect_download() as waiting:
        page.click("#save-all")
        assert "waiting" in states(page)
        held.release()
    path = waiting.value.path()
    with zipfile.ZipFile(path) as made:
        assert made.namelist() == ["astronaut.color.jpg", "coffee.color.jpg", "coffee.color-2.jpg"]
    assert page.inner_text("#notice-text").startswith("1 could not be saved")


def test_without_webgl_it_says_so_and_saves(playwright, served, old):
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-software-rasterizer"])
    page = launched.new_page()
    page.goto(served.url)
    page.set_input_files("#add", str(old / "astronaut.jpg"))
    until(page, lambda: states(page) == ["done"])
    assert "WebGL" in page.inner_text("#stage")
    name, _ = downloaded(page, "#save")
    assert name == "astronaut.color.jpg"
    launched.close()
