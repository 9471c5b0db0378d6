"""The HTTP API: a photograph in, a picture out. Described in OpenAPI at `/api/openapi.json`."""

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

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
from tintype.web.drafts import Drafts
from tintype.web.files import SUFFIXES, TYPES, photograph
from tintype.web.openapi import described
from tintype.web.page import page_routes
from tintype.web.sending import Refusal, picture, picture_in_json
from tintype.web.turns import Limits, Turns

logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # it tells of each form that makes no sense

LONGEST_FIELD = 1000  # bytes of a form's field that is no file


@dataclass(frozen=True)
class _Asked:
    """One request, its photograph on the disk."""

    source: Path
    temperature: float | None
    saturation: float
    format: str | None
    in_json: bool


@dataclass(frozen=True)
class _Made:
    """A picture's file, how large it is, and whether JSON is to hold it."""

    file: Path
    width: int
    height: int
    in_json: bool


def api(colorizer: Colorizer, limits: Limits, token: str | None = None, root: str = "") -> Starlette:
    """The application.

    Args:
        colorizer: of which several threads may make use.
        limits: what is refused.
        token: that requests must carry (`Authorization: Bearer TOKEN`); None: none.
        root: path below which a proxy shows it, such as /tintype.
    """
    turns = Turns(limits, token)
    made = _Api(colorizer, turns, root)
    drafts = Drafts(colorizer, turns)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        turns.close()
        drafts.close()

    routes = [
        Route("/api/colorize", made.colorize, methods=["POST"]),
        Route("/api/health", made.health),
        Route("/api/openapi.json", made.openapi),
        *drafts.routes(),
        *page_routes(),
    ]
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _refuse, ClientDisconnect: _gone, Exception: _broken},
        lifespan=lifespan,
    )


class _Api:
    def __init__(self, colorizer: Colorizer, turns: Turns, root: str) -> None:
        self._colorizer, self._turns, self._root = colorizer, turns, root

    async def health(self, request: Request) -> Response:
        return JSONResponse({"model": self._colorizer.model.name, "waiting": self._turns.waiting})

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(described(self._root, self._turns.secured, self._turns.limits.most_bytes))

    async def colorize(self, request: Request) -> Response:
        made, folder = await self._turns.take(request, self._read, self._make)
        kind = TYPES[FORMATS[made.file.suffix]]
        if made.in_json:
            return picture_in_json(folder, made.file, {"width": made.width, "height": made.height, "type": kind})
        return picture(folder, made.file, kind)

    async def _read(self, request: Request, folder: Path) -> _Asked:
        """The request's photograph, on the disk, and what is asked of it."""
        options = dict(request.query_params)
        source, named = folder / photograph(""), ""
        kind, _ = parse_options_header(request.headers.get("content-type", ""))
        if kind == b"multipart/form-data":
            fields, named = await self._read_form(request, source)
            twice = sorted(options.keys() & fields.keys())
            if twice:
                raise HTTPException(400, f"given in the query and in the form: {', '.join(twice)[:200]}")
            options |= fields
        else:
            with source.open("wb") as file:
                async for part in self._turns.body(request):
                    file.write(part)
        if not source.exists() or not source.stat().st_size:
            raise HTTPException(400, "there is no photograph: send its bytes, or a form with the field `file`")
        strange = sorted(set(options) - {"temperature", "saturation", "format", "json", "suffix"})
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
        source = source.rename(folder / photograph(options.get("suffix") or named))
        return _Asked(
            source, temperature, 1.0 if saturation is None else saturation, wanted and wanted.lower(), in_json
        )

    async def _read_form(self, request: Request, source: Path) -> tuple[dict[str, str], str]:
        """The fields of a form, and the suffix of its file's name; the file goes to `source`."""
        try:
            parser = MultiPartParser(
                request.headers, self._turns.body(request), max_files=1, max_fields=8, max_part_size=LONGEST_FIELD
            )
            form = await parser.parse()
        except (MultiPartException, FormParserError) as error:
            reason = getattr(error, "message", "") or str(error)
            raise HTTPException(400, f"the form cannot be read: {reason}"[:300]) from error
        fields: dict[str, str] = {}
        named = ""
        try:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields[name] = value
                elif name == "file":
                    named = Path(value.filename or "").suffix
                    with source.open("wb") as file:
                        while part := await value.read(1 << 20):
                            file.write(part)
                else:
                    raise HTTPException(400, f"the photograph is the field `file`, not {name[:50]!r}")
        finally:
            await form.close()
        return fields, named

    def _make(self, asked: _Asked, folder: Path) -> _Made:
        kind, _ = self._turns.limits.check(asked.source)
        pages = count_pages(asked.source)
        if pages > 1:
            raise PhotoError(f"photograph: has {pages} pages; send the one to colorize as a file of its own")
        target = folder / f"color{'.' + asked.format if asked.format else SUFFIXES.get(kind, '.png')}"
        self._colorizer.colorize_file(asked.source, target, temperature=asked.temperature, saturation=asked.saturation)
        _, (width, height) = read_header(target)
        return _Made(target, width, height, asked.in_json)


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


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "something went wrong"}, 500)
