"""One visitor's way through the study: begin, see a pair, answer, and where he is after a reload.

Each function is one step of it in the database, and takes an open connection. All of them may be repeated without harm.
"""

import hashlib
import time
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, exists, func, insert, or_, select, update

from tintype.study.design import draw_trials, next_method
from tintype.study.folder import Study
from tintype.study.storage import trials, visitors

LEFT, RIGHT = "left", "right"
HOUR = 3600.0  # in seconds; a visitor is active who began or answered within it


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
class Room:
    """How many visitors a study takes.

    Attributes:
        visitors: who have finished or are active.
        per_hour: who begin within an hour, whether or not they finish.
    """

    visitors: int = 1000
    per_hour: int = 500


@dataclass(frozen=True)
class Measured:
    """What the page measured of one pair, in milliseconds."""

    first: float
    second: float
    answer: float


def key_of(token: str) -> str:
    """What is stored of a visitor's token: enough to know it again, too little to make it."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: Connection, study: Study, token: str, room: Room | None = None) -> bool:
    """Takes in a new visitor, and draws all his pairs. Does nothing for one who is known.

    Args:
        room: how many visitors the study takes; None: any number.

    Returns:
        False where there is no room for another.
    """
    key = key_of(token)
    if connection.execute(_VISITOR, {"key": key}).first():
        return True
    if room and is_full(connection, study, room):
        return False
    rng = Random(f"{study.seed} {key}")
    method = next_method(_taking_part(connection, study), rng)
    row = {"key": key, "method": method, "begun": time.time()}
    visitor = connection.execute(insert(visitors).values(row)).inserted_primary_key
    assert visitor is not None
    # SQLite gives the number of the last visitor again where he was deleted, if without his pairs
    connection.execute(delete(trials).where(trials.c.visitor == visitor[0]))
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
    return True


def is_full(connection: Connection, study: Study, room: Room) -> bool:
    """Whether there is no room for another visitor."""
    if connection.execute(_LATELY, {"since": time.time() - HOUR}).scalar_one() >= room.per_hour:
        return True
    ever = connection.execute(_EVER).scalar_one()  # quick to count
    return ever >= room.visitors and sum(_taking_part(connection, study).values()) >= room.visitors


def _taking_part(connection: Connection, study: Study) -> dict[str, int]:
    """How many visitors of each method have finished or are active."""
    values = {"last": study.practice + study.trials - 1, "since": time.time() - HOUR}
    counts = dict.fromkeys(study.methods, 0)
    for method, number in connection.execute(_TAKING_PART, values):
        counts[method] = number
    return counts


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
_EVER = select(func.count()).select_from(visitors)
_LATELY = _EVER.where(visitors.c.begun > bindparam("since"))
_FINISHED = exists().where(
    trials.c.visitor == visitors.c.id, trials.c.place == bindparam("last"), trials.c.answered.is_not(None)
)
_ACTIVE = exists().where(trials.c.visitor == visitors.c.id, trials.c.answered > bindparam("since"))
_TAKING_PART = (
    select(visitors.c.method, func.count())
    .where(or_(visitors.c.begun > bindparam("since"), _FINISHED, _ACTIVE))
    .group_by(visitors.c.method)
)
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
