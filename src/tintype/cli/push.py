"""`tintype push`: a model onto the Hugging Face Hub."""

import re
from pathlib import Path

import click

from tintype.cli._options import Wrong
from tintype.cli._report import printable, say

EXAMPLES = """\b
Examples:
  tintype push mine.onnx me/mine                     then: tintype colorize old.jpg --model me/mine
  tintype push runs/mine me/mine --private           a run's weights, for transfer and pretraining
  tintype push mine.onnx me/mine --branch try --message "Trained for longer"
  tintype push mine.onnx me/mine --dry-run           writes the folder mine, and uploads nothing
  tintype push mine.onnx me/mine --card mine.md      with a model card of your own
\b
Log in once, with `hf auth login`. docs/hub.md tells more.
"""


def _repository(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    from tintype.runtime.hub import REPOSITORY

    if not re.fullmatch(REPOSITORY, value, re.ASCII):
        raise click.BadParameter(f"{value!r} is not OWNER/NAME.")
    return value


@click.command(epilog=EXAMPLES)
@click.argument("model", metavar="MODEL")
@click.argument("repository", metavar="OWNER/NAME", callback=_repository)
@click.option("--private", is_flag=True, help="Make a repository that only its owners see.")
@click.option("--branch", default="main", show_default=True, metavar="B", help="Where to; made if it is not there.")
@click.option("--message", metavar="TEXT", help="Of the commit.")
@click.option(
    "--license",
    "licence",
    metavar="ID",
    help="Of the weights, as an SPDX identifier.  [default: as MODEL says]",
)
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.md",
    help="README.md to take, also in place of one that is there.  [default: one made from what MODEL says]",
)
@click.option("--dry-run", is_flag=True, help="Write the files into a folder, and upload nothing.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="That folder.  [default: NAME]",
)
def push(
    model: str,
    repository: str,
    private: bool,
    branch: str,
    message: str | None,
    licence: str | None,
    card: Path | None,
    dry_run: bool,
    folder: Path | None,
) -> None:
    """Upload a MODEL to the Hugging Face Hub, as OWNER/NAME, in one commit.

    MODEL is an .onnx bundle, a run, or its weights.safetensors. Beside it go what it says of itself as config.json, and
    a model card as README.md. A README.md there that somebody wrote or changed is left as it is.
    """
    from tintype.publish import PublishError, read_layout, write_folder
    from tintype.publish import push as upload

    if folder is not None and not dry_run:
        raise click.UsageError("--to is of --dry-run")
    try:
        layout = read_layout(model, licence)
        if dry_run:
            done = write_folder(layout, repository, folder or Path(repository.partition("/")[2]), card)
        else:
            done = upload(layout, repository, private=private, branch=branch, message=message, card=card)
    except PublishError as error:
        raise Wrong(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename or folder}: {error.strerror or error}")) from error
    click.echo(f"{done.place}: {layout.name}, {layout.source.stat().st_size / 1e6:.1f} MB")
    if done.kept_card:
        say(["README.md there was written or changed by hand and is left as it is; --card puts another in its place"])
