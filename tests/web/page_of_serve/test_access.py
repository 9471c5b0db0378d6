"""The page in a real browser: keys, fingers, sizes of screens, and what assistive programs are told."""

import io

import numpy as np
import pytest
from PIL import Image

from web.page import PHONE, until
from web.page_of_serve.acts import WIDE, add


def test_a_phone(visit, old):
    page = visit(**PHONE)
    add(page, old / "astronaut.jpg", old / "coffee.jpg")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("#canvas").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#hint[open]")
    page.locator("#swatches button").first.tap()
    until(page, lambda: page.locator("#hints button").count() == 1)
    small = [
        (button.get_attribute("id"), size)
        for button in page.locator("button:visible, select:visible").all()
        if (size := button.bounding_box()) and min(size["width"], size["height"]) < 24
    ]
    assert small == []


def test_keys_alone_do_it(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.focus("#canvas")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#hint[open]")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#hints button").count() == 1)
    until(page, lambda: page.evaluate("document.activeElement.id") == "canvas")
    fitting = page.inner_text("#zoom-now")
    page.keyboard.press("+")
    until(page, lambda: page.inner_text("#zoom-now") != fitting)
    page.keyboard.press("0")
    until(page, lambda: page.inner_text("#zoom-now") == fitting)


def test_everything_has_a_name(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.wait_for_selector("#alternatives img")
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "slider", "checkbox", "radio", "combobox", "textbox", "ColorWell", "image"}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored") and node["role"]["value"] in controls and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    assert len(nodes) > 50


@pytest.mark.parametrize("size", [(1280, 800), (1024, 600), (390, 844), (360, 640), (844, 390)])
def test_the_dialog_lies_beside_its_place_and_save_is_in_sight(visit, old, size):
    wide = size[0] > 900
    page = visit(viewport=dict(zip(("width", "height"), size, strict=True)), has_touch=not wide, is_mobile=not wide)
    add(page, old / "coffee.jpg")
    if wide:
        assert (
            page.evaluate("""() => {
            const box = document.getElementById("save").getBoundingClientRect();
            return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2).id;
        }""")
            == "save"
        )
    stage = page.locator("#stage").bounding_box()
    assert stage["height"] > 0.5 * size[1]
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [size[0], size[0]]
    page.mouse.click(stage["x"] + stage["width"] * 0.6, stage["y"] + stage["height"] * 0.5)
    page.wait_for_selector("#hint[open]")
    place, dialog = page.locator("#cross").bounding_box(), page.locator("#hint").bounding_box()
    assert (
        place["x"] + place["width"] <= dialog["x"]
        or place["x"] >= dialog["x"] + dialog["width"]
        or place["y"] + place["height"] <= dialog["y"]
        or place["y"] >= dialog["y"] + dialog["height"]
    )


def test_colours_stay_colours_where_the_system_forces_its_own(visit, old):
    page = visit(**WIDE, forced_colors="active")
    add(page, old / "astronaut.jpg")
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#hint[open]")
    swatch = page.locator("#swatches button").nth(1)
    shown = np.asarray(Image.open(io.BytesIO(swatch.screenshot())).convert("RGB"))
    wanted = swatch.evaluate("element => element.style.getPropertyValue('--colour')")
    assert "#" + bytes(shown[24, 24]).hex() == wanted
