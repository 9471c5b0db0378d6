"""The page in a real browser: sliders, hints, possibilities, switches, and undoing them."""

import numpy as np

from tintype.color import rgb_to_lab
from web.page import until
from web.page_of_serve.acts import BEGIN, Held, add, bare, canvas, coloured, hint, marks, states


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


def test_a_switch_counts_though_it_is_colorized_already(visit, old):
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", str(old / "astronaut.jpg"))
    held.wait()
    with page.expect_request(lambda request: "negative=1" in request.url):
        page.check("#negative")
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
