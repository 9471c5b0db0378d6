"""The sockets of `tintype study serve`."""

import re
import socket
import threading
import time
from urllib.request import urlopen

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from tintype.cli import main
from tintype.study.folder import read_study
from tintype.web import connection
from tintype.web import study as pages
from tintype.web.guard import Rate
from tintype.web.sending import whole
from web.visitor import Visitor


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_does_not_wait_for_the_acknowledgement_of_the_packet_before(study, monkeypatch, host):
    """As it does for 40 ms where neither the server nor asyncio switches Nagle's algorithm off."""
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 on this machine")
    without_delay = []

    def run(self, sockets):
        with TestClient(self.config.app):  # its end closes the database
            pass
        (listening,) = sockets
        with listening, socket.create_connection(listening.getsockname()[:2]), listening.accept()[0] as accepted:
            without_delay.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(uvicorn.Server, "run", run)
    done = CliRunner().invoke(main, ["study", "serve", str(study), "--host", host, "--port", "0"])
    assert done.exit_code == 0, done.output
    assert without_delay
    assert all(without_delay)


def _needs_ipv6():
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 on this machine")


@pytest.mark.parametrize("host", ["::", "0:0::0", "::1", "0.0.0.0", "0", "", "localhost", "127.0.0.1"])
def test_the_link_can_be_followed(study, serve, host):
    if ":" in host:
        _needs_ipv6()
    server = serve(study, 0, "--host", host)
    assert re.match(r"http://\[" if ":" in host else r"http://[a-z0-9.]+:", server.url)
    with urlopen(server.url, timeout=10) as reply:
        assert reply.status == 200


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "nowhere.invalid", "192.0.2.1", "a b", "\udcff", "[::1]"])
def test_a_host_that_is_not_this_machine_s_is_one_line(study, host):
    done = CliRunner().invoke(main, ["study", "serve", str(study), "--host", host, "--port", "0"])
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: --host ")


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1"])
def test_what_a_proxy_says_is_believed_only_where_one_is_told_of(study, monkeypatch, behind, proxy):
    monkeypatch.setattr(pages, "NEW_VISITORS", Rate(per_second=0.001, burst=1))
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own setting, which must change nothing
    replies = []

    def run(self, sockets):
        sockets[0].close()
        self.config.load()
        root = f"/s/{read_study(study).token}/"
        with TestClient(self.config.loaded_app, client=(proxy, 50)) as client:
            for address in ("192.0.2.7", "192.0.2.8", "192.0.2.8"):
                client.headers = {"x-forwarded-for": address, "x-forwarded-proto": "https"}
                replies.append(Visitor(client, root).begin())
                client.cookies.clear()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    options = ["--behind-proxy"] if behind else []
    done = CliRunner().invoke(main, ["study", "serve", str(study), "--port", "0", *options])
    assert done.exit_code == 0, done.output
    assert ("once it begins with the proxy's address" in done.stderr) == behind
    assert [reply.status_code for reply in replies] == ([200, 200, 429] if behind else [200, 429, 429])
    assert ("secure" in replies[0].headers["set-cookie"].lower()) == behind


@pytest.fixture
def small_server(monkeypatch):
    """A server that gives up soon, with the connections of `tintype study serve`: its port."""
    monkeypatch.setattr(connection, "MOST", 3)
    monkeypatch.setattr(connection, "PATIENCE", 1.0)
    listening = socket.create_server(("127.0.0.1", 0))
    hello = PlainTextResponse("hello")
    server = uvicorn.Server(uvicorn.Config(hello, http=connection.Connection, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def _connect(port, sent=b""):
    connected = socket.create_connection(("127.0.0.1", port), timeout=10)
    connected.sendall(sent)
    return connected


def _is_closed(connected):
    """Waits for the other side to send something, or to close."""
    try:
        return connected.recv(1) == b""
    except ConnectionResetError:
        return True


REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", REQUEST[:-2], REQUEST + REQUEST[:-2]])
def test_a_connection_that_does_not_ask_is_closed(small_server, sent):
    with _connect(small_server, sent) as idle:
        start = time.monotonic()
        while not _is_closed(idle):
            pass
        assert 0.5 < time.monotonic() - start < 8


def test_a_connection_that_goes_on_asking_stays(small_server):
    with _connect(small_server) as busy:
        for _ in range(4):
            time.sleep(0.6)
            busy.sendall(REQUEST)
            reply = b""
            while not reply.endswith(b"hello"):
                reply += busy.recv(1000)


def test_one_address_has_so_many_connections_and_no_more(small_server):
    idle = [_connect(small_server) for _ in range(3)]
    with _connect(small_server, REQUEST) as late:
        assert _is_closed(late)
    with idle.pop() as first:
        first.sendall(REQUEST)
        assert not _is_closed(first)
    for other in idle:
        other.close()
    time.sleep(0.2)
    with _connect(small_server, REQUEST) as later:
        assert not _is_closed(later)


def test_the_limit_of_connections_is_not_for_a_proxy_which_has_one_address(study, monkeypatch):
    used = []

    def run(self, sockets):
        sockets[0].close()
        used.append(self.config.http)
        with TestClient(self.config.app):
            pass

    monkeypatch.setattr(uvicorn.Server, "run", run)
    for options in ([], ["--behind-proxy"]):
        CliRunner().invoke(main, ["study", "serve", str(study), "--port", "0", *options])
    assert used == [connection.Connection, "h11"]


def test_a_client_that_does_not_take_its_answer_is_dropped(monkeypatch):
    monkeypatch.setattr(connection, "TAKING", 1.0)

    async def large(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(800):
            await send({"type": "http.response.body", "body": bytes(50_000), "more_body": True})
        await send({"type": "http.response.body"})

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(large, http=connection.Connection, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with _connect(listening.getsockname()[1], REQUEST) as idle, _connect(idle.getpeername()[1], REQUEST) as taker:
            begun, reply = time.monotonic(), b""
            while not reply.endswith(b"0\r\n\r\n"):  # for longer than the others' patience, but on and on
                part = taker.recv(100_000)
                assert part, "dropped"
                reply = reply[-10:] + part
                time.sleep(0.005)
            assert time.monotonic() - begun > 1
            taker.close()
            for _ in range(100):
                if not server.server_state.connections:
                    break
                time.sleep(0.1)
            assert not server.server_state.connections
    finally:
        server.should_exit = True
        thread.join()


def test_who_takes_a_large_answer_slowly_gets_all_of_it(monkeypatch):
    monkeypatch.setattr(connection, "TAKING", 1.0)
    listening = socket.create_server(("127.0.0.1", 0))
    large = whole(bytes(20_000_000), "image/jpeg")
    server = uvicorn.Server(uvicorn.Config(large, http=connection.Connection, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with _connect(listening.getsockname()[1], REQUEST) as taker:
            begun, total = time.monotonic(), 0
            while total < 20_000_000:
                part = taker.recv(100_000)
                assert part, "dropped"
                total += len(part)
                time.sleep(0.015)
            assert time.monotonic() - begun > 2
    finally:
        server.should_exit = True
        thread.join()
