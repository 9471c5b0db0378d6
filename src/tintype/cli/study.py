"""`tintype study`: which of two pictures has made-up colours? One person runs it, many visit."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from tqdm import tqdm

from tintype.cli._listening import listen, reachable, run
from tintype.cli._options import Wrong, finite, named_folders
from tintype.cli._report import printable, say

if TYPE_CHECKING:
    from tintype.study.folder import Study
    from tintype.study.pairs import Source
    from tintype.study.storage import Storage

EXAMPLES = """\b
Examples:
  tintype study new mystudy --true photos/ --method ours=colorized/
  tintype study serve mystudy                    prints the link for visitors
  tintype study results mystudy --report results.html
\b
docs/study.md tells how to run one.
"""

STUDY = click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
DATABASE = click.option(
    "--database",
    metavar="URL",
    envvar="TINTYPE_DATABASE",
    help="An SQLAlchemy URL, or in $TINTYPE_DATABASE. [default: study.db in the folder STUDY]",
)


@click.group(epilog=EXAMPLES)
def study() -> None:
    """Runs the real-vs-fake study: visitors say which picture of a pair has made-up colours."""


def _methods(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    methods = named_folders(ctx, parameter, values)
    for name in methods:
        if len(name) > 100:
            raise click.BadParameter(f"{name[:20]!r}... is longer than 100 characters.")
    return methods


@study.command()
@STUDY
@click.option(
    "--true",
    "true",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Photographs in their true colours.",
)
@click.option(
    "--method",
    "methods",
    required=True,
    multiple=True,
    callback=_methods,
    metavar="NAME=FOLDER",
    help="The same photographs, colorized, under the same names; repeatable.",
)
@click.option("--trials", type=click.IntRange(1, 1000), default=40, show_default=True, help="Pairs that count.")
@click.option("--practice", type=click.IntRange(0, 1000), default=10, show_default=True, help="Pairs with feedback.")
@click.option(
    "--exposure",
    type=click.FloatRange(0.05, 60),
    default=1.0,
    show_default=True,
    callback=finite,
    metavar="SECONDS",
    help="How long each picture is shown.",
)
@click.option("--title", help="Heading of the page.")
@click.option(
    "--consent",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What visitors read and agree to: plain text, paragraphs with an empty line between.",
)
@click.option("--seed", type=click.IntRange(0), help="What visitors' pairs are drawn from. [default: random]")
@click.pass_context
def new(
    ctx: click.Context,
    folder: Path,
    true: Path,
    methods: dict[str, Path],
    trials: int,
    practice: int,
    exposure: float,
    title: str | None,
    consent: Path | None,
    seed: int | None,
) -> None:
    """Checks the pictures, and makes a study of them in the new folder STUDY.

    Exit code: 0 all pictures are in it, 1 some were left out, 2 wrong usage or too few pictures.
    """
    from tintype.study.errors import StudyError
    from tintype.study.make import TITLE, make_study

    try:
        text = None if consent is None else consent.read_text(encoding="utf-8-sig")
        done = make_study(
            folder,
            true,
            methods,
            practice=practice,
            trials=trials,
            exposure=exposure,
            title=TITLE if title is None else title,
            consent=text,
            seed=seed,
            progress=_progress,
        )
    except UnicodeDecodeError as error:
        raise Wrong(printable(f"{consent}: not a text file in UTF-8")) from error
    except StudyError as error:
        raise Wrong(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename or folder}: {error.strerror}")) from error
    count = len(done.study.pictures)
    rest = f"; {len(done.left_out)} left out" if done.left_out else ""
    say(done.left_out.values())
    say(
        f"{methods[name]}: {same} of the {count} pictures are the true ones, pixel for pixel; is this the right folder?"
        for name, same in done.same.items()
    )
    say([f"made {folder}: {count} pictures, {', '.join(done.study.methods)}{rest}"])
    say([f"`tintype study serve {folder}` opens it to visitors."])
    ctx.exit(1 if done.left_out else 0)


def _progress(sources: "list[Source]") -> "Iterable[Source]":
    bar: Iterable[Source] = tqdm(sources, desc="preparing", unit="picture", file=sys.stderr, disable=None, leave=False)
    return bar


@study.command()
@STUDY
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines visit.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--most-visitors",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Visitors who finished or are active, from which on the study is full.",
)
@click.option(
    "--most-per-hour", type=click.IntRange(1), default=500, show_default=True, help="New visitors within an hour."
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="Visitors come by a proxy on this machine: believe what it says of their address and of TLS.",
)
@DATABASE
def serve(
    folder: Path,
    host: str,
    port: int,
    most_visitors: int,
    most_per_hour: int,
    behind_proxy: bool,
    database: str | None,
) -> None:
    """Opens the study to visitors, until Ctrl-C. Their answers are kept, and they go on when it is opened again."""
    import uvicorn

    from tintype.study.folder import PICTURES
    from tintype.study.visit import Room
    from tintype.web.connection import Connection
    from tintype.web.study import study_app

    made, storage = _open(folder, database, new=True)
    gone = next((name for name in _pictures_of(made) if not (folder / PICTURES / name).is_file()), None)
    if gone:
        storage.close()
        raise Wrong(printable(f"{folder / PICTURES / gone}: is missing; make the study anew"))
    try:
        listening = listen(host, port, backlog=1024)
    except Wrong:
        storage.close()
        raise
    bound, port = listening.getsockname()[:2]
    click.echo(f"http://{reachable(host, bound)}:{port}/s/{made.token}/")
    at = " once it begins with the proxy's address" if behind_proxy else ""
    click.echo(f"This is the link for visitors{at}. Ctrl-C ends the study for now.", err=True)
    config = uvicorn.Config(
        study_app(folder, made, storage, Room(most_visitors, most_per_hour)),
        http="h11" if behind_proxy else Connection,  # all that come by a proxy have one address
        proxy_headers=behind_proxy,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        access_log=False,  # no address of a visitor is kept
        log_level="error",  # not of every request that makes no sense
        server_header=False,
        limit_concurrency=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        ws="none",
    )
    run(uvicorn.Server(config), listening)


def _pictures_of(made: "Study") -> Iterable[str]:
    for picture in made.pictures:
        yield picture.true
        yield from picture.methods.values()


def _open(folder: Path, database: str | None, new: bool) -> "tuple[Study, Storage]":
    from sqlalchemy.exc import SQLAlchemyError

    from tintype.study.errors import StudyError
    from tintype.study.folder import read_study
    from tintype.study.storage import Storage, reason

    try:
        made = read_study(folder)
        storage = Storage(folder, database, new=new)
        try:
            storage.claim(made)
        except BaseException:
            storage.close()
            raise
    except (StudyError, SQLAlchemyError) as error:
        raise Wrong(printable(reason(error))) from error
    return made, storage


@study.command("results")
@STUDY
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Write one page with pictures.",
)
def results_(folder: Path, database: str | None, as_json: bool, report: Path | None) -> None:
    """Tells how often each method fooled its visitors so far; the study may go on meanwhile."""
    from sqlalchemy.exc import SQLAlchemyError

    from tintype.runtime.atomic import write_atomically
    from tintype.study.errors import StudyError
    from tintype.study.report import write_report
    from tintype.study.results import results
    from tintype.study.storage import reason
    from tintype.study.words import summary

    made, storage = _open(folder, database, new=False)
    try:
        found = storage.read(results, made)
        lines = [json.dumps(found, allow_nan=False)] if as_json else map(printable, summary(found))
        click.echo("\n".join(lines))
        if report:
            page = write_report(folder, made, found).encode(errors="backslashreplace")
            write_atomically(report, lambda file: _put(file, page), overwrite=True)
    except (StudyError, SQLAlchemyError) as error:
        raise Wrong(printable(reason(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename or report}: {error.strerror}")) from error
    finally:
        storage.close()


def _put(file: BinaryIO, data: bytes) -> None:
    file.write(data)
