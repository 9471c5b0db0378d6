import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert

from study.small import judge, settings
from tintype.study import visit
from tintype.study.results import results
from tintype.study.storage import Storage, trials, visitors
from tintype.study.words import summary


@pytest.fixture
def storage(tmp_path):
    opened = Storage(tmp_path)
    yield opened
    opened.close()


STUDY = settings(practice=2, trials=20, pictures=30)
ATTENTIVE = [False, False] + [True] * 5 + [False] * 15


def test_a_visitor_whose_answers_do_not_count_does_not_count_either(storage):
    """His share of one pair would weigh as much as another's of twenty in the variance behind the power estimate."""
    for name, first in (("good", 1000), ("late", 1300)):
        judge(storage, STUDY, name, ATTENTIVE, visit.Measured(first, 1000, 900))
    found = storage.read(results, STUDY)
    assert found["visitors"]["counted"] == 1
    assert [entry["reasons"] for entry in found["visitors"]["excluded"]] == [
        ["0 of 20 test pairs with an answer that counts"]
    ]


@pytest.mark.parametrize(("exposure", "first", "counts"), [(0.05, 0, False), (0.05, 80, True), (1.0, 905, True)])
def test_an_exposure_may_be_off_by_a_tenth_or_two_frames(storage, exposure, first, counts):
    study = replace(STUDY, exposure=exposure)
    judge(storage, study, "one", ATTENTIVE, visit.Measured(first, 1000 * exposure, 900))
    assert storage.read(results, study)["answers"]["counted"] == (20 if counts else 0)


def test_a_write_that_nobody_waits_for_any_more_stops_no_other(storage):
    started, go_on = threading.Event(), threading.Event()

    def slow(connection):
        started.set()
        go_on.wait(10)

    first = storage.write(slow)
    started.wait(10)
    given_up = storage.write(lambda connection: 1)
    assert given_up.cancel()
    go_on.set()
    first.result(10)
    assert storage.write(lambda connection: 2).result(10) == 2


def test_shares_are_of_the_test_pairs_alone(storage):
    judge(storage, STUDY, "one", [True, False] + [True] * 5 + [False] * 15)
    found = storage.read(results, STUDY)
    figures = next(figures for figures in found["methods"].values() if figures["trials"])
    assert (figures["trials"], figures["fooled"], figures["fooled_percent"]) == (20, 5, 25.0)
    assert figures["interval"] is None  # one visitor tells nothing of how visitors differ


@pytest.mark.parametrize(
    ("fooled", "measured", "reason"),
    [
        (ATTENTIVE, visit.Measured(1000, 1000, 900), None),
        (ATTENTIVE[:12], visit.Measured(1000, 1000, 900), None),
        (ATTENTIVE[:11], visit.Measured(1000, 1000, 900), "9 of 20 test pairs with an answer that counts"),
        (ATTENTIVE, visit.Measured(1000, 1000, 150), "20 of 20 answers within 200 ms"),
        (ATTENTIVE, visit.Measured(1000, 1000, 200), None),
    ],
)
def test_a_visitor_is_left_out_by_the_rule_and_by_nothing_else(storage, fooled, measured, reason):
    judge(storage, STUDY, "one", fooled, measured)
    found = storage.read(results, STUDY)
    left_out = found["visitors"]["excluded"]
    assert [entry["reasons"] for entry in left_out] == ([[reason]] if reason else [])
    assert sum(figures["visitors"] for figures in found["methods"].values()) == (0 if reason else 1)
    assert sum(figures["visitors"] for figures in found["without_exclusion"].values()) == 1


def test_who_always_takes_one_side_is_left_out(storage):
    storage.write(visit.begin, STUDY, "one").result()
    for place in range(22):
        storage.write(visit.show, STUDY, "one", place, "x").result()
        storage.write(visit.answer, STUDY, "one", place, "left", visit.Measured(1000, 1000, 900)).result()
    (entry,) = storage.read(results, STUDY)["visitors"]["excluded"]
    assert entry["reasons"] == ["the same side in 20 of 20 pairs"]


def test_being_fooled_never_leaves_a_visitor_out(storage):
    study = settings(practice=10, trials=20, pictures=30)
    judge(storage, study, "half right in practice", [True, False] * 5 + [True] * 20)
    assert storage.read(results, study)["visitors"]["excluded"] == []
    judge(storage, study, "always wrong", [True] * 30)
    (entry,) = storage.read(results, study)["visitors"]["excluded"]
    assert entry["reasons"] == ["0 of 10 practice pairs right"]


@pytest.mark.parametrize("times", [(1101, 1000), (1000, 899), (2000, 0)])
def test_pairs_whose_exposure_was_off_do_not_count_and_are_told(storage, times):
    judge(storage, STUDY, "one", ATTENTIVE[:13])
    for fooled in ATTENTIVE[13:]:
        here = storage.read(visit.where, STUDY, "one")
        storage.write(visit.show, STUDY, "one", here.place, "x").result()
        side = "left" if here.trial["fake_left"] != fooled else "right"
        storage.write(visit.answer, STUDY, "one", here.place, side, visit.Measured(*times, 900)).result()
    answers = storage.read(results, STUDY)["answers"]
    assert answers == {"test": 20, "counted": 11, "shown_again": 0, "exposure_off": 9}


def test_pairs_that_were_shown_again_do_not_count_and_are_told(storage):
    judge(storage, STUDY, "one", ATTENTIVE[:13])
    storage.write(visit.show, STUDY, "one", 13, "before the reload").result()
    judge(storage, STUDY, "one", ATTENTIVE[13:])
    answers = storage.read(results, STUDY)["answers"]
    assert answers == {"test": 20, "counted": 19, "shown_again": 1, "exposure_off": 0}


def test_pictures_are_counted_one_by_one(storage):
    for number in range(6):
        judge(storage, STUDY, f"{number}", ATTENTIVE)
    found = storage.read(results, STUDY)
    for name, figures in found["methods"].items():
        assert sum(entry["trials"] for entry in found["pictures"][name]) == figures["trials"] == 60
        assert sum(entry["fooled"] for entry in found["pictures"][name]) == figures["fooled"] == 15
        assert figures["interval"] == [25.0, 25.0]


def test_a_study_without_visitors_has_results(storage):
    found = storage.read(results, STUDY)
    json.dumps(found, allow_nan=False)
    assert found["methods"]["half"]["fooled_percent"] is None
    assert list(summary(found))


def test_fifty_thousand_answers_take_less_than_two_seconds(storage):
    study = settings(practice=10, trials=40, pictures=200)
    rng = np.random.default_rng(0)

    def fill(connection):
        begun = [{"id": n + 1, "key": f"{n}", "method": study.methods[n % 2], "begun": 0.0} for n in range(1000)]
        connection.execute(insert(visitors), begun)
        left, chose = rng.random((2, 1000, 50)) < 0.5
        answered = [
            {
                "visitor": n + 1,
                "place": place,
                "picture": int(rng.integers(200)),
                "practice": place < 10,
                "fake_left": bool(left[n, place]),
                "left_first": place % 2 == 0,
                "shown": 1,
                "chose_left": bool(chose[n, place]),
                "first_ms": 1000.0,
                "second_ms": 1000.0,
                "answer_ms": 800.0,
                "answered": 1.0,
            }
            for n in range(1000)
            for place in range(50)
        ]
        connection.execute(insert(trials), answered)

    storage.write(fill).result()
    start = time.perf_counter()
    found = storage.read(results, study)
    assert time.perf_counter() - start < 2
    assert found["visitors"]["finished"] == 1000
    assert found["answers"]["counted"] > 35_000
