import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from tintype.web.guard import FORGET, Guard, Limit, Rate, address_of


@pytest.fixture
def client():
    return TestClient(Guard(PlainTextResponse("hello"), per_address=Rate(per_second=0.001, burst=3)))


def test_every_reply_has_the_headers_refusals_too(client):
    for _ in range(5):
        reply = client.get("/")
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-store"
    assert reply.status_code == 429


def test_an_address_that_asks_too_much_is_told_to_wait(client):
    assert [client.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(client.get("/").headers["retry-after"]) > 0


def test_a_long_body_is_refused_unread(client):
    assert client.post("/", content=b"x" * 4096).status_code == 200
    assert client.post("/", content=b"x" * 4097).status_code == 413


def test_a_body_of_untold_length_is_refused(client):
    assert client.post("/", content=iter([b"x"])).status_code == 413


def test_a_limit_lets_a_burst_pass_and_then_its_rate():
    now = [0.0]
    limit = Limit(Rate(per_second=2, burst=3), lambda: now[0])
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert limit.take("a") == pytest.approx(0.5)
    assert limit.take("b") == 0
    now[0] = 0.5
    assert limit.take("a") == 0
    assert limit.take("a") > 0
    passed = 0
    for step in range(1000):
        now[0] = 10 + step / 100
        passed += limit.take("a") == 0
    assert passed == pytest.approx(3 + 2 * 10, abs=1)


def test_who_is_idle_is_forgotten():
    now = [0.0]
    limit = Limit(Rate(per_second=2, burst=3), lambda: now[0])
    for number in range(1000):
        limit.take(f"{number}")
    now[0] = 2 * FORGET
    limit.take("new")
    assert set(limit._left) == {"new"}


def test_an_ipv6_household_is_one_address_and_its_neighbour_another():
    one, same, other = (
        address_of((f"2001:db8:0:{net}::{host}", 1)) for net, host in ((1, "1"), (1, "ffff:2"), (2, "1"))
    )
    assert one == same != other


def test_ipv4_by_way_of_ipv6_is_ipv4_and_every_address_its_own():
    assert address_of(("::ffff:192.0.2.1", 1)) == address_of(("192.0.2.1", 9)) == "192.0.2.1"
    assert address_of(("::ffff:192.0.2.2", 1)) != address_of(("::ffff:192.0.2.1", 1))


@pytest.mark.parametrize("client", [None, ("", 1), ("not an address", 1), ("fe80::1%eth0", 1)])
def test_an_address_may_be_anything(client):
    assert isinstance(address_of(client), str)


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x", "", "1.0"])
def test_a_crafted_length_is_refused(client, length):
    assert client.post("/", content=b"x", headers={"content-length": length}).status_code == 413
