"""What every request passes: limits of rate and size, and headers that keep a page from being misused."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4096  # of a request's body; an answer has about 200
FORGET = 60.0  # seconds after which an idle address or visitor is forgotten

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` requests at once, and `per_second` more in the long run."""

    per_second: float
    burst: float


class Limit:
    """Counts requests by some key, in memory only, and forgets keys that are idle."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # requests left, at which time
        self._swept = clock()

    def take(self, key: str) -> float:
        """0 where the request may pass, otherwise the seconds to wait."""
        now = self._clock()
        if now - self._swept > FORGET:
            self._left = {name: entry for name, entry in self._left.items() if now - entry[1] < FORGET}
            self._swept = now
        left, since = self._left.get(key, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - since) * self._rate.per_second)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self._rate.per_second
        self._left[key] = (left - 1, now)
        return 0.0


class Guard:
    """ASGI middleware around the whole application, outside of what answers for its errors."""

    def __init__(self, app: ASGIApp, *, per_address: Rate) -> None:
        self._app = app
        self._addresses = Limit(per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        wait = self._addresses.take(address_of(scope.get("client")))
        if wait:
            return await slow_down(wait)(scope, receive, guarded)
        if _too_long(Headers(scope=scope)):
            refusal = JSONResponse({"error": f"the limit is {MOST_BYTES} bytes"}, 413, {"Connection": "close"})
            return await refusal(scope, receive, guarded)
        await self._app(scope, receive, guarded)


def address_of(client: tuple[str, int] | None) -> str:
    """Whose requests are counted together: an IPv4 address, or the half of an IPv6 one that one household has."""
    if client is None:
        return ""
    try:
        address = ip_address(client[0])
    except ValueError:
        return client[0]
    if not isinstance(address, IPv6Address):
        return client[0]
    return str(address.ipv4_mapped or address.packed[:8].hex())


def slow_down(wait: float) -> JSONResponse:
    """The answer to too many requests."""
    return JSONResponse({"error": "too many requests"}, 429, {"Retry-After": str(int(wait) + 1)})


def _too_long(headers: Headers) -> bool:
    """Whether a body is announced that is too long, or whose length is not told: those who may ask do tell it."""
    length = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not re.fullmatch("[0-9]{1,9}", length) or int(length) > MOST_BYTES
