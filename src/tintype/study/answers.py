"""The answers of a study as arrays, one entry per answered pair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from tintype.study.folder import Study
from tintype.study.storage import trials, visitors

FRAMES_MS = 34.0  # two frames of a screen, which no page can do better than

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """Who judged what, and all answers, in arrays of one length.

    Attributes:
        visitor_ids: number of each visitor as it is stored, (V,).
        method_of: index of the method that each visitor judged, (V,).
        visitor: index of the visitor, (N,).
        picture: index of the picture, (N,).
        practice: whether it was a practice pair, (N,).
        left: whether the left one was chosen, (N,).
        fooled: whether the one chosen was the true one, (N,).
        shown: how often the pair was shown, (N,).
        exposures: measured exposures of the first and the second picture, in ms, (N, 2).
        answer_ms: from the end of the second exposure to the click, (N,).
    """

    visitor_ids: Ints
    method_of: Ints
    visitor: Ints
    picture: Ints
    practice: Bools
    left: Bools
    fooled: Bools
    shown: Ints
    exposures: Floats
    answer_ms: Floats

    def repeated(self) -> Bools:
        """Whether the pair was shown more than once, (N,): after a reload, or as the page was hidden meanwhile."""
        return self.shown > 1

    def mistimed(self, exposure: float) -> Bools:
        """Whether an exposure was off by more than a tenth, but at least 34 ms, two frames, (N,). In seconds."""
        off: Bools = np.abs(self.exposures - 1000 * exposure).max(axis=1) > tolerance_ms(exposure)
        return off

    def per_visitor(self, chosen: Bools) -> Ints:
        """How many of the answers chosen, (N,), each visitor gave: (V,)."""
        return np.bincount(self.visitor[chosen], minlength=len(self.visitor_ids))


def tolerance_ms(exposure: float) -> float:
    """How far a measured exposure may be from the one asked for, in seconds: a tenth, but two frames at least."""
    return max(FRAMES_MS, 100 * exposure)


def read_answers(connection: Connection, study: Study) -> Answers:
    """All visitors that began, and all answers that they gave; none of visitors who were deleted."""
    columns = (
        "visitor",
        "picture",
        "practice",
        "fake_left",
        "chose_left",
        "shown",
        "first_ms",
        "second_ms",
        "answer_ms",
    )
    asked = select(*(trials.c[column] for column in columns)).join(visitors).where(trials.c.answered.is_not(None))
    rows = np.array([tuple(row) for row in connection.execute(asked)], dtype=np.float64).reshape(-1, len(columns))
    # after the answers, so that whoever gave one is among them also where the study goes on meanwhile
    known = connection.execute(select(visitors.c.id, visitors.c.method).order_by(visitors.c.id)).all()
    ids = np.array([row[0] for row in known], dtype=np.int64)
    method_of = np.array([study.methods.index(row[1]) for row in known], dtype=np.int64)
    given = dict(zip(columns, rows.T, strict=True))
    left = given["chose_left"] == 1
    return Answers(
        visitor_ids=ids,
        method_of=method_of,
        visitor=np.searchsorted(ids, given["visitor"].astype(np.int64)),
        picture=given["picture"].astype(np.int64),
        practice=given["practice"] == 1,
        left=left,
        fooled=left != (given["fake_left"] == 1),
        shown=given["shown"].astype(np.int64),
        exposures=np.stack([given["first_ms"], given["second_ms"]], axis=1),
        answer_ms=given["answer_ms"],
    )
