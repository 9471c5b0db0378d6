"""The socket of a command that serves."""

import socket

from tintype.cli._options import Wrong
from tintype.cli._report import printable


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


def family_of(host: str) -> socket.AddressFamily:
    """Of an address, or of a host's name."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
