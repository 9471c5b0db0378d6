"""The socket of a command that serves, and how that begins and ends."""

import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tintype.cli._options import Wrong
from tintype.cli._report import printable

if TYPE_CHECKING:
    import uvicorn


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Listens at an address; port 0 is any that is free.

    Raises:
        Wrong: that cannot be done there; in one line.
    """
    try:
        host.encode("idna")  # as the next line will, but without leaving a socket open where it cannot
        listening = socket.create_server((host, port), family=family_of(host), backlog=backlog)
    except (OSError, UnicodeError) as error:
        raise Wrong(printable(f"--host {host} --port {port}: {getattr(error, 'strerror', 'no such host')}")) from error
    # asyncio does so only for the sockets that it makes itself; without it each answer waits 40 ms for the last one's
    # acknowledgement
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def reachable(host: str, bound: str) -> str:
    """The host as it stands in a link that others can follow: this machine's address where it listens on all.

    Args:
        host: as it was asked for.
        bound: the address that came of it.
    """
    family = family_of(bound)
    if ip_address(bound).is_unspecified:
        own, elsewhere = ("::1", "2001:db8::1") if family == socket.AF_INET6 else ("127.0.0.1", "192.0.2.1")
        with socket.socket(family, socket.SOCK_DGRAM) as way:
            try:
                way.connect((elsewhere, 9))  # sends nothing: it only asks by which address one would leave
                host = way.getsockname()[0]
            except OSError:
                host = own
    return f"[{host}]" if family == socket.AF_INET6 else host


def run(server: "uvicorn.Server", listening: socket.socket) -> None:
    """Serves until Ctrl-C, which is how it is meant to end."""
    with suppress(KeyboardInterrupt):  # uvicorn raises it again when all is closed
        server.run(sockets=[listening])


def family_of(host: str) -> socket.AddressFamily:
    """Of an address, or of a host's name."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
