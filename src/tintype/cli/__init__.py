"""The `tintype` command. Each verb is one file beside this one, imported only when it is called."""

import difflib
import importlib
import io
import os
import sys

import click

from tintype import __version__
from tintype.cli._options import how_to_install

# verb: what it does, and the extra of the package that it needs beyond the plain install
VERBS: dict[str, tuple[str, str | None]] = {
    "colorize": ("Colorize photographs: files, folders or patterns.", None),
    "models": ("List the models, with size, licence and figures.", None),
    "serve": ("Colorize photographs for other programs, by HTTP.", "web"),
    "evaluate": ("Measure colorizations of colour photographs.", "evaluate"),
    "study": ("Ask people which of two pictures has made-up colours.", "web"),
    "table": ("Build a paper's table again, its rows beside ours.", "evaluate,train"),
    "pack": ("Pack photographs into shards for training.", "train"),
    "labels": ("Make studies of fewer, wrong or coarser labels.", "train"),
    "pretrain": ("Train a network to colorize, by a recipe.", "train"),
    "transfer": ("Measure what a network has learned, by a task.", "train,transfer"),
    "export": ("Turn a trained run into a model that colorizes.", "train"),
    "compress": ("Make a smaller or faster model of a model.", "train"),
    "push": ("Upload a model to the Hugging Face Hub.", "hub"),
}

EXAMPLES = """\b
Examples:
  tintype colorize old.jpg                      makes old.color.jpg
  tintype colorize album/ -o album-in-colour/   every photograph in a folder
  tintype colorize --help                       more about one command
"""


class _Verbs(click.Group):
    """A group that lists its commands without importing them: `tintype --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (line, _) in VERBS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"tintype.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS:
            close = difflib.get_close_matches(args[0], VERBS, 1)  # colourise, colorise, ...
            guess = f"colorize {args[0]}" if os.path.exists(args[0]) else close[0] if close else None
            hint = f"Did you mean `tintype {guess}`?" if guess else "`tintype --help` lists them."
            raise click.UsageError(f"'{args[0]}' is not a command. {hint}", ctx)
        ctx.meta["verb"] = args[0]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            verb, module = ctx.meta["verb"], (error.name or "").partition(".")[0]
            extra = VERBS[verb][1]
            if extra is None or module == "tintype":
                raise
            line = f"`tintype {verb}` needs {module}, which is not installed. {how_to_install(extra)}"
            raise click.ClickException(line) from error
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            ctx.exit(130)


@click.group(cls=_Verbs, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tintype", message="%(prog)s %(version)s")
def main() -> None:
    """Colorizes black-and-white photographs, and learns visual features from colour without labels."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # its encoding may lack letters of a name
            stream.reconfigure(errors="backslashreplace")
