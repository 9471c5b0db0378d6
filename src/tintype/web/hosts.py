"""Who may be asked for: a page elsewhere can make a browser ask this computer under a name of its own."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OWN = ("localhost", "127.0.0.1", "[::1]")


class Hosts:
    """ASGI middleware: refuses requests for other host names, and tells browsers what no page may do with answers.

    Args:
        app: what is asked.
        names: that it may be asked by; None: those of this computer itself; empty: any.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str] | None = None) -> None:
        self._app = app
        self._names = OWN if names is None else tuple(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        host = Headers(scope=scope).get("host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._names and name not in self._names:
            refusal = JSONResponse({"error": f"not the name of this computer: {name[:100]}"}, 403)
            return await refusal(scope, receive, send)
        if Headers(scope=scope).get("sec-fetch-site", "none") not in ("none", "same-origin") and not _followed(scope):
            refusal = JSONResponse({"error": "not for pages of other places"}, 403)
            return await refusal(scope, receive, send)
        await self._app(scope, receive, send)


def _followed(scope: Scope) -> bool:
    """Whether somebody followed a link, of which the page that has it learns nothing."""
    headers = Headers(scope=scope)
    asked = scope["method"], headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return asked == ("GET", "navigate", "document")
