"""The path below which a proxy shows the page."""

from urllib.parse import unquote

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Below:
    """ASGI middleware: answers below a path as at the top, whether a proxy takes the path away or passes it on.

    Args:
        app: what is asked.
        root: the path, such as /tintype.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app, self._root = app, unquote(root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._root:
            if scope["path"] == self._root:  # the page's own addresses are relative
                last = self._root.rpartition("/")[2]
                return await RedirectResponse(f"{last}/", 308)(scope, receive, send)
            if scope["path"].startswith(f"{self._root}/"):
                scope = {**scope, "root_path": self._root}
        await self._app(scope, receive, send)
