"""Sending a picture from the disk, piece by piece, so that who takes it slowly holds no memory."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_PIECE = 3 << 14  # bytes; of three, so that pieces in base64 are one text


class Sent(StreamingResponse):
    """A file of a folder that is removed afterwards, whether the client stays to the end or not.

    Args:
        folder: which is removed.
        pieces: what is sent.
        length: bytes of all pieces.
        kind: MIME type.
        headers: more of them.
    """

    def __init__(
        self, folder: TemporaryDirectory[str], pieces: Iterator[bytes], length: int, kind: str, **headers: str
    ) -> None:
        super().__init__(pieces, media_type=kind, headers={"Content-Length": str(length), **headers})
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.to_thread(self._folder.cleanup)


def picture(folder: TemporaryDirectory[str], file: Path, kind: str) -> Sent:
    """The picture as it is."""
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Sent(folder, _pieces(file), file.stat().st_size, kind, **headers)


def picture_in_json(folder: TemporaryDirectory[str], file: Path, told: dict[str, Any]) -> Sent:
    """An object that holds the picture, in base64, beside what else is told of it."""
    start = json.dumps({**told, "picture": ""}, separators=(",", ":")).encode().removesuffix(b'"}')

    def pieces() -> Iterator[bytes]:
        yield start
        yield from map(base64.b64encode, _pieces(file))
        yield b'"}'

    length = len(start) + 4 * -(-file.stat().st_size // 3) + 2
    return Sent(folder, pieces(), length, "application/json")


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
