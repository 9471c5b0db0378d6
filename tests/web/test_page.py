"""The page of `tintype serve` in a real browser: adding, looking, changing, saving; with mouse, fingers and keys."""

import base64
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.color import rgb_to_lab
from tintype.runtime import Colorizer
from web.page import CHROMIUM, FLAGS, PHONE, WEBGL, until
from web.server import Server

skdata = pytest.importorskip("skimage.data")
WIDE = {"viewport": {"width": 1280, "height": 800}}


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


def marks(page, name):
    return page.evaluate(f"performance.getEntriesByName({json.dumps(name)}).length")


def add(page, *paths):
    before = marks(page, "shown")
    page.set_input_files("#add", [str(path) for path in paths])
    if before == 0:
        until(page, lambda: marks(page, "shown"))
    until(page, lambda: not page.locator("[data-state=waiting], [data-state=working]").count())


def canvas(page):
    """What is painted, (H, W, 3), once it is."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return np.asarray(Image.open(io.BytesIO(page.locator("#canvas").screenshot())).convert("RGB"))


def coloured(picture):
    return float(np.hypot(*rgb_to_lab(picture / 255, axis=-1)[..., 1:].transpose(2, 0, 1)).mean())


def bare(page):
    """Hides what lies over the photograph."""
    page.evaluate("""for (const id of ["split", "before", "after", "marks", "cross"])
        document.getElementById(id).style.opacity = 0 """)


def hint(page, y=0.6, x=0.6, swatch=1):
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.wait_for_selector("#hint[open]")
    before = marks(page, "refreshed")
    page.locator("#swatches button").nth(swatch).click()
    until(page, lambda: marks(page, "refreshed") > before)


def downloaded(page, button):
    with page.expect_download() as waiting:
        page.click(button)
    return waiting.value.suggested_filename, Path(waiting.value.path())


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


def test_sliders_answer_without_the_server(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.wait_for_selector("#alternatives img")
    bare(page)
    usual = coloured(canvas(page))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("""() => {
        for (const value of [0.4, 0]) {
            const slider = document.getElementById("saturation");
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
        }
    }""")
    assert coloured(canvas(page)) < 1.5
    assert asked == []
    page.evaluate("""() => {
        const slider = document.getElementById("saturation");
        slider.value = 1;
        slider.dispatchEvent(new Event("input"));
        const vividness = document.getElementById("vividness");
        vividness.value = vividness.max;
        vividness.dispatchEvent(new Event("input"));
    }""")
    assert coloured(canvas(page)) > 1.1 * usual
    assert asked == []


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


def test_a_hint_spreads_and_can_be_undone(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    bare(page)
    before = canvas(page)
    hint(page)
    after = canvas(page)
    assert np.abs(after.astype(int) - before).mean() > 0.5
    assert page.locator("#hints button").count() == 1
    page.click("#undo")
    until(page, lambda: np.array_equal(canvas(page), before))
    assert page.locator("#hints button").count() == 0
    page.keyboard.press("Control+Shift+z")
    until(page, lambda: np.array_equal(canvas(page), after))
    assert page.locator("#hints button").count() == 1
    page.locator("#hints button").click()
    page.click("#hint-remove")
    until(page, lambda: np.array_equal(canvas(page), before))


def test_any_other_colour_can_be_chosen(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(
        box["x"] + (box["width"] - box["height"]) / 2 + box["height"] * 0.3, box["y"] + box["height"] * 0.6
    )
    page.wait_for_selector("#hint[open]")
    page.fill("#other", "#00a040")
    page.click("#hint-take")
    until(page, lambda: marks(page, "refreshed"))
    bare(page)
    shown = canvas(page)
    y, x = int(0.6 * len(shown)), int((shown.shape[1] - len(shown)) / 2 + 0.3 * len(shown))
    assert rgb_to_lab(shown[y - 3 : y + 4, x - 3 : x + 4] / 255, axis=-1)[..., 1].mean() < -15
    assert page.locator("#hints button").inner_text() == "green"


def test_an_alternative_can_be_taken(visit, old):
    page = visit()
    add(page, old / "coffee.jpg")
    page.wait_for_selector("#alternatives img")
    bare(page)
    before = canvas(page)
    page.locator("#alternatives label").nth(2).click()
    until(page, lambda: marks(page, "refreshed"))
    assert np.abs(canvas(page).astype(int) - before).mean() > 3
    page.click("#undo")
    until(page, lambda: np.array_equal(canvas(page), before))
    assert page.locator("#alternatives input").nth(0).is_checked()


def test_where_the_model_is_unsure_is_shown(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.wait_for_selector("#alternatives img")
    bare(page)
    page.check("#unsure")
    shown = rgb_to_lab(canvas(page) / 255, axis=-1)
    assert page.is_visible("#legend")
    assert np.percentile(shown[..., 1], 90) > 25 > np.percentile(shown[..., 1], 5)  # orange here, grey there


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


def test_a_server_that_was_started_anew_is_told_again(visit, old):
    first = Server("serve", "--no-browser")
    page = visit(first.url)
    add(page, old / "astronaut.jpg")
    first.stop()
    page.click("#save")
    until(page, lambda: "does not answer" in page.inner_text("#notice-text"))
    second = Server("serve", "--no-browser", port=first.port)
    try:
        name, _ = downloaded(page, "#save")
        assert name == "astronaut.color.jpg"
        hint(page)
    finally:
        second.stop()


def test_the_token_of_the_address_is_carried(visit, old, tmp_path):
    (tmp_path / "token").write_text("a long enough token")
    server = Server("serve", "--no-browser", "--token-file", tmp_path / "token")
    try:
        page = visit(f"{server.url}#token=a%20long%20enough%20token")
        add(page, old / "astronaut.jpg")
        assert "token" not in page.url
        page = visit(server.url)
        page.set_input_files("#add", str(old / "astronaut.jpg"))
        until(page, lambda: "#token=" in page.inner_text("#notice-text"))
    finally:
        server.stop()


class Held:
    """Requests that match go no further until they are let."""

    def __init__(self, page, pattern):
        self.page, self.holding, self.routes = page, True, []
        page.route(pattern, lambda route: self.routes.append(route) if self.holding else route.continue_())

    def wait(self):
        until(self.page, lambda: self.routes)

    def release(self):
        self.holding = False
        for route in self.routes:
            route.continue_()


BEGIN = "**/api/drafts?*"


def states(page):
    return [button.get_attribute("data-state") for button in page.locator("#photographs button").all()]


def test_photographs_that_wait_go_on_when_the_server_is_back(visit, old):
    first = Server("serve", "--no-browser")
    page = visit(first.url)
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(old / "coffee.jpg")])
    held.wait()
    first.stop()
    held.release()
    until(page, lambda: "does not answer" in page.inner_text("#notice-text"))
    assert states(page) == ["waiting", "waiting"]
    second = Server("serve", "--no-browser", port=first.port)
    try:
        until(page, lambda: states(page) == ["done", "done"])
        assert page.is_hidden("#notice")
    finally:
        second.stop()


def test_a_file_that_is_gone_is_told_from_a_server_that_is_gone(visit, old, tmp_path):
    (tmp_path / "gone.jpg").write_bytes((old / "coffee.jpg").read_bytes())
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(tmp_path / "gone.jpg")])
    held.wait()
    (tmp_path / "gone.jpg").unlink()
    held.release()
    until(page, lambda: states(page) == ["done", "failed"])
    page.locator("#photographs button").nth(1).click()
    assert "cannot be read" in page.inner_text("#notice-text")


def test_what_is_removed_while_it_is_colorized_does_not_come_back(visit, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "pages.tif", save_all=True, append_images=[Image.linear_gradient("L")])
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", str(tmp_path / "pages.tif"))
    held.wait()
    page.click("#remove")
    with page.expect_request(lambda request: request.method == "DELETE"):
        held.release()
    assert states(page) == []
    assert page.is_visible("#empty")


def test_a_switch_counts_though_it_is_colorized_already(visit, old):
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", str(old / "astronaut.jpg"))
    held.wait()
    page.check("#negative")
    with page.expect_request(lambda request: "negative=1" in request.url):
        held.release()
    until(page, lambda: states(page) == ["done"])
    bare(page)
    negative = canvas(page)
    page.uncheck("#negative")
    until(page, lambda: states(page) == ["done"] and np.abs(canvas(page).astype(int) - negative).mean() > 20)


def test_what_is_undone_while_colours_come_is_undone(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg", old / "coffee.jpg")
    page.wait_for_selector("#alternatives img")
    bare(page)
    before = canvas(page)
    page.locator("#alternatives label").nth(2).click()
    until(page, lambda: marks(page, "refreshed"))
    page.locator("#photographs button").nth(1).click()
    until(page, lambda: marks(page, "shown") == 2)
    held = Held(page, "**/lightness")
    page.locator("#photographs button").nth(0).click()
    held.wait()
    page.click("#undo")
    until(page, lambda: marks(page, "refreshed") == 2)
    held.release()
    until(page, lambda: marks(page, "shown") == 3)
    until(page, lambda: np.array_equal(canvas(page), before))


def test_a_slider_moved_by_keys_is_undone_at_once(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.focus("#saturation")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert page.input_value("#saturation") == "1.12"
    page.focus("#undo")
    page.keyboard.press("Enter")
    assert page.input_value("#saturation") == "1"
    assert page.is_disabled("#undo")
    assert page.evaluate("document.activeElement.id") == "redo"


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


def test_a_new_token_in_the_address_is_taken_where_the_page_is(visit, old, tmp_path):
    (tmp_path / "token").write_text("a long enough token")
    server = Server("serve", "--no-browser", "--token-file", tmp_path / "token")
    try:
        page = visit(server.url)
        page.set_input_files("#add", str(old / "astronaut.jpg"))
        until(page, lambda: "#token=" in page.inner_text("#notice-text"))
        page.evaluate("location.hash = 'token=a%20long%20enough%20token'")
        until(page, lambda: states(page) == ["done"])
        assert page.is_hidden("#notice")
    finally:
        server.stop()


def test_a_click_means_what_is_under_it_on_another_screen_too(visit, old):
    page = visit(no_viewport=True)
    add(page, old / "astronaut.jpg")
    session, size = page.context.new_cdp_session(page), {"width": 1000, "height": 700, "mobile": False}
    for ratio in (2, 3):
        session.send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": ratio})
        until(page, lambda ratio=ratio: page.evaluate("devicePixelRatio") == ratio)
    box = page.locator("#canvas").bounding_box()
    with page.expect_request("**/suggestions?*") as asked:
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    place = dict(part.split("=") for part in asked.value.url.split("?")[1].split("&"))
    assert float(place["x"]) == pytest.approx(0.5, abs=0.01)
    assert float(place["y"]) == pytest.approx(0.5, abs=0.01)
