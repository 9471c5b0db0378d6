from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from study.small import MEASURED, judge, settings
from tintype.study import visit
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
