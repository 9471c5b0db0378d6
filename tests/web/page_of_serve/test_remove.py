"""The page in a real browser: taking photographs off it, and putting them back."""

import numpy as np
from PIL import Image

from web.page import PHONE, until
from web.page_of_serve.acts import BEGIN, Held, add, bare, busy, canvas, hint, names, shown, states


def put_back(page, name):
    before = shown(page, name)
    page.click("#offer-take")
    until(page, lambda: shown(page, name) > before)
    until(page, lambda: set(states(page)) <= {"done", "failed"})


def test_what_was_removed_is_put_back_with_what_was_chosen(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg", old / "coffee.jpg")
    hint(page)
    bare(page)
    looked, chosen = canvas(page), page.locator("#hints button").inner_text()
    page.click("#remove")
    until(page, lambda: shown(page, "coffee.jpg"))
    assert names(page) == ["coffee.jpg"]
    assert not np.array_equal(canvas(page), looked)
    assert "astronaut.jpg is off this page" in page.inner_text("#offer-text")
    put_back(page, "astronaut.jpg")
    assert names(page) == ["astronaut.jpg", "coffee.jpg"]
    assert page.is_hidden("#offer")
    assert page.evaluate("document.activeElement.id") == "canvas"
    assert page.locator("#hints button").inner_text() == chosen
    assert np.array_equal(canvas(page), looked)
    page.click("#undo")
    assert page.locator("#hints button").count() == 0


def test_the_last_one_is_put_back_too_and_the_offer_can_be_closed(visit, old):
    page = visit()
    add(page, old / "astronaut.jpg")
    page.click("#remove")
    assert page.is_visible("#empty")
    put_back(page, "astronaut.jpg")
    assert page.is_hidden("#empty")
    page.click("#remove")
    page.click("#offer-close")
    assert page.is_hidden("#offer")


def test_the_offer_stays_beside_what_is_said_of_the_next_photograph(visit, old, tmp_path):
    orange = np.asarray(Image.open(old / "coffee.jpg").convert("RGB")) * np.array([0.4, 0.35, 0.3]) + [130, 70, 30]
    Image.fromarray(orange.astype(np.uint8)).save(tmp_path / "film.png")
    page = visit()
    add(page, old / "astronaut.jpg", tmp_path / "film.png", old / "broken.jpg")
    page.click("#remove")
    until(page, lambda: "negative" in page.inner_text("#notice-text"))
    assert page.is_visible("#offer-take")
    page.click("#remove")
    assert page.inner_text("#notice-text").strip() != ""
    assert "cannot" in page.locator("#photographs button").get_attribute("aria-label")
    assert "film.png is off" in page.inner_text("#offer-text")
    page.set_input_files("#add", str(old / "coffee.jpg"))
    put_back(page, "film.png")
    assert names(page) == ["film.png", "broken.jpg", "coffee.jpg"]


def test_it_goes_before_what_it_was_before_though_pages_came_between(visit, old, tmp_path):
    first, *others = [Image.linear_gradient("L").resize((60 + n, 40)) for n in range(3)]
    first.save(tmp_path / "pages.tif", save_all=True, append_images=others)
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(tmp_path / "pages.tif")])
    held.wait()
    page.click("#remove")
    held.release()
    until(page, lambda: states(page) == ["done"] * 3)
    put_back(page, "astronaut.jpg")
    assert names(page) == ["astronaut.jpg", "pages.tif, 1", "pages.tif, 2", "pages.tif, 3"]


def test_what_is_removed_while_it_is_colorized_does_not_come_back(visit, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "pages.tif", save_all=True, append_images=[Image.linear_gradient("L")])
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", str(tmp_path / "pages.tif"))
    held.wait()
    page.click("#remove")
    held.release()
    page.wait_for_timeout(1000)
    assert states(page) == []
    assert page.is_visible("#empty")


def test_what_is_removed_holds_nothing_up_where_the_server_is_busy(visit, old):
    page = visit()
    asked = busy(page, BEGIN, 3)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(old / "coffee.jpg")])
    until(page, lambda: len(asked) == 3)  # and 2 seconds until the fourth
    page.click("#remove")
    until(page, lambda: len(asked) == 4)
    assert len(asked[-1].post_data_buffer) == (old / "coffee.jpg").stat().st_size
    until(page, lambda: states(page) == ["done"])


def test_a_busy_server_is_told_and_waited_for(visit, old):
    page = visit()
    busy(page, BEGIN, 4)
    page.set_input_files("#add", str(old / "coffee.jpg"))
    until(page, lambda: "busy" in page.inner_text("#notice-text"))
    until(page, lambda: states(page) == ["done"])
    assert page.is_hidden("#notice")


def test_on_a_phone_a_long_name_leaves_the_buttons_in_sight(visit, old, tmp_path):
    name = "IMG_20190304_123456789_BURST000_COVER_TOP_scan_of_grandmother.jpg"
    (tmp_path / name).write_bytes((old / "coffee.jpg").read_bytes())
    page = visit(**PHONE)
    add(page, tmp_path / name, old / "coffee.jpg")
    page.locator("#remove").scroll_into_view_if_needed()
    page.click("#remove")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in ("#offer-take", "#offer-close"):
        box = page.locator(button).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 640
