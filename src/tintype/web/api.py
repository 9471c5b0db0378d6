"""The HTTP API: a photograph in, a picture out. Described in OpenAPI at `/api/openapi.json`.

A request's body goes to the disk while it comes, so that those who wait hold no memory. Pictures are made by a few
workers; a few requests more wait for them, and all others are told to come again. Who goes away while waiting is
forgotten.
"""

import asyncio
import contextlib
import hmac
import logging
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tintype.runtime import Colorizer, PhotoError
from tintype.runtime.formats import FORMATS
from tintype.runtime.read import count_pages, read_header
from tintype.web.openapi import described
from tintype.web.sending import Refusal, Sent, picture, picture_in_json

logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # it tells of each form that makes no sense

BODY_PATIENCE = 60.0  # seconds in which a body must go on coming
SLOWEST = 20_000  # bytes a second, less the first of these seconds: it keeps a place from others while it comes
LONGEST_FIELD = 1000  # bytes of a form's field that is no file
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp", "BMP": "image/bmp"}
SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp"}


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


_Made = tuple[Path, tuple[int, int]]  # a picture's file, its width and height


@dataclass(frozen=True)
class _Asked:
    """One request, its photograph on the disk."""

    source: Path
    temperature: float | None
    saturation: float
    format: str | None
    json: bool


def api(colorizer: Colorizer, limits: Limits, token: str | None = None, root: str = "") -> Starlette:
    """The application.

    Args:
        colorizer: of which several threads may make use.
        limits: what is refused.
        token: that requests must carry (`Authorization: Bearer TOKEN`); None: none.
        root: path below which a proxy shows it, such as /tintype.
    """
    made = _Api(colorizer, limits, token, root)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        made.workers.shutdown(cancel_futures=True)

    routes = [
        Route("/api/colorize", made.colorize, methods=["POST"]),
        Route("/api/health", made.health),
        Route("/api/openapi.json", made.openapi),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse, Exception: _broken}, lifespan=lifespan)


class _Api:
    def __init__(self, colorizer: Colorizer, limits: Limits, token: str | None, root: str) -> None:
        self._colorizer, self._limits, self._token, self._root = colorizer, limits, token, root
        self.workers = ThreadPoolExecutor(limits.workers, "colorize")
        self._waiting = 0

    async def health(self, request: Request) -> Response:
        return JSONResponse({"model": self._colorizer.model.name, "waiting": self._waiting})

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(described(self._root, self._token is not None, self._limits.most_bytes))

    async def colorize(self, request: Request) -> Response:
        self._check_token(request)
        if self._waiting >= self._limits.workers + self._limits.queue:
            raise HTTPException(503, "too many photographs are waiting; come again", {"Retry-After": "5"})
        self._waiting += 1
        folder = tempfile.TemporaryDirectory(prefix="tintype-")
        work: Future[_Made] | None = None
        answer: Sent | None = None
        try:
            asked = await self._read(request, Path(folder.name))
            work = self.workers.submit(self._make, asked, Path(folder.name))
            answer = _answer(asked, *await self._awaited(request, asyncio.wrap_future(work)), folder)
            return answer
        except PhotoError as error:
            raise HTTPException(422, " ".join(str(error).replace(folder.name + "/", "").split())[:300]) from error
        except ClientDisconnect:
            return Response(status_code=499)
        finally:
            if work is None or work.done() or work.cancel():
                self._waiting -= 1
                if answer is None:
                    folder.cleanup()
            else:  # a worker is at it, and uses the folder
                work.add_done_callback(partial(self._left, folder, asyncio.get_running_loop()))

    def _check_token(self, request: Request) -> None:
        if self._token is None:
            return
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self._token.encode()):
            raise HTTPException(401, "say who asks: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})

    async def _read(self, request: Request, folder: Path) -> _Asked:
        """The request's photograph, on the disk, and what is asked of it."""
        options = dict(request.query_params)
        source = folder / "photograph"
        kind, _ = parse_options_header(request.headers.get("content-type", ""))
        if kind == b"multipart/form-data":
            fields = await self._read_form(request, source)
            twice = sorted(options.keys() & fields.keys())
            if twice:
                raise HTTPException(400, f"given in the query and in the form: {', '.join(twice)[:200]}")
            options |= fields
        else:
            with source.open("wb") as file:
                async for part in self._parts(request):
                    file.write(part)
        if not source.exists() or not source.stat().st_size:
            raise HTTPException(400, "there is no photograph: send its bytes, or a form with the field `file`")
        strange = sorted(set(options) - {"temperature", "saturation", "format", "json"})
        if strange:
            raise HTTPException(400, f"unknown: {', '.join(strange)[:200]}")
        wanted = options.get("format")
        if wanted is not None and f".{wanted.lower()}" not in FORMATS:
            raise HTTPException(400, f"format: one of {', '.join(sorted(one[1:] for one in FORMATS))}")
        temperature, saturation = (_number(options, name) for name in ("temperature", "saturation"))
        if temperature is not None and not 0.01 <= temperature <= 10:
            raise HTTPException(400, "temperature: from 0.01 to 10")
        if saturation is not None and not 0 <= saturation <= 10:
            raise HTTPException(400, "saturation: from 0 to 10")
        as_json = options.get("json", "0").lower()
        if as_json not in ("0", "1", "false", "true"):
            raise HTTPException(400, "json: 1 or 0")
        in_json = as_json in ("1", "true") or "application/json" in request.headers.get("accept", "")
        return _Asked(
            source, temperature, 1.0 if saturation is None else saturation, wanted and wanted.lower(), in_json
        )

    async def _read_form(self, request: Request, source: Path) -> dict[str, str]:
        try:
            parser = MultiPartParser(
                request.headers, self._parts(request), max_files=1, max_fields=8, max_part_size=LONGEST_FIELD
            )
            form = await parser.parse()
        except (MultiPartException, FormParserError) as error:
            reason = getattr(error, "message", "") or str(error)
            raise HTTPException(400, f"the form cannot be read: {reason}"[:300]) from error
        fields: dict[str, str] = {}
        try:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields[name] = value
                elif name == "file":
                    with source.open("wb") as file:
                        while part := await value.read(1 << 20):
                            file.write(part)
                else:
                    raise HTTPException(400, f"the photograph is the field `file`, not {name[:50]!r}")
        finally:
            await form.close()
        return fields

    async def _parts(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body as it comes, as long as it is no longer, and no slower, than is allowed."""
        announced = request.headers.get("content-length", "0")
        most = self._limits.most_bytes
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

    async def _awaited(self, request: Request, work: "asyncio.Future[_Made]") -> _Made:
        """What a worker makes; ClientDisconnect where the client goes away meanwhile."""
        gone = asyncio.ensure_future(_gone(request))
        try:
            both: set[asyncio.Future[Any]] = {work, gone}
            await asyncio.wait(both, timeout=self._limits.patience, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if gone.done():
                raise ClientDisconnect
            raise HTTPException(504, "it took too long; send a smaller photograph, or come again")
        finally:
            gone.cancel()

    def _left(
        self, folder: "tempfile.TemporaryDirectory[str]", loop: asyncio.AbstractEventLoop, work: "Future[_Made]"
    ) -> None:
        """A worker, in its own thread, is through with what nobody waits for any more."""
        folder.cleanup()
        with contextlib.suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._waiting -= 1

    def _make(self, asked: _Asked, folder: Path) -> _Made:
        kind, (width, height) = read_header(asked.source)
        if width * height > self._limits.most_pixels:
            raise PhotoError(f"photograph: has {width} x {height} pixels; the limit is {self._limits.most_pixels}")
        pages = count_pages(asked.source)
        if pages > 1:
            raise PhotoError(f"photograph: has {pages} pages; send the one to colorize as a file of its own")
        target = folder / f"color{'.' + asked.format if asked.format else SUFFIXES.get(kind, '.png')}"
        self._colorizer.colorize_file(asked.source, target, temperature=asked.temperature, saturation=asked.saturation)
        return target, read_header(target)[1]


def _answer(asked: _Asked, target: Path, size: tuple[int, int], folder: "tempfile.TemporaryDirectory[str]") -> Sent:
    """The picture, or JSON that holds it."""
    kind = TYPES[FORMATS[target.suffix]]
    if asked.json:
        return picture_in_json(folder, target, {"width": size[0], "height": size[1], "type": kind})
    return picture(folder, target, kind)


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while not await request.is_disconnected():
        await asyncio.sleep(0.25)


def _number(options: dict[str, str], name: str) -> float | None:
    if name not in options:
        return None
    try:
        return float(options[name])
    except ValueError as error:
        raise HTTPException(400, f"{name}: a number") from error


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    more_comes = not getattr(request.state, "read", False) and error.status_code != 408
    kind = Refusal if more_comes else JSONResponse
    return kind({"error": error.detail}, error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "something went wrong"}, 500)
