"""What `tintype colorize` is to do, and where a report of it goes: checked before anything is begun."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from tintype.cli._options import Wrong, how_to_install
from tintype.cli._report import printable
from tintype.runtime.folders import Item, find, names_a_picture, plan

if TYPE_CHECKING:
    from tintype.archive.report import ReportFile


@dataclass
class Plan:
    """Photographs and their outputs.

    Attributes:
        items: begins the plan anew.
        todo: how many there are to colorize; None where that is found out only by and by.
        problems, empty: as of `Found`.
        out: a local place for output that is to be made, if any.
        urls: whether some are on other machines.
    """

    items: Callable[[], Iterator[Item]]
    todo: int | None
    problems: list[Item] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    out: str | None = None
    urls: bool = False

    def make_out(self) -> None:
        """Makes the folder for all output, so that a place where nothing can be written is told once."""
        if self.todo and self.out:
            _make_folder(os.path.dirname(self.out) if names_a_picture(self.out) else self.out)


def make_plan(ctx: click.Context, paths: tuple[str, ...], out: str | None, overwrite: bool) -> Plan:
    """The plan that a person's paths mean.

    Raises:
        click.ClickException: OUT cannot be meant, or what URLs need is not installed.
    """
    try:
        if any("://" in path for path in (*paths, out or "")):
            return _plan_of_urls(paths, out, overwrite)
        found = find(paths, out)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param_hint="'-o'") from error
    todo = sum(not (item.error or item.skipped) for item in plan(found, out, overwrite=overwrite))
    return Plan(lambda: plan(found, out, overwrite=overwrite), todo, found.problems, found.empty, out)


def _plan_of_urls(paths: tuple[str, ...], out: str | None, overwrite: bool) -> Plan:
    try:
        from tintype.archive.places import Places

        places = Places(paths, out)
    except ModuleNotFoundError as error:
        if error.name != "fsspec":
            raise
        raise Wrong(f"URLs need fsspec, which is not installed. {how_to_install('ray')}") from error
    except ImportError as error:  # fsspec says which package knows this kind of URL
        raise Wrong(" ".join(str(error).split())) from error
    return Plan(lambda: places.plan(overwrite=overwrite), None, out=places.local_out, urls=True)


def open_report(path: str) -> "ReportFile":
    """Opens a report for a run to write.

    Raises:
        click.ClickException: it cannot be.
    """
    from tintype.archive.report import ReportError, ReportFile

    try:
        return ReportFile(path)
    except ReportError as error:
        raise Wrong(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"cannot write {path}: {error.strerror}")) from error


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder or ".", exist_ok=True)
        problem = None if os.access(folder or ".", os.W_OK) else "the folder is read-only"
    except (FileExistsError, NotADirectoryError):
        problem = "there is a file in the way, where a folder should be"
    except OSError as error:
        problem = error.strerror
    if problem:
        raise click.ClickException(printable(f"cannot write to {folder or 'this folder'}: {problem}"))
