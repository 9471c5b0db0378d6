"""What several commands' options have in common."""

import math

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
