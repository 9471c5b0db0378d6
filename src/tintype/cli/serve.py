"""`tintype serve`: a page that colorizes photographs, and an HTTP API, on this computer."""

import re
import secrets
from ipaddress import ip_address
from pathlib import Path

import click

from tintype.cli._listening import listen, reachable, run
from tintype.cli._options import Wrong
from tintype.cli._report import printable

EXAMPLES = """\b
Examples:
  tintype serve                                          opens the page, http://127.0.0.1:8000/
  tintype serve --no-browser                             only says where it is
  curl -F file=@old.jpg http://127.0.0.1:8000/api/colorize -o old.color.jpg
  curl --data-binary @old.jpg "http://127.0.0.1:8000/api/colorize?format=png" -o old.png
  tintype serve --host 0.0.0.0                           for others too, who need the token that it prints
\b
GET /api/openapi.json describes it for programs, docs/serve.md for people.
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option(
    "--browser/--no-browser", default=None, help="Open the page in a browser. [default: where a person started it]"
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With a token that requests must carry (Authorization: Bearer TOKEN). Other addresses than this computer's "
    "own want one; without a file it is made up and printed.",
)
@click.option("--root-path", default="", metavar="PATH", help="Below which a proxy shows it, such as /tintype.")
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="Host name by which it may be asked, such as a proxy's, beside this computer's own; repeatable.",
)
@click.option(
    "--model", default="bundled", show_default=True, metavar="M", help="A name, an .onnx, or OWNER/NAME on the Hub."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Pictures made at a time.")
@click.option("--queue", type=click.IntRange(0), default=32, show_default=True, help="Requests that may wait.")
@click.option(
    "--most-megabytes", type=click.IntRange(1), default=200, show_default=True, metavar="N", help="Of a photograph."
)
@click.option(
    "--most-megapixels", type=click.IntRange(1, 200), default=100, show_default=True, metavar="N", help="Likewise."
)
@click.option("--patience", type=click.FloatRange(1), default=120, show_default=True, help="Seconds for a picture.")
def serve(
    host: str,
    port: int,
    browser: bool | None,
    token_file: Path | None,
    root_path: str,
    allowed: tuple[str, ...],
    model: str,
    workers: int,
    queue: int,
    most_megabytes: int,
    most_megapixels: int,
    patience: float,
) -> None:
    """Opens a page that colorizes photographs, and answers other programs, until Ctrl-C.

    Nothing is kept, and nothing leaves this computer.
    """
    import sys
    import webbrowser

    import uvicorn

    from tintype.runtime import Colorizer, ModelError
    from tintype.runtime.strips import cores
    from tintype.web.api import api
    from tintype.web.below import Below
    from tintype.web.connection import Connection
    from tintype.web.hosts import OWN, Hosts
    from tintype.web.turns import Limits

    if not re.fullmatch(r"(/[\w.~%-]+)*", root_path, re.ASCII):
        raise Wrong(printable(f"--root-path is {root_path}; it must be a path as in an address, such as /tintype"))
    token = None if token_file is None else _read_token(token_file)
    try:
        colorizer = Colorizer(model, threads=max(1, cores() // workers))
    except ModelError as error:
        raise Wrong(printable(str(error))) from error
    listening = listen(host, port, backlog=256)
    bound, port = listening.getsockname()[:2]
    own = ip_address(bound).is_loopback
    if not own and token is None:
        token = secrets.token_urlsafe(24)
    if not colorizer.model.has_distribution:
        click.echo(
            "this model tells no distribution over colours: it serves other programs, but not the page", err=True
        )
    name = reachable(host, bound)
    page = f"http://{name}:{port}{root_path}/"
    page += f"#token={token}" if token and token_file is None else ""
    click.echo(page)
    click.echo("Ctrl-C ends it.", err=True)
    limits = Limits(most_megabytes * 1_000_000, most_megapixels * 1_000_000, workers, queue, patience)
    names = (*OWN, name, *allowed) if own or allowed else ()
    app = Below(Hosts(api(colorizer, limits, token, root_path), names), root_path)
    config = uvicorn.Config(
        app,
        http=Connection,
        access_log=False,
        log_level="error",
        server_header=False,
        limit_concurrency=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        ws="none",
    )
    if sys.stdin.isatty() if browser is None else browser:
        webbrowser.open(page)  # which may ask already: the socket listens
    run(uvicorn.Server(config), listening)


def _read_token(file: Path) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(printable(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})")) from error
    if len(token) < 16 or not token.isascii() or not token.isprintable():
        raise Wrong(printable(f"{file}: a token has 16 printable characters or more, on one line"))
    return token
