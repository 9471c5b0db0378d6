"""What several commands' options have in common."""

import math

import click


def finite(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Callback of an option: refuses nan and inf, which click's ranges let pass."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value
