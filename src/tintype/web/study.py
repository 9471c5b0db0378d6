"""The study in a browser: one page, and the few messages between it and the server.

All stands below `/s/TOKEN/`, where TOKEN is the study's. A visitor is known by a cookie. The page asks where he is
(`state`), fetches the two pictures of his next pair and no others, says that it is about to show them (`shown`), and
sends what he chose (`answer`). Which one has made-up colours is told after the click, and of practice pairs only.

A visitor begins under a name that the page made for this one time, by chance, of 128 bits (`begin`). His token is made
from it, so that the same name, sent again as the reply with the cookie was lost, is the same visitor.
"""

import asyncio
import hashlib
import json
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from tintype.study import visit
from tintype.study.folder import PICTURES, Study
from tintype.study.storage import Storage
from tintype.web.guard import Guard, Limit, Rate, address_of, slow_down

COOKIE = "tintype-visitor"
REMEMBER = 30 * 24 * 3600  # seconds that a visitor may take to go on
PAGES = {"": "study.html", "study.css": "study.css", "study.js": "study.js"}
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}

MOST_KNOWN = 10_000  # visitors whose next pair is kept in memory
MOST_PLACES = 10_000  # more pairs than any study has
PATIENCE = 10.0  # seconds in which a request's few bytes must come

# Many visitors may share one address, as in a laboratory. One visitor needs about five requests in four seconds.
PER_ADDRESS = Rate(per_second=2000, burst=4000)
PER_VISITOR = Rate(per_second=40, burst=120)
STRANGERS = Rate(per_second=100, burst=1000)  # per address: who is no visitor yet, or has a cookie that is made up
NEW_VISITORS = Rate(per_second=10, burst=100)  # per address


def study_app(folder: Path, study: Study, storage: Storage, room: visit.Room | None = None) -> ASGIApp:
    """The application that serves one study. Closes the storage when it ends.

    Args:
        room: how many visitors it takes; None: any number.
    """
    page = _Study(folder, study, storage, room)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        storage.close()

    routes = [
        *(Route(f"/{name}", page.file, name=file) for name, file in PAGES.items()),
        Route("/state", page.state),
        Route("/pictures/{place}/{side}", page.picture),
        Route("/begin", page.begin, methods=["POST"]),
        Route("/shown", page.shown, methods=["POST"]),
        Route("/answer", page.answer, methods=["POST"]),
    ]
    app = Starlette(
        routes=[Mount(f"/s/{study.token}", routes=routes)],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )
    return Guard(app, per_address=PER_ADDRESS)


class _Study:
    def __init__(self, folder: Path, study: Study, storage: Storage, room: visit.Room | None) -> None:
        self._pictures = folder / PICTURES
        self._study = study
        self._storage = storage
        self._room = room
        self._visitors, self._strangers, self._new = map(Limit, (PER_VISITOR, STRANGERS, NEW_VISITORS))
        # by token, of those who are visitors: they have their own limit, and pictures need not ask the database
        self._visits: dict[str, visit.Visit] = {}
        here = files("tintype.web")
        self._files = {name: here.joinpath(file).read_bytes() for name, file in PAGES.items()}

    async def file(self, request: Request) -> Response:
        name = request.scope["path"].rpartition("/")[2]
        suffix = PAGES[name].rpartition(".")[2]
        return Response(self._files[name], media_type=TYPES[suffix])

    async def state(self, request: Request) -> Response:
        state = await self._state(self._token(request))
        full = state["stage"] == "consent" and self._room and await self._read(visit.is_full, self._room)
        return JSONResponse(state | {"stage": "full"} if full else state)

    async def begin(self, request: Request) -> Response:
        """Takes in a visitor who agrees, or another person on the device of one who is through."""
        body, token = await _body(request), self._token(request)
        name = _text(body, "beginning", "[0-9a-f]{32}")
        state = await self._state(token)
        if state["stage"] in ("practice", "test") or (state["stage"] == "done" and body.get("another") is not True):
            return JSONResponse(state)
        wait = self._new.take(address_of(request.client))
        if wait:
            return slow_down(wait)
        token = hashlib.sha256(f"{self._study.token} {name}".encode()).hexdigest()
        if not await self._write(visit.begin, token, self._room):
            return JSONResponse(state | {"stage": "full"})
        response = JSONResponse(await self._state(token))
        response.set_cookie(
            COOKIE,
            token,
            max_age=REMEMBER,
            path=f"/s/{self._study.token}/",
            secure=request.scope["scheme"] == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def picture(self, request: Request) -> Response:
        """The left or right picture of the visitor's next pair; no other is served."""
        token, place, side = self._token(request), request.path_params["place"], request.path_params["side"]
        where = self._visits.get(token or "")
        if token and (where is None or str(where.place) != place):
            where = await self._read(visit.where, token)
        if where is None or where.trial is None or str(where.place) != place:
            raise HTTPException(404, "not the next pair")
        if side not in (visit.LEFT, visit.RIGHT):
            raise HTTPException(404, "no such picture")
        fake = where.trial["fake_left"] == (side == visit.LEFT)
        name = self._study.file(where.trial["picture"], where.method if fake else None)
        return Response(await run_in_threadpool((self._pictures / name).read_bytes), media_type="image/png")

    async def shown(self, request: Request) -> Response:
        body, token = await _body(request), self._known(request)
        place, showing = _place(body), _text(body, "showing", "[0-9A-Za-z-]{1,40}")
        noted = await self._write(visit.show, token, place, showing)
        return JSONResponse({"noted": noted}, 200 if noted else 409)

    async def answer(self, request: Request) -> Response:
        body, token = await _body(request), self._known(request)
        side = body.get("side")
        if side not in (visit.LEFT, visit.RIGHT):
            raise HTTPException(400, "side: left or right")
        measured = visit.Measured(*(_milliseconds(body, name) for name in ("first", "second", "answer")))
        stored, where, score = await self._write(_answer, token, _place(body), side, measured)
        if stored is None:
            raise HTTPException(409, "not the next pair, or it was not shown")
        result: dict[str, Any] = {"side": visit.LEFT if stored["chose_left"] else visit.RIGHT}
        if stored["practice"]:
            result["right"] = stored["chose_left"] == stored["fake_left"]
        return JSONResponse(result | {"state": self._told(token, where, score)})

    async def _state(self, token: str | None) -> dict[str, Any]:
        where, score = await self._read(_progress, token) if token else (None, 0)
        return self._told(token, where, score)

    def _told(self, token: str | None, where: visit.Visit | None, score: int) -> dict[str, Any]:
        """What the page is told of where the visitor is. From here on he is known."""
        study = self._study
        state: dict[str, Any] = {
            "title": study.title,
            "practice": study.practice,
            "trials": study.trials,
            "exposure": 1000 * study.exposure,
        }
        if token is None or where is None:
            return state | {"stage": "consent", "consent": study.consent}
        self._visits.pop(token, None)  # so that the one that was longest ago comes first
        self._visits[token] = where
        if len(self._visits) > MOST_KNOWN:
            self._visits.pop(next(iter(self._visits)))
        state["place"] = where.place
        if where.trial is None:
            return state | {"stage": "done", "score": score}
        first = visit.LEFT if where.trial["left_first"] else visit.RIGHT
        return state | {"stage": "practice" if where.trial["practice"] else "test", "first": first}

    def _token(self, request: Request) -> str | None:
        """What the cookie holds, if there is one, which may be made up. Raises HTTPException for who asks too much."""
        token = request.cookies.get(COOKIE, "")
        known = token in self._visits
        wait = self._visitors.take(token) if known else self._strangers.take(address_of(request.client))
        if wait:
            raise HTTPException(429, "too many requests", {"Retry-After": str(math.ceil(wait))})
        return token if re.fullmatch(r"[\w-]{1,64}", token, re.ASCII) else None

    def _known(self, request: Request) -> str:
        token = self._token(request)
        if token is None:
            raise HTTPException(401, "not begun")
        return token

    async def _read(self, function: Any, *arguments: Any) -> Any:
        return await run_in_threadpool(self._storage.read, function, self._study, *arguments)

    async def _write(self, function: Any, token: str, *arguments: Any) -> Any:
        return await asyncio.wrap_future(self._storage.write(function, self._study, token, *arguments))


def _progress(connection: Connection, study: Study, token: str) -> tuple[visit.Visit | None, int]:
    """Where the visitor is and, at the end, his score."""
    where = visit.where(connection, study, token)
    through = where is not None and where.trial is None
    return where, visit.score(connection, where.visitor) if where and through else 0


def _answer(
    connection: Connection, study: Study, token: str, *arguments: Any
) -> tuple[RowMapping | None, visit.Visit | None, int]:
    """Stores an answer, and tells where that leaves the visitor."""
    return visit.answer(connection, study, token, *arguments), *_progress(connection, study, token)


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object. Its type must be told, as a page elsewhere could not do without leave."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "the body must be application/json")
    try:
        async with asyncio.timeout(PATIENCE):
            body = json.loads(await request.body())
    except (TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408, "the body did not come", {"Connection": "close"}) from error
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return body


def _milliseconds(body: dict[str, Any], name: str) -> float:
    """A time that a page can have measured."""
    value: Any = body.get(name)
    if type(value) not in (int, float) or not 0 <= value < 1e9:
        raise HTTPException(400, f"{name}: a number from 0")
    return float(value)


def _place(body: dict[str, Any]) -> int:
    value: Any = body.get("place")
    if type(value) is not int or not 0 <= value < MOST_PLACES:
        raise HTTPException(400, "place: a whole number from 0")
    return value


def _text(body: dict[str, Any], name: str, pattern: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise HTTPException(400, f"{name}: {pattern}")
    return value


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)
