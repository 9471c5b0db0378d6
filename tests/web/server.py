"""`tintype serve` or `tintype study serve` as a process, which may be killed."""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from cli.command import ENVIRONMENT, TINTYPE


class Server:
    def __init__(self, *verb: str | Path, port: int = 0) -> None:
        command = [TINTYPE, *verb, "--port", str(port)]
        self.process = subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]
        parts = urlsplit(self.url)
        self.root, self.port = parts.path, parts.port or 0

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self._end()

    def _end(self) -> None:
        self.process.communicate(timeout=20)


@contextmanager
def serve_app(app: ASGIApp) -> Iterator[str]:
    """Serves an application in a thread of this process; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
