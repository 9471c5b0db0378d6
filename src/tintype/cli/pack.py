"""`tintype pack`: photographs into shards."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from tintype.cli._options import Wrong, finite
from tintype.cli._report import printable, say

EXAMPLES = """\b
Examples:
  tintype pack imagenet/train -o shards/                      files as they are
  tintype pack imagenet/train -o shards/ --labels names       with the class of each, from its folder
  tintype pack photos/ -o shards/ --short-side 256            smaller, as JPEG of quality 95
  tintype pack list.txt "more/**/*.jpg" -o shards/ --shard-size 1000 --jobs 16
\b
  tintype pretrain bundled --data shards/
\b
docs/data.md tells what the shards hold.
Exit code: 0 all packed, 1 it could not be, 2 wrong usage, 130 stopped by Ctrl-C.
"""

QUALITY = 95


@click.command(epilog=EXAMPLES)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="SHARDS",
    help="A folder for the shards.",
)
@click.option(
    "--shard-size", type=click.IntRange(1), default=256, show_default=True, metavar="MB", help="Size of a shard."
)
@click.option(
    "--short-side",
    type=click.IntRange(8, 16384),
    metavar="N",
    help="Reduce larger photographs to this short side in pixels, and encode all again.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    metavar="Q",
    help=f"Encode all again as JPEG of this quality.  [default: {QUALITY} with --short-side, else files as they are]",
)
@click.option("--labels", type=click.Choice(["names", "numbers"]), help="Give each its class, in a .cls file.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes.  [default: one per processor]")
@click.option(
    "--max-damaged",
    type=click.FloatRange(0, 1),
    callback=finite,
    default=0.05,
    show_default=True,
    metavar="S",
    help="Share of photographs that may be damaged; they are left out and listed.",
)
@click.pass_context
def pack(
    ctx: click.Context,
    paths: tuple[str, ...],
    out: Path,
    shard_size: int,
    short_side: int | None,
    quality: int | None,
    labels: str | None,
    jobs: int | None,
    max_damaged: float,
) -> None:
    """Packs photographs into WebDataset tars, which are read faster than single files, and from anywhere.

    PATH is a folder, a list of files (.txt), a WebDataset tar, a pattern or a URL. The same photographs and settings
    give the same shards, byte by byte. Where a run was stopped, the same command goes on.
    """
    from tqdm import tqdm

    from tintype.data import DataError, open_photos
    from tintype.data.pack import Packing
    from tintype.data.pack import pack as make
    from tintype.runtime.strips import cores

    for path in paths:
        if Path(path).is_dir() and out.resolve().is_relative_to(Path(path).resolve()):
            raise Wrong(printable(f"{out} lies in {path}, which is to be packed: choose another place for the shards"))
    packing = Packing(
        shard_bytes=shard_size * 1_000_000,
        short_side=short_side or 0,
        quality=quality or (QUALITY if short_side else 0),
        labels=labels or "none",  # type: ignore[arg-type]  # one of click's choices
    )
    try:
        with _stopping(), tqdm(unit=" photographs", dynamic_ncols=True, file=sys.stderr, disable=None) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            photos = open_photos(paths)
            bar.total = len(photos)
            packed = make(
                photos,
                out,
                packing,
                jobs=jobs or cores(),
                max_damaged=max_damaged,
                progress=show,
                note=lambda line: bar.write(printable(line), file=sys.stderr),
            )
    except _Stopped as stop:
        say([f"Stopped: {len(list(out.glob('shard-*.tar')))} shards are finished. The same command goes on here."])
        ctx.exit(128 + stop.number)
    except DataError as error:
        raise click.ClickException(printable(str(error))) from error
    except OSError as error:
        reason = f"{error.strerror or error}. Once that is mended, the same command goes on here."
        raise click.ClickException(printable(f"cannot write {error.filename or out}: {reason}")) from error
    lost = f"; {len(packed.damaged)} damaged ones are left out, see {out / 'damaged.tsv'}" if packed.damaged else ""
    say([f"{packed.images} photographs in {packed.shards} shards, {packed.bytes / 1e6:,.1f} MB{lost}"])
    click.echo(str(out))


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


@contextmanager
def _stopping() -> Iterator[None]:
    """Makes the first Ctrl-C or SIGTERM raise `_Stopped`; later ones change nothing, for all is being put in order."""

    def stop(number: int, frame: FrameType | None) -> None:
        for number_ in before:
            signal.signal(number_, signal.SIG_IGN)
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
