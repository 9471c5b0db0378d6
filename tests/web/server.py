"""`tintype study serve` as a process, which may be killed."""

import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from cli.command import ENVIRONMENT, TINTYPE


class Server:
    def __init__(self, folder: Path, port: int = 0, *options: str) -> None:
        command = [TINTYPE, "study", "serve", folder, "--port", str(port), *options]
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
