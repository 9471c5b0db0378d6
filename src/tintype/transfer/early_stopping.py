"""Larsson17's early stopping: when to drop the learning rate, and when to stop (PAPERS C5)."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.runtime.atomic import write_atomically
from tintype.transfer.recipe import EarlyStopping


@dataclass(frozen=True)
class Decided:
    """The steps after which the rate was dropped, and the one after which training stopped; None: not yet."""

    drops: tuple[int, ...]
    stop: int | None


def decide(scores: Sequence[tuple[int, float]], schedule: EarlyStopping) -> Decided:
    """What follows from held-out scores, each with its step, in order; the higher the better.

    The rate drops after a step when none of the last `patience` scores was above the best one before them, counted
    anew after each drop. Where the rate has dropped `schedule.drops` times already, training stops instead.
    """
    drops: list[int] = []
    best, since = float("-inf"), 0
    for step, score in scores:
        best, since = (score, 0) if score > best else (best, since + 1)
        if since == schedule.patience:
            if len(drops) == schedule.drops:
                return Decided(tuple(drops), step)
            drops.append(step)
            since = 0
    return Decided(tuple(drops), None)


class Watch:
    """Held-out scores as they come, kept in a file of JSON lines, so that a resumed run decides as it would have.

    Attributes:
        decided: so far.
    """

    def __init__(self, schedule: EarlyStopping, file: Path):
        self._schedule, self._file = schedule, file
        self.scores: list[tuple[int, float]] = []
        self.decided = Decided((), None)

    def rewind(self, step: int) -> None:
        """Forget what was noted after a step; what was noted up to it is read again."""
        lines = self._file.read_text("utf-8").splitlines() if self._file.exists() else []
        read = [(int(line["step"]), float(line["score"])) for line in map(json.loads, lines)]
        self.scores = [(at, score) for at, score in read if at <= step]
        self._decide()

    def note(self, step: int, score: float) -> None:
        """Take in the score after a step."""
        self.scores.append((step, score))
        self._decide()
        self._write()

    def factor(self, step: int) -> float:
        """On the learning rate of the update that follows `step` updates."""
        return factor(self.decided, self._schedule, step)

    def _decide(self) -> None:
        self.decided = decide(self.scores, self._schedule)

    def _write(self) -> None:
        lines = []
        for i, (step, score) in enumerate(self.scores):
            so_far = decide(self.scores[: i + 1], self._schedule)
            done = "stop" if so_far.stop == step else "drop" if step in so_far.drops else ""
            lines.append(json.dumps({"step": step, "score": score, "decision": done}) + "\n")
        write_atomically(self._file, lambda file: file.write("".join(lines).encode()), overwrite=True)


def factor(decided: Decided, schedule: EarlyStopping, step: int) -> float:
    """On the learning rate of the update that follows `step` updates, by what was decided."""
    return float(schedule.factor ** sum(step >= drop for drop in decided.drops))


def held_out_of(names: Sequence[str], share: float) -> list[int]:
    """Which samples decide: exactly this share, at least one, in an order that their names alone give.

    Not the order by which a test set is parted off, of which none would be left here.
    """
    digests = [hashlib.blake2b(os.fsencode(name), digest_size=8, person=b"early stopping").digest() for name in names]
    order = sorted(range(len(names)), key=lambda number: (digests[number], names[number]))
    return sorted(order[: max(1, round(share * len(names)))])


def without_held_out(names: Sequence[str], schedule: object) -> tuple[list[int], list[int]]:
    """Numbers of the samples without those that early stopping holds out, and of these; all, and none, without it."""
    held_out = held_out_of(names, schedule.held_out) if isinstance(schedule, EarlyStopping) else []
    return sorted(set(range(len(names))) - set(held_out)), held_out
