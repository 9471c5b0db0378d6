"""What several commands' options have in common."""

import math
from collections.abc import Callable
from pathlib import Path

import click


class Wrong(click.ClickException):
    """Wrong usage told in one line, without click's reminder of the options, which are not what is wrong."""

    exit_code = 2


def how_to_install(extra: str) -> str:
    """What to do where a library of an extra is missing."""
    return f'In a checkout of tintype, run: pip install ".[{extra}]"'


def finite(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Callback of an option: refuses nan and inf, which click's ranges let pass."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value


def named_folders(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    """Callback of a repeatable option NAME=FOLDER: the folders by name."""
    return _named(values, "folder", Path.is_dir)


def named_files(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    """Callback of a repeatable option NAME=FILE: the files by name."""
    return _named(values, "file", Path.is_file)


def _named(values: tuple[str, ...], what: str, there: Callable[[Path], bool]) -> dict[str, Path]:
    given: dict[str, Path] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name.strip() and equals and path):
            raise click.BadParameter(f"{value!r} is not NAME={what.upper()}.")
        if name in given:
            raise click.BadParameter(f"{name!r} is there twice.")
        if not there(Path(path)):
            raise click.BadParameter(f"{path!r} is not a {what}.")
        given[name] = Path(path)
    return given
