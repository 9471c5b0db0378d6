import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update

from study.small import MEASURED, judge, settings
from tintype.study import visit
from tintype.study.results import results
from tintype.study.storage import Storage, trials, visitors


@pytest.fixture
def storage(tmp_path):
    opened = Storage(tmp_path)
    yield opened
    opened.close()


def _stored(storage, table=trials):
    return storage.read(lambda connection: connection.execute(select(table)).mappings().all())


def test_visitors_are_spread_evenly_over_the_methods(storage):
    study = settings()
    for number in range(11):
        storage.write(visit.begin, study, f"visitor {number}").result()
    methods = [row["method"] for row in _stored(storage, visitors)]
    assert sorted((methods.count("half"), methods.count("faint"))) == [5, 6]


def _long_ago(storage, row):
    """As if the visitor had begun, and answered all that he did, more than an hour ago."""
    then = time.time() - 3700
    at = {"begun": then}, {"answered": then}
    storage.write(lambda c: c.execute(update(visitors).where(visitors.c.id == row["id"]).values(at[0]))).result()
    answered = (trials.c.visitor == row["id"]) & trials.c.answered.is_not(None)
    storage.write(lambda c: c.execute(update(trials).where(answered).values(at[1]))).result()


def test_who_left_is_replaced_by_one_of_the_same_method(storage):
    """Every visitor of one method leaves in the middle; the others finish, or are at it."""
    study = settings()
    for number in range(6):
        storage.write(visit.begin, study, f"{number}").result()
    rows = _stored(storage, visitors)
    for number, row in enumerate(rows):
        faint = row["method"] == "faint"
        judge(storage, study, f"{number}", [False] * (3 if faint else 6 if number < 4 else 2))
        if faint:
            _long_ago(storage, row)
    for number in range(6, 9):
        storage.write(visit.begin, study, f"{number}").result()
    assert [row["method"] for row in _stored(storage, visitors)[6:]] == ["faint"] * 3
    for number in range(9, 13):
        storage.write(visit.begin, study, f"{number}").result()
    assert sorted(row["method"] for row in _stored(storage, visitors)[9:]) == ["faint"] * 2 + ["half"] * 2


@pytest.mark.parametrize(("answers", "counts"), [(0, False), (1, False), (5, False), (6, True)])
def test_who_began_long_ago_takes_part_only_if_he_finished(storage, answers, counts):
    study, room = settings(), visit.Room(visitors=1)
    judge(storage, study, "one", [False] * answers)
    assert storage.read(visit.is_full, study, room)
    _long_ago(storage, _stored(storage, visitors)[0])
    assert storage.read(visit.is_full, study, room) == counts


def test_who_came_back_is_at_it_again(storage):
    study, room = settings(), visit.Room(visitors=1)
    judge(storage, study, "one", [False])
    _long_ago(storage, _stored(storage, visitors)[0])
    judge(storage, study, "one", [False])
    assert storage.read(visit.is_full, study, room)


@pytest.mark.parametrize("room", [visit.Room(visitors=2), visit.Room(per_hour=2)])
def test_a_full_study_takes_in_nobody_but_keeps_whom_it_has(storage, room):
    study = settings()
    taken_in = {name: storage.write(visit.begin, study, name, room).result() for name in "abc"}
    assert taken_in == {"a": True, "b": True, "c": False}
    assert storage.write(visit.begin, study, "a", room).result()
    assert len(_stored(storage, visitors)) == 2
    for row in _stored(storage, visitors):
        _long_ago(storage, row)
    assert storage.write(visit.begin, study, "c", room).result()


def test_no_visitor_is_a_copy_of_another_where_one_was_deleted(storage):
    study = settings(practice=5, trials=20, pictures=60)

    def drawn(row):
        return [(t["picture"], t["fake_left"], t["left_first"]) for t in _stored(storage) if t["visitor"] == row["id"]]

    for name in "abc":
        storage.write(visit.begin, study, name).result()
    first, *others = _stored(storage, visitors)
    storage.write(lambda c: c.execute(delete(trials).where(trials.c.visitor == first["id"]))).result()
    storage.write(lambda c: c.execute(delete(visitors).where(visitors.c.id == first["id"]))).result()
    storage.write(visit.begin, study, "d").result()
    *_, last = _stored(storage, visitors)
    assert all(drawn(last) != drawn(row) for row in others)


def test_the_pairs_of_a_visitor_who_was_deleted_are_nobody_elses(storage, tmp_path):
    """As by `sqlite3 study.db "DELETE FROM visitors WHERE id = 2"`, which leaves his pairs behind."""
    study = settings()
    judge(storage, study, "a", [False] * 6)
    judge(storage, study, "b", [True] * 6)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("DELETE FROM visitors WHERE id = 2")
    database.close()
    found = storage.read(results, study)
    assert (found["visitors"]["begun"], found["answers"]["test"]) == (1, 4)
    storage.write(visit.begin, study, "c").result()
    assert storage.read(visit.where, study, "c").place == 0
    judge(storage, study, "c", [False] * 6)
    assert storage.read(results, study)["visitors"]["finished"] == 2


def test_beginning_twice_is_beginning_once(storage):
    for _ in range(3):
        storage.write(visit.begin, settings(), "me").result()
    assert len(_stored(storage, visitors)) == 1
    assert len(_stored(storage)) == 6


def test_a_visitor_goes_through_all_pairs_and_gets_his_score(storage):
    study = settings()
    judge(storage, study, "me", [True, False, True, False, False, False])
    here = storage.read(visit.where, study, "me")
    assert here.trial is None
    assert here.place == 6
    assert storage.read(visit.score, here.visitor) == 3  # of the four test pairs


def test_the_first_answer_stands(storage):
    study = settings()
    storage.write(visit.begin, study, "me").result()
    storage.write(visit.show, study, "me", 0, "once").result()
    for side in ("left", "left", "right"):  # the same again, then another from a second tab
        stored = storage.write(visit.answer, study, "me", 0, side, MEASURED).result()
        assert stored["chose_left"]
    assert storage.read(visit.where, study, "me").place == 1
    assert sum(row["answered"] is not None for row in _stored(storage)) == 1


def test_many_answers_at_once_to_one_pair_count_once(storage):
    study = settings()
    storage.write(visit.begin, study, "me").result()
    storage.write(visit.show, study, "me", 0, "once").result()
    sides = ["left", "right"] * 20
    with ThreadPoolExecutor(8) as pool:
        futures = pool.map(lambda side: storage.write(visit.answer, study, "me", 0, side, MEASURED).result(), sides)
    assert len({stored["chose_left"] for stored in futures}) == 1
    assert storage.read(visit.where, study, "me").place == 1


@pytest.mark.parametrize("place", [1, 5, 6, 99])
def test_only_the_next_pair_can_be_answered(storage, place):
    study = settings()
    storage.write(visit.begin, study, "me").result()
    assert not storage.write(visit.show, study, "me", place, "x").result()
    assert storage.write(visit.answer, study, "me", place, "left", MEASURED).result() is None


def test_a_pair_that_was_not_shown_cannot_be_answered(storage):
    study = settings()
    storage.write(visit.begin, study, "me").result()
    assert storage.write(visit.answer, study, "me", 0, "left", MEASURED).result() is None


def test_a_repeated_message_is_one_showing_and_a_reload_is_another(storage):
    study = settings()
    storage.write(visit.begin, study, "me").result()
    for showing, count in (("a", 1), ("a", 1), ("b", 2), ("b", 2)):
        assert storage.write(visit.show, study, "me", 0, showing).result()
        assert storage.read(visit.where, study, "me").trial["shown"] == count


def test_a_stranger_has_nothing(storage):
    study = settings()
    assert storage.read(visit.where, study, "who?") is None
    assert not storage.write(visit.show, study, "who?", 0, "x").result()
    assert storage.write(visit.answer, study, "who?", 0, "left", MEASURED).result() is None


def test_no_token_is_stored(storage):
    storage.write(visit.begin, settings(), "a-secret-token").result()
    assert "a-secret-token" not in str(_stored(storage, visitors))
