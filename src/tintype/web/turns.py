"""Who asks for a picture, and when his turn is.

A request's body goes to the disk while it comes, so that those who wait hold no memory. Pictures are made by a few
workers; a few requests more wait for them, and all others are told to come again. Who goes away while waiting is
forgotten.
"""

import asyncio
import contextlib
import hmac
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from tintype.runtime import PhotoError
from tintype.runtime.errors import DISK_FULL
from tintype.runtime.kinds import is_raw
from tintype.runtime.read import read_header, read_size

BODY_PATIENCE = 60.0  # seconds in which a body must go on coming
SLOWEST = 20_000  # bytes a second, less the first of these seconds: it keeps a place from others while it comes

Asked = TypeVar("Asked")
Made = TypeVar("Made")
Folder = tempfile.TemporaryDirectory[str]


@dataclass(frozen=True)
class Limits:
    """What is refused.

    Attributes:
        most_bytes: of a photograph's file.
        most_pixels: of a photograph.
        workers: pictures that are made at a time.
        queue: requests that may wait for that; more are told to come again.
        patience: seconds until a picture must be made, waiting included.
    """

    most_bytes: int = 200_000_000
    most_pixels: int = 100_000_000
    workers: int = 1
    queue: int = 32
    patience: float = 120.0

    def check(self, source: Path, page: int = 0) -> tuple[str, tuple[int, int]]:
        """Pillow's name of a photograph's format, "" for a raw file, and its width and height.

        Args:
            source: the file.
            page: which of several, from 0.

        Raises:
            PhotoError: it is too large, or none.
        """
        kind, (width, height) = ("", read_size(source)) if is_raw(str(source)) else read_header(source, page)
        if width * height > self.most_pixels:
            raise PhotoError(f"photograph: has {width} x {height} pixels; the limit is {self.most_pixels}")
        return kind, (width, height)


class Turns:
    """Workers, and those who wait for them.

    Args:
        limits: how many, and how long.
        token: that requests must carry (`Authorization: Bearer TOKEN`); None: none.
    """

    def __init__(self, limits: Limits, token: str | None = None) -> None:
        self.limits, self._token = limits, token
        self._workers = ThreadPoolExecutor(limits.workers, "colorize")
        self.waiting = 0

    @property
    def secured(self) -> bool:
        """Whether requests must carry a token."""
        return self._token is not None

    def close(self) -> None:
        """Waits for what is being made, and forgets the rest."""
        self._workers.shutdown(cancel_futures=True)

    async def take(
        self,
        request: Request,
        read: Callable[[Request, Path], Awaitable[Asked]],
        make: Callable[[Asked, Path], Made],
    ) -> tuple[Made, Folder]:
        """Waits until a worker has made what a request asks for.

        Args:
            request: whose client is waited for.
            read: reads it; may put files into the folder that it is given.
            make: makes what it asks for, in a worker's thread, with the same folder.

        Returns:
            What was made, and the folder, which is the caller's to clean up.

        Raises:
            HTTPException: no token, too many, too slow, no photograph, or no room on the disk.
            ClientDisconnect: nobody waits for it any more.
        """
        self.check_token(request)
        if self.waiting >= self.limits.workers + self.limits.queue:
            raise HTTPException(503, "too many photographs are waiting; come again", {"Retry-After": "5"})
        with _room():
            folder: Folder = tempfile.TemporaryDirectory(prefix="tintype-")
        self.waiting += 1
        work: Future[Made] | None = None
        given = False
        try:
            with _room():
                asked = await read(request, Path(folder.name))
                work = self._workers.submit(make, asked, Path(folder.name))
                made = await self._awaited(request, asyncio.wrap_future(work))
            given = True
            return made, folder
        except PhotoError as error:
            raise HTTPException(422, " ".join(str(error).replace(folder.name + "/", "").split())[:300]) from error
        finally:
            if work is None or work.done() or work.cancel():
                self.waiting -= 1
                if not given:
                    folder.cleanup()
            else:  # a worker is at it, and uses the folder
                work.add_done_callback(partial(self._left, folder, asyncio.get_running_loop()))

    def check_token(self, request: Request) -> None:
        """Raises HTTPException where a request does not carry the token that it must."""
        if self._token is None:
            return
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self._token.encode()):
            raise HTTPException(401, "say who asks: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})

    async def body(self, request: Request, most: int | None = None) -> AsyncGenerator[bytes, None]:
        """The body as it comes, if it is no longer, than a photograph or so many bytes, and no slower than may be."""
        announced = request.headers.get("content-length", "0")
        most = self.limits.most_bytes if most is None else most
        if announced.isdigit() and int(announced) > most:
            raise HTTPException(413, f"the limit is {most} bytes", {"Connection": "close"})
        begun, total = time.monotonic(), 0
        while not getattr(request.state, "read", False):
            left = begun + BODY_PATIENCE + total / SLOWEST - time.monotonic()
            try:
                message = await asyncio.wait_for(request.receive(), min(left, BODY_PATIENCE))
            except TimeoutError as error:
                raise HTTPException(408, "the body did not come", {"Connection": "close"}) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            request.state.read = not message.get("more_body", False)
            part = message.get("body", b"")
            total += len(part)
            if total > most:
                raise HTTPException(413, f"the limit is {most} bytes", {"Connection": "close"})
            yield part

    async def _awaited(self, request: Request, work: "asyncio.Future[Made]") -> Made:
        """What a worker makes; ClientDisconnect where the client goes away meanwhile."""
        gone = asyncio.ensure_future(_gone(request))
        try:
            both: set[asyncio.Future[Any]] = {work, gone}
            await asyncio.wait(both, timeout=self.limits.patience, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if gone.done():
                raise ClientDisconnect
            raise HTTPException(504, "it took too long; send a smaller photograph, or come again")
        finally:
            gone.cancel()

    def _left(self, folder: Folder, loop: asyncio.AbstractEventLoop, work: "Future[Made]") -> None:
        """A worker, in its own thread, is through with what nobody waits for any more."""
        folder.cleanup()
        with contextlib.suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self.waiting -= 1


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Tells the client of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise HTTPException(507, "this server's disk is full: come again later, or send a smaller one") from error
        raise


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while not await request.is_disconnected():
        await asyncio.sleep(0.25)
