"""How commands that train end: in one line for people, with the exit status that says why."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click


@contextmanager
def training(run: Path | None, again: Callable[[], Sequence[object]]) -> Iterator[None]:
    """Around a command that trains: turns what can go wrong into one line, and ends.

    Args:
        run: its folder, if given.
        again: the command's words that go on with a stopped run.
    """
    from torch.distributed import DistError

    from tintype.data import DataError, LoadingError
    from tintype.recipes import RecipeError
    from tintype.training import Interrupted, TrainingError

    try:
        yield
    except RecipeError as error:
        fail(str(error), 2)
    except LoadingError as error:
        fail(str(error), 1, anyone=True)
    except (TrainingError, DataError) as error:
        fail(str(error), 1)
    except RuntimeError as error:
        words = str(error)  # torch's own, raised wherever the run happens to be
        if "DataLoader worker" in words:
            fewer = "perhaps for its memory: try fewer workers (see the recipe)"
            fail(f"a process that decodes photographs was killed, {fewer}, and --resume", 1, anyone=True)
        if isinstance(error, DistError) or "by peer" in words or "gloo" in words:
            why = "its own last words, if any, say why"
            fail(f"another process of this run is gone; {why}, and --resume goes on", 1, anyone=True)
        raise
    except OSError as error:
        fail(f"{error.filename or run}: {error.strerror or error}", 1)
    except Interrupted as stop:
        line = _launcher() + shlex.join(map(str, again()))
        fail(f"stopped after step {stop.step}; go on with: {line}", 128 + stop.signal)


def _launcher() -> str:
    """What a command was started by: going on with other numbers of processes is another run."""
    here, all_ = (os.environ.get(name, "1") for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    return "" if all_ == "1" else f"torchrun {f'--nproc-per-node {here}' if here == all_ else '…'} --no-python "


def new_run(name: str) -> Path:
    """runs/NAME-TIME, the same on every process: the first one's time counts."""
    import torch

    time = [datetime.now(UTC).strftime("%Y%m%d-%H%M%S")]
    if torch.distributed.is_initialized():
        torch.distributed.broadcast_object_list(time)
    return Path("runs", f"{name}-{time[0]}")


def list_recipes(descriptions: Mapping[str, str]) -> None:
    """Print each recipe's name and description on a line."""
    width = max(map(len, descriptions))
    for name, description in descriptions.items():
        click.echo(f"{name:<{width}}  {description}")


def fail(line: str, code: int, anyone: bool = False) -> None:
    """End with one line; of several processes only the first speaks, unless it may be one alone that fails."""
    rank = os.environ.get("RANK", "0")
    if rank == "0" or anyone:
        click.echo(line if rank == "0" else f"process {rank}: {line}", err=True)
    raise SystemExit(code)
