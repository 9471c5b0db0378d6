"""What does the work of `tintype colorize`: threads, processes, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import click

from tintype.cli._films import Film, with_films
from tintype.cli._options import Wrong, how_to_install
from tintype.cli._plans import Plan
from tintype.runtime.folders import Item
from tintype.runtime.retry import Work
from tintype.runtime.settings import Colorize, Settings
from tintype.runtime.strips import cores

ENGINES = ("local", "ray")
PATIENCE = 3.0  # seconds for photographs in work to be finished, after Ctrl-C


@dataclass
class Engine:
    """`work` works through a plan; `kill` leaves what is in work."""

    work: Work
    kill: Callable[[], None] = lambda: None


@contextmanager
def choose(
    ctx: click.Context,
    name: str,
    settings: Settings,
    plan: Plan,
    jobs: int | None,
    address: str | None,
    stop: Event,
    film: Film,
) -> Iterator[Engine]:
    """The engine for a plan. `film` gives what is told of the frames of a film.

    Raises:
        click.ClickException: there is no such model, or no such cluster; or Ray is not installed.
    """
    from tintype.runtime import ModelError
    from tintype.runtime.workers import MANY, Workers

    todo = plan.todo
    if todo == 0 and settings.model == "bundled":
        yield Engine(_nothing)
        return
    many = todo is None or todo >= MANY
    # One more than there are processors has something to do while another waits for the disk.
    number = jobs or (cores() + 1 if many and cores() > 1 else cores())
    number = max(1, number if todo is None else min(number, todo))
    try:  # here too if other processes load it: a model that is not there is told once, even if there is nothing to do
        colorize = settings.load(max(1, cores() // number))
    except ModelError as error:
        raise click.BadParameter(str(error), ctx, param_hint="'--model'") from error
    if name == "ray":
        with _ray(settings, jobs, address, stop) as (work, kill):
            yield Engine(work, kill)
    elif many and number > 1:
        with Workers(settings, number) as workers:
            yield Engine(_local(with_films(workers, settings, stop, film), plan, number, settings, stop), workers.kill)
    else:
        yield Engine(_local(with_films(colorize, settings, stop, film), plan, number, settings, stop))


def _nothing(items: Iterable[Item]) -> Iterator[Item]:
    yield from items


def _local(colorize: Colorize, plan: Plan, jobs: int, settings: Settings, stop: Event) -> Work:
    from tintype.runtime.batch import colorize_all

    one = None
    if plan.urls:
        from tintype.archive.carry import Carrier

        one = Carrier(settings.overwrite)
    return lambda items: colorize_all(items, colorize, jobs=jobs, stop=stop, patience=PATIENCE, one=one)


@contextmanager
def _ray(
    settings: Settings, jobs: int | None, address: str | None, stop: Event
) -> Iterator[tuple[Work, Callable[[], None]]]:
    try:
        from tintype.archive.cluster import ClusterError, cluster, leave
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] not in ("ray", "fsspec", "pandas", "pyarrow"):
            raise
        raise Wrong(f"--engine ray needs {error.name}, which is not installed. {how_to_install('ray')}") from error
    try:
        with cluster(settings, jobs, address, stop) as work:
            yield work, leave
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
