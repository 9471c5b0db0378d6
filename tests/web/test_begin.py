"""Beginning, once, and in a study that has no room."""

import pytest
from sqlalchemy import select

from tintype.study.storage import Storage, visitors
from tintype.study.visit import Room
from tintype.web.study import COOKIE

NAME = "0123456789abcdef" * 2


def _begun(study):
    storage = Storage(study)
    rows = storage.read(lambda c: c.execute(select(visitors)).all())
    storage.close()
    return rows


def test_a_beginning_that_is_repeated_as_its_reply_was_lost_is_one_visitor(visitor, study):
    first = visitor.begin(beginning=NAME)
    again = visitor.other().begin(beginning=NAME)  # without the first reply's cookie
    assert again.json() == first.json()
    assert again.cookies[COOKIE] == first.cookies[COOKIE]
    assert len(_begun(study)) == 1


def test_another_person_whose_beginning_is_repeated_is_one_visitor(visitor, study):
    first = visitor.begin()
    visitor.finish()
    assert visitor.begin(beginning=NAME, another=True).json()["place"] == 0
    visitor.client.cookies.clear()
    visitor.client.cookies.set(COOKIE, first.cookies[COOKIE])
    assert visitor.begin(beginning=NAME, another=True).json()["place"] == 0
    assert len(_begun(study)) == 2


def test_two_beginnings_are_two_visitors(visitor, study):
    names = [NAME, NAME[1:] + "0"]
    tokens = {visitor.other().begin(beginning=name).cookies[COOKIE] for name in names}
    assert len(tokens) == len(_begun(study)) == 2


@pytest.mark.parametrize(
    "name", [None, 5, "", NAME[1:], NAME + "0", NAME.upper(), NAME[1:] + "g", NAME + "\n", NAME[1:] + "\0", ["a"] * 32]
)
def test_a_beginning_that_could_be_guessed_or_makes_no_sense_is_refused(visitor, study, name):
    assert visitor.post("begin", beginning=name).status_code == 400
    assert visitor.post("begin").status_code == 400
    assert _begun(study) == []


def test_neither_the_name_nor_the_token_is_stored(visitor, study):
    token = visitor.begin(beginning=NAME).cookies[COOKIE]
    visitor.finish()
    assert token != NAME
    files = list(study.glob("study.db*"))
    assert files
    for path in files:
        assert not [secret for secret in (NAME, token) if secret.encode() in path.read_bytes()]


FULL = pytest.mark.parametrize("room", [Room(visitors=1), Room(per_hour=1)])


@FULL
def test_who_comes_to_a_full_study_is_told_at_once_and_gets_no_cookie(visitor, study):
    assert visitor.get("state").json()["stage"] == "consent"
    visitor.begin()
    other = visitor.other()
    assert other.get("state").json()["stage"] == "full"
    reply = other.begin()
    assert (reply.status_code, reply.json()["stage"]) == (200, "full")
    assert "set-cookie" not in reply.headers
    assert len(_begun(study)) == 1


@FULL
def test_who_began_goes_on_in_a_full_study_and_may_repeat_his_beginning(visitor, study):
    visitor.begin(beginning=NAME)
    assert visitor.other().begin(beginning=NAME).json()["stage"] == "practice"
    visitor.finish()
    assert visitor.get("state").json()["stage"] == "done"
    assert visitor.begin(another=True).json()["stage"] == "full"
    assert len(_begun(study)) == 1
