"""`tintype serve`: an HTTP API that colorizes photographs, on this computer."""

import secrets
from ipaddress import ip_address
from pathlib import Path

import click

from tintype.cli._listening import listen
from tintype.cli._options import Wrong
from tintype.cli._report import printable

EXAMPLES = """\b
Examples:
  tintype serve                                          http://127.0.0.1:8000, for this computer only
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
    help="Host name by which it may be asked, such as a proxy's; repeatable. [default: this computer's own]",
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
    """Colorizes photographs for other programs, by HTTP, until Ctrl-C.

    Nothing is kept, and nothing leaves this computer.
    """
    import uvicorn

    from tintype.runtime import Colorizer, ModelError
    from tintype.runtime.strips import cores
    from tintype.web.api import Limits, api
    from tintype.web.hosts import Hosts

    if root_path and (not root_path.startswith("/") or root_path.endswith("/")):
        raise Wrong(printable(f"--root-path is {root_path}; it begins with / and does not end with one"))
    try:
        colorizer = Colorizer(model, threads=max(1, cores() // workers))
    except ModelError as error:
        raise Wrong(printable(str(error))) from error
    listening = listen(host, port, backlog=256)
    bound, port = listening.getsockname()[:2]
    own = ip_address(bound).is_loopback
    token = _token(token_file, own)
    click.echo(f"http://{f'[{bound}]' if ':' in bound else bound}:{port}{root_path}/api/colorize")
    if token and token_file is None:
        click.echo(f"token: {token}", err=True)
    click.echo("Ctrl-C ends it.", err=True)
    limits = Limits(most_megabytes * 1_000_000, most_megapixels * 1_000_000, workers, queue, patience)
    app = Hosts(api(colorizer, limits, token, root_path), allowed if allowed or not own else None)
    config = uvicorn.Config(
        app,
        http="h11",
        access_log=False,
        log_level="error",
        server_header=False,
        limit_concurrency=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        root_path=root_path,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listening])


def _token(file: Path | None, own: bool) -> str | None:
    """The token of a file; a new one where others may ask; none otherwise."""
    if file is None:
        return None if own else secrets.token_urlsafe(24)
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(printable(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})")) from error
    if len(token) < 16 or not token.isascii() or not token.isprintable():
        raise Wrong(printable(f"{file}: a token has 16 printable characters or more, on one line"))
    return token
