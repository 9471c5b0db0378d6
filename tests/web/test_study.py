"""The application without a browser: what it tells, and what it refuses."""

import json

import pytest
from starlette.testclient import TestClient

from tintype.web.study import COOKIE
from web.visitor import EXPOSED, Visitor


def test_the_way_from_consent_to_the_score(visitor):
    state = visitor.get("state").json()
    assert state["stage"] == "consent"
    state = visitor.begin().json()
    for place in range(6):
        assert (state["stage"], state["place"]) == ("practice" if place < 2 else "test", place)
        for side in ("left", "right"):
            assert visitor.get(f"pictures/{place}/{side}").headers["content-type"] == "image/png"
        visitor.look(place)
        reply = visitor.choose(place).json()
        assert ("right" in reply) == (place < 2)
        state = reply["state"]
    assert state["stage"] == "done"
    assert state["score"] in range(5)


def test_before_the_click_nothing_tells_the_made_up_one(visitor):
    """State and pictures of many pairs: whatever the browser gets but the pixels is the same for both sides."""
    visitor.begin()
    for place in range(6):
        state = visitor.get("state")
        assert set(state.json()) == {"title", "practice", "trials", "exposure", "stage", "place", "first"}
        left, right = (visitor.get(f"pictures/{place}/{side}") for side in ("left", "right"))
        assert left.headers == right.headers
        assert len(left.content) == len(right.content)
        assert left.content != right.content
        assert not {"etag", "last-modified"} & set(left.headers)
        visitor.look(place)
        visitor.choose(place)


def test_test_pairs_never_tell_whether_the_answer_was_right(visitor):
    visitor.begin()
    for place in range(5):
        visitor.look(place)
        reply = visitor.choose(place)
    assert set(reply.json()) == {"side", "state"}
    assert "fake" not in reply.text


@pytest.mark.parametrize("place", [1, 2, 5, 6, 1000])
def test_only_pictures_of_the_next_pair_are_served(visitor, place):
    visitor.begin()
    assert visitor.get(f"pictures/{place}/left").status_code == 404


@pytest.mark.parametrize("path", ["pictures/0/left", "pictures/0/right"])
def test_a_stranger_gets_no_pictures(visitor, path):
    assert visitor.get(path).status_code == 404


def test_nothing_but_the_study_is_served(app, study):
    client, root = app
    picture = next((study / "pictures").iterdir()).name
    for path in (
        "/",
        "/s/",
        "/s/guess/",
        "/study.json",
        f"{root}study.json",
        f"{root}study.db",
        f"{root}pictures/{picture}",
        f"{root}pictures/0/../../study.json",
        f"{root}..%2f..%2fstudy.json",
        f"{root}pictures/0/middle",
        f"{root}study.html",
    ):
        assert client.get(path).status_code == 404, path


def test_an_answer_that_is_sent_again_gets_the_same_reply_and_counts_once(visitor):
    visitor.begin()
    visitor.look(0)
    first = visitor.choose(0, "right").json()
    assert visitor.choose(0, "right").json() == first
    other = visitor.choose(0, "left").json()  # from a second tab
    assert other["side"] == "right"
    assert other["state"]["place"] == 1


def test_a_pair_that_was_not_shown_or_is_not_next_is_refused(visitor):
    visitor.begin()
    assert visitor.choose(0).status_code == 409
    assert visitor.choose(1).status_code == 409
    assert visitor.post("shown", place=1, showing="x").status_code == 409


def test_two_visitors_do_not_touch_each_other(visitor):
    one, other = visitor, visitor.other()
    one.begin()
    other.begin()
    one.look(0)
    one.choose(0)
    assert one.get("state").json()["place"] == 1
    assert other.get("state").json()["place"] == 0


def test_beginning_again_goes_on_and_another_person_may_begin_only_at_the_end(visitor):
    visitor.begin()
    visitor.look(0)
    visitor.choose(0)
    assert visitor.begin().json()["place"] == 1
    assert visitor.begin(another=True).json()["place"] == 1
    for place in range(1, 6):
        visitor.look(place)
        visitor.choose(place)
    assert visitor.begin().json()["stage"] == "done"
    assert visitor.begin(another=True).json()["place"] == 0


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor, app):
    begun = visitor.begin()
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"path={app[1].lower()}" in cookie
    assert len(begun.cookies[COOKIE]) >= 32


def test_behind_tls_the_cookie_is_sent_by_tls_only(app):
    client, root = app
    with_tls = TestClient(client.app, base_url="https://study.test")
    assert "secure" in Visitor(with_tls, root).begin().headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"place": 0, "side": "up", **EXPOSED},
        {"place": "0", "side": "left", **EXPOSED},
        {"place": True, "side": "left", **EXPOSED},
        {"place": 0.5, "side": "left", **EXPOSED},
        {"place": -1, "side": "left", **EXPOSED},
        {"place": 1e30, "side": "left", **EXPOSED},
        {"place": 0, "side": "left", **EXPOSED, "first": None},
        {"place": 0, "side": "left", **EXPOSED, "answer": -1},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(visitor, body):
    visitor.begin()
    visitor.look(0)
    assert visitor.post("answer", **body).status_code == 400
    assert visitor.get("state").json()["place"] == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"place": NaN}', b"[" * 4000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(visitor, body):
    visitor.begin()
    reply = visitor.client.post(f"{visitor.root}answer", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 400


def test_a_form_of_another_site_is_refused(visitor):
    visitor.begin()
    body = json.dumps({"place": 0, "side": "left", **EXPOSED})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        reply = visitor.client.post(f"{visitor.root}answer", content=body, headers={"content-type": kind})
        assert reply.status_code == 415
