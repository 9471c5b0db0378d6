"""The page in a real browser: adding photographs and looking at them."""

import base64

import numpy as np
import pytest
from PIL import Image
from skimage import data as skdata

from tintype.color import rgb_to_lab
from tintype.runtime import Colorizer
from web.page import until
from web.page_of_serve.acts import add, bare, canvas, coloured, downloaded, hint, marks


def test_it_shows_what_the_colorizer_makes(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.click("#zoom-real")
    bare(page)
    shown = canvas(page)
    made = np.asarray(Colorizer("bundled")(old / "astronaut.jpg"))
    height = shown.shape[0]
    top, left = max(0, (height - 512) // 2), (shown.shape[1] - 512) // 2
    across = slice(left, left + 512)
    if height >= 512:
        shown = shown[top : top + 512, across]
    else:
        made, shown = made[(512 - height) // 2 :][:height], shown[:, across]
    apart = np.abs(shown.astype(int) - made)
    assert apart.mean() < 2  # half floats, 8 bits of lightness, the screen's own pixels
    assert coloured(made) > 10


def test_a_drop_of_files_is_taken(visit, old):
    page = visit()
    data = base64.b64encode((old / "coffee.jpg").read_bytes()).decode()
    page.evaluate(
        """data => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    until(page, lambda: marks(page, "shown"))
    assert page.locator("#photographs button").inner_text().strip() == "dropped.jpg"


def test_left_of_the_handle_it_is_as_before(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.focus("#split")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    until(page, lambda: page.get_attribute("#split", "aria-valuenow") == "50")
    bare(page)
    shown = canvas(page)
    middle = shown.shape[1] // 2
    assert coloured(shown[:, : middle - 5]) < 1.5
    assert coloured(shown[:, middle + 5 :]) > 2
    page.keyboard.press("Home")
    assert coloured(canvas(page)[:, : middle - 5]) > 3


def test_where_the_model_is_unsure_is_shown(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.wait_for_selector("#alternatives img")
    bare(page)
    page.check("#unsure")
    shown = rgb_to_lab(canvas(page) / 255, axis=-1)
    assert page.is_visible("#legend")
    assert np.percentile(shown[..., 1], 90) > 25 > np.percentile(shown[..., 1], 5)  # orange here, grey there


def test_what_holds_no_photographs_is_said(visit, old):
    page = visit()
    page.set_input_files("#add", str(old / "notes.txt"))
    assert "no photographs" in page.inner_text("#notice-text")
    assert page.is_visible("#empty")


def test_pages_become_photographs(visit, tmp_path):
    first, second = (Image.linear_gradient("L").resize(size) for size in ((60, 40), (40, 60)))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    page = visit()
    add(page, tmp_path / "pages.tif")
    until(page, lambda: page.locator("#photographs [data-state=done]").count() == 2)
    page.locator("#photographs button").nth(1).click()
    name, path = downloaded(page, "#save")
    with Image.open(path) as made:
        assert (name, made.format, made.size) == ("pages-2.color.tif", "TIFF", (40, 60))


def test_forty_megapixels(visit, tmp_path):
    Image.fromarray(skdata.camera()).resize((7300, 5480)).save(tmp_path / "large.jpg", quality=80)
    page = visit()
    add(page, tmp_path / "large.jpg")
    page.click("#zoom-real")
    bare(page)
    assert coloured(canvas(page)) > 1
    name, path = downloaded(page, "#save")
    with Image.open(path) as made:
        assert (name, made.size) == ("large.color.jpg", (7300, 5480))


def test_the_wheel_zooms_where_it_is_and_a_drag_moves(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    bare(page)
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = canvas(page)
    page.mouse.wheel(0, -600)
    until(page, lambda: not np.array_equal(canvas(page), before))
    near = canvas(page)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 60, box["y"] + box["height"] / 2 - 40, steps=4)
    page.mouse.up()
    moved = canvas(page)
    assert not page.locator("#hint[open]").count()
    assert np.abs(moved[100:300, 100:300].astype(int) - near[140:340, 160:360]).mean() < 4


def test_a_mark_that_is_focused_is_brought_into_sight(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    hint(page, 0.1, 0.6)
    page.click("#zoom-real")
    for _ in range(4):
        page.click("#zoom-in")
    page.focus("#canvas")
    for _ in range(9):
        page.keyboard.press("Shift+ArrowDown")
    stage = page.locator("#stage").bounding_box()
    assert page.locator("#marks button").bounding_box()["y"] < stage["y"]
    page.keyboard.press("Tab")
    until(page, lambda: page.locator("#marks button").bounding_box()["y"] > stage["y"])
    assert page.evaluate("document.getElementById('stage').scrollTop") == 0


PIXELS = """() => {
    const canvas = document.getElementById("canvas");
    return Math.round((100 * canvas.width) / canvas.clientWidth) / 100;
}"""


def test_a_click_means_what_is_under_it_on_another_screen_too(visit, old):
    page = visit(no_viewport=True)
    add(page, old / "astronaut.jpg")
    session, size = page.context.new_cdp_session(page), {"width": 1000, "height": 700, "mobile": False}
    for ratio in (2, 3):
        session.send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": ratio})
        until(
            page, lambda: page.evaluate(PIXELS) in (2, 3)
        )  # headless, Chromium does not always tell the second change
    box = page.locator("#canvas").bounding_box()
    with page.expect_request("**/suggestions?*") as asked:
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    place = dict(part.split("=") for part in asked.value.url.split("?")[1].split("&"))
    assert float(place["x"]) == pytest.approx(0.5, abs=0.01)
    assert float(place["y"]) == pytest.approx(0.5, abs=0.01)
