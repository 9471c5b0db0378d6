"""The sockets of `tintype study serve`."""

import socket

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.testclient import TestClient

from tintype.cli import main


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
