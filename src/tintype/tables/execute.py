"""Carrying out a plan: what is missing, a few runs at a time, each a process of its own that can be stopped."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tintype.runtime.atomic import write_atomically
from tintype.runtime.strips import cores
from tintype.tables.launch import shared
from tintype.tables.plan import Plan, Run, by_urgency, command_of

State = Literal["done", "failed", "waiting"]
LAUNCHED = ("pretrain", "transfer")  # that torchrun can start
PROGRAM = (sys.executable, "-m", "tintype")  # what is started where a command says tintype


class Stopped(Exception):
    """The runs were asked to stop, and have; all can be resumed. `signal` is the one that asked."""

    def __init__(self, number: int):
        super().__init__(number)
        self.signal = number


@dataclass(frozen=True)
class Folder:
    """Where a table's runs lie: runs/NAME and logs/NAME.txt."""

    path: Path

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    def result(self, run: Run) -> Path:
        """The file that is there once a run is done."""
        return self.runs / run.name / run.result

    def log(self, run: Run) -> Path:
        """What a run printed."""
        return self.path / "logs" / f"{run.name}.txt"

    def state(self, run: Run) -> State:
        """Whether a run is done, has failed, or waits to be run or resumed."""
        if self.result(run).exists():
            return "done"
        return "failed" if self.took(run)[1] else "waiting"

    def todo(self, plan: Plan) -> list[Run]:
        """The runs that are not done, in the plan's order."""
        return [run for run in plan.runs.values() if self.state(run) != "done"]

    def damaged(self, run: Run) -> int:
        """How many photographs an evaluation could not read, and measured without."""
        done = run.kind == "evaluate" and self.result(run).exists()
        return len(json.loads(self.result(run).read_text("utf-8")).get("damaged", ())) if done else 0

    def took(self, run: Run) -> tuple[float, int]:
        """Seconds that a run took so far, and how it ended: its exit status, 0 also while that is not known."""
        file = self._took(run)
        if not file.exists():
            return 0.0, 0
        read = json.loads(file.read_text("utf-8"))
        return read["seconds"], read["status"]

    def note(self, run: Run, seconds: float, status: int) -> None:
        """Keep how long a run took, beside what it took before it was stopped, and how it ended."""
        kept = {"seconds": round(self.took(run)[0] + seconds, 1), "status": status}
        write_atomically(self._took(run), lambda file: file.write(json.dumps(kept).encode()), overwrite=True)

    def _took(self, run: Run) -> Path:
        return self.path / "logs" / f"{run.name}.json"


def words_of(run: Run, folder: Folder, launch: Sequence[str] = ()) -> list[str]:
    """The whole command of a run, going on with it where it was stopped.

    Args:
        launch: words before `tintype`, such as torchrun's, for those runs that have several processes (`shared`).
    """
    resume = ["--resume"] if run.kind in LAUNCHED and _recipe(run, folder).exists() else []
    return [*_started(run, folder, launch), *resume]


def _started(run: Run, folder: Folder, launch: Sequence[str]) -> list[str]:
    before = shared(launch, run.batch_size) if run.kind in LAUNCHED else []
    return [*before, "tintype", *command_of(run, folder.runs)]


def _recipe(run: Run, folder: Folder) -> Path:
    """The file that is there once a run of several steps has begun."""
    return folder.runs / run.name / "recipe.yaml"


def shell_line(run: Run, folder: Folder, launch: Sequence[str] = ()) -> str:
    """The run's command for a shell or a queue, which leaves what `execute` would, and goes on with what has begun by
    then, such as a job that the queue puts back.

    Other runs than `LAUNCHED` make no folder; an evaluation's result is what it prints, if that is all, or all but what
    damaged photographs kept it from (status 1).
    """
    line = shlex.join(_started(run, folder, launch))
    if run.kind in LAUNCHED:
        return f"{line} $([ -e {shlex.quote(str(_recipe(run, folder)))} ] && echo --resume)"
    out = folder.result(run)
    place, printed, result = (shlex.quote(str(path)) for path in (out.parent, _printed(out), out))
    if run.kind == "evaluate":
        line = f"{{ {line} > {printed} || [ $? = 1 ]; }} && [ -s {printed} ] && mv {printed} {result}"
    return f"mkdir -p {place} && {line}"


def _printed(out: Path) -> Path:
    """Where an evaluation prints to, until it has ended."""
    return out.with_name(f".{out.name}.tmp")


def execute(
    plan: Plan,
    folder: Folder,
    *,
    launch: Sequence[str] = (),
    jobs: int = 1,
    told: Callable[[Run, str], None] = lambda run, what: None,
) -> None:
    """Run what is not done, the most urgent first. A run that fails is noted; those that need it are left out, all
    others go on.

    Args:
        launch: as of `words_of`.
        jobs: runs at a time, each with its share of the processor's cores, and a GPU of its own where nothing launches
            them and there are as many.
        told: is told of each run's start and end.

    Raises:
        Stopped: by SIGINT or SIGTERM, after the runs have stopped.
    """
    waiting = {run.name: run for run in by_urgency(folder.todo(plan))}
    failed: set[str] = set()
    children = _Children()
    cards = gpus() if jobs > 1 and not launch else []
    places = [_environment(number, jobs, cards) for number in range(jobs)]
    with _listening(children), ThreadPoolExecutor(jobs) as pool:
        running: dict[Future[int], tuple[Run, dict[str, str]]] = {}
        while (waiting or running) and not children.stopped:
            for name, run in list(waiting.items()):
                if failed & set(run.needs):
                    failed.add(name)
                    told(waiting.pop(name), "left out: what it needs has failed")
                elif len(running) < jobs and not any(need in waiting or need in _names(running) for need in run.needs):
                    told(run, "started")
                    place = places.pop()
                    future = pool.submit(_carry_out, waiting.pop(name), folder, launch, place, children)
                    running[future] = run, place
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                (run, place), status = running.pop(future), future.result()
                places.append(place)
                if not children.stopped:
                    failed |= {run.name} if status else set()
                    told(run, "done" if not status else f"FAILED, see {folder.log(run)}")
    if children.stopped:
        raise Stopped(children.stopped)


def _names(running: Mapping["Future[int]", tuple[Run, dict[str, str]]]) -> set[str]:
    return {run.name for run, _ in running.values()}


def gpus() -> list[str]:
    """The GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]


def _environment(number: int, jobs: int, cards: Sequence[str]) -> dict[str, str]:
    """What runs at one of the places side by side are told of the machine."""
    own = {"OMP_NUM_THREADS": str(max(1, cores() // jobs)), **os.environ}
    return own | {"CUDA_VISIBLE_DEVICES": cards[number % len(cards)]} if cards else own


class _Children:
    """Processes that run now, to be told of a stop."""

    def __init__(self) -> None:
        self.stopped = 0
        self._all: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def start(self, words: Sequence[str], **how: object) -> "subprocess.Popen[bytes]":
        with self._lock:
            child: subprocess.Popen[bytes] = subprocess.Popen(words, start_new_session=True, **how)  # type: ignore[call-overload]
            self._all.add(child)
        if self.stopped:
            child.terminate()
        return child

    def ended(self, child: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._all.discard(child)

    def stop(self, number: int) -> None:
        """SIGTERM makes a run write a checkpoint and end. torchrun hands it on."""
        self.stopped = number
        for child in list(self._all):
            child.terminate()


@contextmanager
def _listening(children: _Children) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: children.stop(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _carry_out(
    run: Run, folder: Folder, launch: Sequence[str], environment: Mapping[str, str], children: _Children
) -> int:
    """Run one command to its end; its exit status."""
    words = words_of(run, folder, launch)
    if words[0] == "tintype":
        words = [*PROGRAM, *words[1:]]
    folder.log(run).parent.mkdir(parents=True, exist_ok=True)
    out = folder.result(run)
    if run.kind not in LAUNCHED:
        out.parent.mkdir(parents=True, exist_ok=True)
    printed = _printed(out)
    start = time.monotonic()
    with folder.log(run).open("ab") as log:
        log.write(f"$ {shlex.join(words)}\n".encode())
        log.flush()
        try:
            with printed.open("wb") if run.kind == "evaluate" else nullcontext(log) as told:
                child = children.start(words, stdin=subprocess.DEVNULL, stdout=told, stderr=log, env=environment)
        except OSError as error:  # of the program that launches it
            log.write(f"{words[0]} cannot be started: {error.strerror}\n".encode())
            folder.note(run, 0, 127)
            return 127
        status = child.wait()
    children.ended(child)
    if run.kind == "evaluate" and status in (0, 1) and printed.stat().st_size:  # 1: some photographs are damaged
        os.replace(printed, out)
    if not out.exists() and not status:
        status = 1
    folder.note(run, time.monotonic() - start, 0 if out.exists() or children.stopped else status)
    return 0 if out.exists() else status
