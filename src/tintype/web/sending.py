"""Answers: pictures from the disk, piece by piece, so that who takes them slowly holds no memory; and refusals that
come while the body does."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

LINGERING = 10.0  # seconds
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


def whole(content: bytes, kind: str, **headers: str) -> StreamingResponse:
    """What is in memory, piece by piece: sent at once, all of it would have to be taken in the time of a piece."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), _PIECE):
            yield content[start : start + _PIECE]

    return StreamingResponse(pieces(), media_type=kind, headers={"Content-Length": str(len(content)), **headers})


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


class Refusal(JSONResponse):
    """An answer to a request whose body may still be coming.

    It is told at once, and what comes is thrown away for a while before the connection may be closed: closed with
    something unread, it would be reset, and the client might never see the answer (RFC 9112, 9.6).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if "expect" not in Headers(scope=scope):  # who asks before sending will send nothing now
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGERING):
                    while (await receive()).get("more_body"):
                        pass
        await send({"type": "http.response.body", "body": b""})


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
