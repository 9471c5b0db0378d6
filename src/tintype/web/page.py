"""The files of the page, which stand below the address that `tintype serve` prints."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tintype.web.guard import HEADERS

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = HEADERS | {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' blob:"),
    "Cache-Control": "no-cache",
}


def page_routes() -> list[Route]:
    """`/` and what it asks for, `/page/NAME`."""
    folder = files("tintype.web").joinpath("page_files")
    known = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _TYPES}

    def route(path: str, name: str) -> Route:
        async def send(request: Request) -> Response:
            return Response(known[name], media_type=_TYPES[name.rpartition(".")[2]], headers=_HEADERS)

        return Route(path, send)

    return [route("/", "index.html"), *(route(f"/page/{name}", name) for name in known if name != "index.html")]
