"""One visitor's way through the study: begin, see a pair, answer, and where he is after a reload.

Each function is one step of it in the database, and takes an open connection. All of them may be repeated without harm.
"""

import hashlib
import time
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, insert, select, update

from tintype.study.design import draw_trials, next_method
from tintype.study.folder import Study
from tintype.study.storage import trials, visitors

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True)
class Visit:
    """Where a visitor is.

    Attributes:
        visitor: his number.
        place: the number of the pair that comes next, from 0; that of all pairs where there is none.
        trial: the pair, with its columns of the table `trials`; None after the last.
    """

    visitor: int
    method: str
    place: int
    trial: RowMapping | None


@dataclass(frozen=True)
class Measured:
    """What the page measured of one pair, in milliseconds."""

    first: float
    second: float
    answer: float


def key_of(token: str) -> str:
    """What is stored of a visitor's token: enough to know it again, too little to make it."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: Connection, study: Study, token: str) -> None:
    """Takes in a new visitor, and draws all his pairs. Does nothing for one who is known."""
    key = key_of(token)
    if connection.execute(_VISITOR, {"key": key}).first():
        return
    counts = dict.fromkeys(study.methods, 0)
    for method, number in connection.execute(select(visitors.c.method, func.count()).group_by(visitors.c.method)):
        counts[method] = number
    rng = Random(f"{study.seed} {sum(counts.values())}")
    method = next_method({name: counts[name] for name in study.methods}, rng)
    row = {"key": key, "method": method, "begun": time.time()}
    visitor = connection.execute(insert(visitors).values(row)).inserted_primary_key
    assert visitor is not None
    drawn = draw_trials(len(study.pictures), study.practice, study.trials, rng)
    connection.execute(
        insert(trials),
        [
            {
                "visitor": visitor[0],
                "place": place,
                "picture": trial.picture,
                "practice": trial.practice,
                "fake_left": trial.fake_left,
                "left_first": trial.left_first,
                "shown": 0,
            }
            for place, trial in enumerate(drawn)
        ],
    )


def where(connection: Connection, study: Study, token: str) -> Visit | None:
    """Where a visitor is; None for one who is not known."""
    row = connection.execute(_WHERE, {"key": key_of(token)}).mappings().first()
    if row is None:
        return None
    trial = None if row["place"] is None else row
    place = study.practice + study.trials if trial is None else trial["place"]
    return Visit(row["id"], row["method"], place, trial)


def show(connection: Connection, study: Study, token: str, place: int, showing: str) -> bool:
    """Notes that a pair is about to be shown; False where it is not the visitor's next.

    Args:
        showing: a name for this one time. A message that is repeated, as no answer came, has the same.
    """
    visit = where(connection, study, token)
    if visit is None or visit.trial is None or visit.place != place:
        return False
    if visit.trial["showing"] != showing:
        connection.execute(_SHOW, {"of": visit.visitor, "at": place, "name": showing})
    return True


def answer(
    connection: Connection, study: Study, token: str, place: int, side: str, measured: Measured
) -> RowMapping | None:
    """Stores an answer, once: later ones for the same pair change nothing.

    Returns:
        The pair as it is stored, with the first answer to it; None where it is not the visitor's to answer: it was not
        shown, or earlier ones were not answered.
    """
    visit = where(connection, study, token)
    if visit is None or place > visit.place:
        return None
    if place == visit.place:
        if visit.trial is None or not visit.trial["shown"]:
            return None
        values = {
            "of": visit.visitor,
            "at": place,
            "left": side == LEFT,
            "first": measured.first,
            "second": measured.second,
            "wait": measured.answer,
            "now": time.time(),
        }
        connection.execute(_ANSWER, values)
    return connection.execute(_TRIAL, {"of": visit.visitor, "at": place}).mappings().first()


def score(connection: Connection, visitor: int) -> int:
    """How many of the visitor's test pairs he told right."""
    right = and_(trials.c.visitor == visitor, trials.c.practice.is_(False), trials.c.chose_left == trials.c.fake_left)
    return connection.execute(select(func.count()).where(right)).scalar_one()


_VISITOR = select(visitors.c.id).where(visitors.c.key == bindparam("key"))
_WHERE = (
    select(visitors.c.id, visitors.c.method, trials)
    .select_from(visitors.outerjoin(trials, and_(trials.c.visitor == visitors.c.id, trials.c.answered.is_(None))))
    .where(visitors.c.key == bindparam("key"))
    .order_by(trials.c.place)
    .limit(1)
)
_OPEN = and_(trials.c.visitor == bindparam("of"), trials.c.place == bindparam("at"), trials.c.answered.is_(None))
_SHOW = update(trials).where(_OPEN).values(shown=trials.c.shown + 1, showing=bindparam("name"))
_ANSWER = (
    update(trials)
    .where(_OPEN)
    .values(
        chose_left=bindparam("left"),
        first_ms=bindparam("first"),
        second_ms=bindparam("second"),
        answer_ms=bindparam("wait"),
        answered=bindparam("now"),
    )
)
_TRIAL = select(trials).where(trials.c.visitor == bindparam("of"), trials.c.place == bindparam("at"))
