"""Requests that no page sends: too many, crafted, or never complete."""

import asyncio

import pytest

from tintype.web import study as pages
from tintype.web.guard import HEADERS, Rate
from tintype.web.study import COOKIE
from web.visitor import EXPOSED

FEW = Rate(per_second=0.001, burst=10)


def _states(visitor, tokens):
    return [
        visitor.client.get(f"{visitor.root}state", headers={"cookie": f"{COOKIE}={token}"}).status_code
        for token in tokens
    ]


@pytest.fixture
def few_for_strangers(monkeypatch):
    monkeypatch.setattr(pages, "STRANGERS", FEW)


@pytest.fixture
def few_for_visitors(monkeypatch):
    monkeypatch.setattr(pages, "PER_VISITOR", FEW)


@pytest.mark.usefixtures("few_for_strangers")
def test_made_up_cookies_count_against_the_address(visitor):
    answers = _states(visitor, [f"made-up-{number}" for number in range(20)])
    assert answers == [200] * 10 + [429] * 10
    assert visitor.client.get(f"{visitor.root}pictures/0/left").status_code == 429
    assert _states(visitor.other(client=("192.0.2.7", 1)), ["made-up"]) == [200]


@pytest.mark.usefixtures("few_for_strangers")
def test_who_is_a_visitor_is_not_stopped_by_strangers_at_his_address(visitor):
    visitor.begin()
    stranger = visitor.other()
    assert [stranger.get("state").status_code for _ in range(12)][-1] == 429
    assert visitor.get("state").status_code == 200
    visitor.finish()
    assert visitor.get("state").json()["stage"] == "done"


@pytest.mark.usefixtures("few_for_visitors")
def test_a_visitor_who_asks_too_much_stops_no_other(visitor):
    other = visitor.other()
    visitor.begin()
    other.begin()
    assert [visitor.get("state").status_code for _ in range(12)] == [200] * 10 + [429] * 2
    assert other.get("state").status_code == 200


CRAFTED = [
    "0",
    0.0,
    -0.0,
    0.5,
    True,
    -1,
    10_000,
    2**31,
    2**63,
    10**400,
    1e300,
    float("nan"),
    float("inf"),
    None,
    [],
    {},
    "\0",
]


@pytest.mark.parametrize("place", CRAFTED, ids=lambda place: repr(place)[:20])
def test_a_crafted_place_is_refused(visitor, place):
    visitor.begin()
    visitor.look(0)
    for path, body in (("shown", {"showing": "again"}), ("answer", {"side": "left", **EXPOSED})):
        assert visitor.post(path, place=place, **body).status_code == 400
    assert visitor.get("state").json()["place"] == 0


@pytest.mark.parametrize("showing", ["", "\0", "a\0b", "\ud800", "a" * 41, "ä", "a b", "a\n", 5, None, ["a"]])
def test_a_crafted_showing_is_refused(visitor, showing):
    visitor.begin()
    assert visitor.post("shown", place=0, showing=showing).status_code == 400


@pytest.mark.parametrize("side", ["\0", "\ud800", 0, None, [], {"left": 1}])
def test_a_crafted_side_is_refused(visitor, side):
    visitor.begin()
    visitor.look(0)
    assert visitor.post("answer", place=0, side=side, **EXPOSED).status_code == 400


@pytest.mark.parametrize("place", ["9" * 5000, "-1", "0.0", "00", "%00", "\u0660", "0%2f0", "1e0", "x"])
def test_a_crafted_address_of_a_picture_is_not_found(visitor, place):
    visitor.begin()
    assert visitor.get("pictures/0/left").status_code == 200
    assert visitor.get(f"pictures/{place}/left").status_code == 404


@pytest.mark.parametrize("path", ["", "state", "nothing"])
def test_a_crafted_host_is_no_error(visitor, path):
    for host in (b"[", b"a b", b"\x00", b"a:99999999", b"", b"http://x/", b"\xff"):
        assert visitor.client.get(visitor.root + path, headers={"host": host}).status_code in (200, 404)


@pytest.mark.parametrize("token", ["a" * 65, "\\000", "\\377", "é", '"', "a b", "../..", ";"])
def test_a_crafted_cookie_is_a_stranger(visitor, token):
    cookie = f"{COOKIE}={token}".encode()
    reply = visitor.client.get(f"{visitor.root}state", headers={"cookie": cookie})
    assert reply.json()["stage"] == "consent"
    assert visitor.client.get(f"{visitor.root}pictures/0/left", headers={"cookie": cookie}).status_code == 404


def test_an_error_of_ours_has_the_headers_too(visitor, study):
    visitor.begin()
    for path in (study / "pictures").iterdir():
        path.unlink()
    reply = visitor.get("pictures/0/left")
    assert reply.status_code == 500
    assert {name: reply.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("leaves", [False, True])
def test_a_body_that_does_not_come_is_not_waited_for(app, monkeypatch, leaves):
    monkeypatch.setattr(pages, "PATIENCE", 0.05)
    client, root = app
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"{root}begin",
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"10")],
        "client": ("192.0.2.1", 1),
    }
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]
    parts += [{"type": "http.disconnect"}] * leaves
    sent = []

    async def receive():
        return parts.pop(0) if parts else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    asyncio.run(asyncio.wait_for(client.app(scope, receive, send), 10))
    assert sent[0]["status"] == 408
