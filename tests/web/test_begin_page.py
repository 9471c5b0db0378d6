"""Beginning in a real browser: replies that are lost, cookies that are not kept, and a study that is full."""

import json
import re
import time
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import select, update

from tintype.study.storage import Storage, visitors
from web.page import CHROMIUM, FLAGS, PHONE, answer, choice, start

NEEDS_A_COOKIE = "This study needs one cookie"


def _begun(study):
    storage = Storage(study)
    rows = storage.read(lambda c: c.execute(select(visitors)).all())
    storage.close()
    return rows


def _lose_replies(page, times, without=None):
    """Lets the server see `begin`, but the page its reply, or `without`: its cookie, only after so many times."""
    bodies = []

    def lose(route):
        bodies.append(route.request.post_data)
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(route.request.url, bodies[-1].encode(), headers)) as reply:
            content = reply.read()
        if without:
            route.fulfill(body=content, content_type="application/json")
        else:
            route.abort()

    page.route("**/begin", lose, times=times)
    return bodies


def test_a_beginning_whose_reply_is_lost_makes_one_visitor(visit, study):
    page = visit()
    bodies = _lose_replies(page, 2)
    start(page)
    choice(page)
    assert len(bodies) == 2
    assert len(_begun(study)) == 1


def test_nor_does_it_where_the_page_is_reloaded_meanwhile(visit, study):
    page = visit()
    bodies = _lose_replies(page, 100)
    page.click("#agree")
    page.wait_for_selector("#trouble:visible")
    page.reload()
    page.unroute("**/begin")
    start(page)
    choice(page)
    assert len(bodies) >= 1
    assert len(_begun(study)) == 1


def test_the_name_is_made_by_chance_and_forgotten_when_it_was_of_use(visit, study):
    names = set()
    for _ in range(2):
        page = visit()
        with page.expect_request("**/begin") as begin:
            page.click("#agree")
        names.add(json.loads(begin.value.post_data)["beginning"])
        page.click("#note-go")
        choice(page)
        assert page.evaluate("sessionStorage.length") == 0
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


def test_another_person_whose_beginning_is_lost_makes_one_visitor(visit, study):
    page = visit()
    start(page)
    for place in range(6):
        if place == 2:
            page.click("#note-go")
        answer(page, practice=place < 2)
    page.wait_for_selector("#done:visible")
    _lose_replies(page, 100)
    page.click("#another")
    page.wait_for_selector("#trouble:visible")
    page.reload()
    page.unroute("**/begin")
    page.click("#another")
    page.wait_for_selector("#note-title:has-text('What to do')")
    page.click("#note-go")
    page.wait_for_selector("#count:has-text('Practice pair 1 of 2')")
    assert len(_begun(study)) == 2


def test_a_browser_that_keeps_no_cookie_is_told_so_and_may_try_again(visit, study):
    page = visit()
    _lose_replies(page, 2, without="cookie")
    page.click("#agree")
    page.wait_for_selector(f"#trouble:has-text('{NEEDS_A_COOKIE}')")
    assert page.is_visible("#agree")
    page.click("#agree")
    page.wait_for_selector(f"#trouble:has-text('{NEEDS_A_COOKIE}')")
    page.click("#agree")  # now it is kept
    page.click("#note-go")
    choice(page)
    assert page.is_hidden("#trouble")
    assert len(_begun(study)) == 1


def test_a_browser_that_blocks_cookies_and_all_else_is_told_so(playwright, study, serve, tmp_path):
    """As Chromium's settings do it: then even asking for sessionStorage is an error."""
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(settings))
    options = {**PHONE, "executable_path": CHROMIUM, "args": FLAGS}
    context = playwright.chromium.launch_persistent_context(profile, **options)
    try:
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(serve(study).url)
        for _ in range(2):
            page.tap("#agree")
            page.wait_for_selector(f"#trouble:has-text('{NEEDS_A_COOKIE}')")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert errors == []
    finally:
        context.close()
    assert len(_begun(study)) == 1


def test_who_comes_with_too_many_others_is_told_to_wait_and_goes_on(visit):
    page = visit()
    page.route("**/begin", lambda route: route.fulfill(status=429, body="{}"), times=3)
    page.click("#agree")
    page.wait_for_selector("#trouble:has-text('Many people are here at once')")
    page.click("#note-go")
    assert page.is_hidden("#trouble")


def test_who_loses_the_cookie_on_the_way_is_told_so(visit, study):
    page = visit()
    start(page)
    choice(page)
    page.context.clear_cookies()
    page.click("#left")
    page.wait_for_selector("#consent:visible")
    assert NEEDS_A_COOKIE in page.inner_text("#trouble")


def test_a_full_study_says_so_and_may_have_room_later(browser, study, serve):
    server = serve(study, 0, "--most-visitors", "1")
    pages = [browser.new_context(**PHONE).new_page() for _ in range(2)]
    for page in pages:
        page.goto(server.url)
        page.wait_for_selector("#consent:visible")
    first, late = pages
    first.tap("#agree")
    first.wait_for_selector("#note:visible")
    late.tap("#agree")
    late.wait_for_selector("#full:visible")
    assert "The study is full" in late.inner_text("#full")
    assert late.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    late.reload()
    late.wait_for_selector("#full:visible")
    late.tap("#retry")
    late.wait_for_selector("#trouble:has-text('no room')")
    storage = Storage(study)
    storage.write(lambda c: c.execute(update(visitors).values(begun=time.time() - 3700))).result()
    storage.close()
    late.tap("#retry")
    late.tap("#agree")
    late.wait_for_selector("#note:visible")
    assert len(_begun(study)) == 2
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("size", [(640, 320), (844, 390), (320, 568), (390, 844)])
def test_on_any_phone_either_way_up_both_frames_are_within_the_screen(visit, size):
    page = visit(**{**PHONE, "viewport": dict(zip(("width", "height"), size, strict=True))})
    page.tap("#agree")
    page.tap("#note-go")
    choice(page)
    for name in ("#left", "#right"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1]
        assert box["width"] == box["height"] >= 128
