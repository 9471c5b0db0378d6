"""The page in a real browser."""

import json
import shutil
import time

import pytest

from study.small import make
from web.page import PHONE, answer, answered, choice, start, stored, until

FRAME = 1000 / 60

# In each frame, whether the middle of either picture is painted: seen from outside of the page's own measuring.
WATCH = """
window.seen = [];
const look = (now) => {
  const painted = [...document.querySelectorAll("canvas")].map(
    (canvas) => canvas.getContext("2d").getImageData(128, 128, 1, 1).data[3] > 0);
  window.seen.push([now, ...painted]);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def _spans(seen):
    """How long each picture was painted, in turn: [(side, ms), ...]."""
    spans, since, shown = [], 0.0, None
    for now, left, right in seen:
        assert not (left and right)
        side = "left" if left else "right" if right else None
        if side != shown:
            if shown:
                spans.append((shown, now - since))
            since, shown = now, side
    return spans


def test_each_picture_is_shown_for_one_second_within_two_frames(visit, study):
    page = visit()
    start(page)
    for place in range(3):
        if place == 2:
            page.click("#note-go")
        page.evaluate(WATCH) if place == 0 else page.evaluate("window.seen = []")
        choice(page)
        spans = _spans(page.evaluate("window.seen"))
        assert len(spans) == 2
        assert {side for side, _ in spans} == {"left", "right"}
        for _, ms in spans:
            assert ms == pytest.approx(1000, abs=2 * FRAME)
        answer(page, practice=place < 2)
        until(page, lambda place=place: len(answered(study)) == place + 1)
        row = answered(study)[-1]
        assert (row["first_ms"], row["second_ms"]) == pytest.approx([ms for _, ms in spans], abs=FRAME)
        assert ["left", "right"][not row["left_first"]] == spans[0][0]


def test_a_slow_network_does_not_shorten_the_exposure(visit, study):
    page = visit()
    page.route("**/pictures/**", lambda route: (time.sleep(0.4), route.continue_()))
    start(page)
    page.evaluate(WATCH)
    choice(page)
    for _, ms in _spans(page.evaluate("window.seen")):
        assert ms == pytest.approx(1000, abs=2 * FRAME)


def test_the_keyboard_alone_leads_to_the_score(visit, study):
    page = visit()
    page.wait_for_selector("#agree:visible")
    page.focus("#agree")
    page.keyboard.press("Enter")
    page.wait_for_selector("#note-go:focus")
    page.keyboard.press("Enter")
    for place, key in enumerate(["ArrowLeft", "ArrowRight", "1", "2", "ArrowLeft", "ArrowRight"]):
        if place == 2:
            page.wait_for_selector("#note-go:focus")
            page.keyboard.press("Enter")
        answer(page, key, practice=place < 2)
    page.wait_for_selector("#done:visible")
    rows = answered(study)
    assert [row["chose_left"] for row in rows] == [True, False, True, False, True, False]
    right = sum(row["chose_left"] == row["fake_left"] for row in rows[2:])
    assert f"in {right} of 4 pairs" in page.inner_text("#score")


def test_practice_tells_the_truth_after_the_click_and_not_before(visit, study):
    page = visit()
    replies = []
    page.on("response", lambda reply: replies.append(reply.url))
    start(page)
    for place in range(2):
        choice(page)
        assert "made-up colours" not in page.inner_text(".frames")
        page.click("#right")
        page.wait_for_selector("#next:visible")
        row = stored(study)[place]
        assert page.inner_text("#prompt") == ("✗ Wrong" if row["fake_left"] else "✓ Right")
        assert page.inner_text("#left-caption") == ("made-up colours" if row["fake_left"] else "true colours")
        page.click("#next")


@pytest.mark.parametrize("when", ["while it is shown", "before the answer"])
def test_a_reload_goes_on_where_the_visitor_was_and_the_pair_is_marked(visit, study, when):
    page = visit()
    start(page)
    answer(page, practice=True)
    page.wait_for_selector("#count:has-text('2 of 2')")
    until(page, lambda: stored(study)[1]["shown"] == 1)
    if when == "before the answer":
        choice(page)
    page.reload()
    page.wait_for_selector("#note-title:has-text('Welcome back')")
    page.click("#note-go")
    page.wait_for_selector("#count:has-text('Practice pair 2 of 2')")
    answer(page, practice=True)
    page.wait_for_selector("#note-title:has-text('real test')")
    rows = stored(study)
    assert [row["shown"] for row in rows[:3]] == [1, 2, 0]
    assert len(answered(study)) == 2


def test_a_page_that_is_hidden_meanwhile_shows_the_pair_again_and_marks_it(visit, study):
    page = visit()
    start(page)
    until(page, lambda: stored(study)[0]["shown"] == 1)
    page.wait_for_timeout(200)
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    page.wait_for_timeout(1500)
    assert not page.is_enabled("#left")
    page.evaluate("""() => {
      delete document.hidden;
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    choice(page)
    assert stored(study)[0]["shown"] == 2


def test_a_lost_connection_is_told_and_the_answer_is_sent_when_it_is_back(visit, study):
    page = visit()
    start(page)
    choice(page)
    page.context.set_offline(True)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#trouble:visible")
    assert "No connection" in page.inner_text("#trouble")
    assert answered(study) == []
    page.context.set_offline(False)
    page.wait_for_selector("#next:visible")
    assert page.is_hidden("#trouble")
    assert len(answered(study)) == 1


def test_a_server_that_is_killed_and_comes_back_is_not_noticed_but_for_a_message(visit, study, serve):
    page = visit()
    start(page)
    choice(page)
    visit.server.kill()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#trouble:visible")
    serve(study, visit.server.port)
    page.wait_for_selector("#next:visible")
    assert len(answered(study)) == 1


def test_two_visitors_at_once_do_not_touch_each_other(visit, study):
    one, other = visit(), visit()
    start(one)
    start(other)
    answer(one, "ArrowLeft", practice=True)
    answer(other, "ArrowRight", practice=True)
    answer(other, "ArrowRight", practice=True)
    answer(one, "ArrowLeft", practice=True)
    by_visitor = {}
    for row in answered(study):
        by_visitor.setdefault(row["visitor"], []).append(row["chose_left"])
    assert sorted(by_visitor.values()) == [[False, False], [True, True]]


def test_only_the_tab_that_was_opened_last_goes_on(visit, study):
    first = visit()
    start(first)
    choice(first)
    second = visit(context=first.context)
    first.wait_for_selector("#elsewhere:visible")
    second.click("#note-go")  # what to do
    answer(second, practice=True)
    first.click("#here")
    second.wait_for_selector("#elsewhere:visible")
    first.click("#note-go")
    first.wait_for_selector("#count:has-text('Practice pair 2 of 2')")
    assert len(answered(study)) == 1


def test_a_second_tab_that_knows_nothing_of_the_first_does_not_count_twice(visit, study):
    """As where the browser keeps its tabs apart."""
    first = visit()
    start(first)
    choice(first)
    cookies = first.context.cookies()
    second = visit(base_url=visit.server.url)
    second.context.add_cookies(cookies)
    second.reload()
    second.click("#note-go")
    choice(second)
    second.keyboard.press("ArrowRight")
    second.wait_for_selector("#next:visible")
    first.keyboard.press("ArrowLeft")
    first.wait_for_selector("#next:visible")
    rows = answered(study)
    assert [(row["chose_left"], row["shown"]) for row in rows] == [(False, 2)]
    first.click("#next")
    first.wait_for_selector("#count:has-text('Practice pair 2 of 2')")


def test_on_a_phone_all_is_within_the_screen_and_touch_answers(visit, study):
    page = visit(**PHONE)
    page.wait_for_selector("#consent:visible")

    def fits():
        return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    assert fits()
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('#text p')).fontSize)") >= 16
    page.tap("#agree")
    assert fits()
    page.tap("#note-go")
    choice(page)
    assert fits()
    boxes = [page.locator(name).bounding_box() for name in ("#left", "#right")]
    for box in boxes:
        assert 140 <= box["width"] == box["height"]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] + box["height"] <= 640
    page.tap("#right")
    page.wait_for_selector("#next:visible")
    assert fits()
    assert page.locator("#next").bounding_box()["height"] >= 44
    (row,) = answered(study)
    assert not row["chose_left"]


def test_the_page_loads_nothing_from_elsewhere_and_breaks_no_policy(visit, study):
    page = visit()
    asked, told = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.reload()
    start(page)
    answer(page, practice=True)
    assert all(url.startswith(visit.server.url) for url in asked if not url.endswith("/favicon.ico"))
    assert not [text for text in told if "favicon" not in text and "404" not in text]


def test_markup_in_title_and_consent_is_shown_as_it_is_written(visit, study, serve, tmp_path):
    settings = json.loads((study / "study.json").read_text())
    settings |= {"title": "<b>Bold</b>", "consent": "First.\n\n<img src=x onerror=alert(1)>"}
    other = tmp_path / "other"
    shutil.copytree(study, other, ignore=shutil.ignore_patterns("study.db*"))
    (other / "study.json").write_text(json.dumps(settings))
    page = visit(serve(other).url)
    page.wait_for_selector("#consent:visible")
    assert page.inner_text("#title") == "<b>Bold</b>"
    assert page.locator("#text p").all_inner_texts() == ["First.", "<img src=x onerror=alert(1)>"]


def test_another_exposure_is_kept_too(browser, tmp_path, serve):
    page = browser.new_page()
    page.goto(serve(make(tmp_path, practice=0, trials=2, exposure=0.3)).url)
    start(page)
    page.evaluate(WATCH)
    choice(page)
    spans = _spans(page.evaluate("window.seen"))
    assert [ms for _, ms in spans] == pytest.approx([300, 300], abs=2 * FRAME)
    page.close()
