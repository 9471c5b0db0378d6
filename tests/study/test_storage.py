import os
import threading

import pytest
from sqlalchemy import create_engine, insert, inspect, select, text

from study.small import judge, settings
from tintype.study import visit
from tintype.study.errors import StudyError
from tintype.study.results import results
from tintype.study.storage import TABLES, Storage, visitors


def _add(connection, key):
    connection.execute(insert(visitors).values(key=key, method="half", begun=0.0))


def _keys(connection):
    return set(connection.execute(select(visitors.c.key)).scalars())


@pytest.fixture
def storage(tmp_path):
    opened = Storage(tmp_path)
    yield opened
    opened.close()


def test_a_write_that_fails_spoils_no_other_of_its_transaction(storage):
    go = threading.Event()
    storage.write(lambda connection: go.wait(10))  # so that the rest waits, and goes into one transaction
    good = [storage.write(_add, f"good {number}") for number in range(5)]
    bad = storage.write(_add, "good 0")  # a key that is taken
    more = storage.write(_add, "good 5")
    go.set()
    with pytest.raises(Exception, match="UNIQUE"):
        bad.result(10)
    for future in (*good, more):
        future.result(10)
    assert storage.read(_keys) == {f"good {number}" for number in range(6)}


def test_success_is_told_only_after_the_commit(storage):
    assert storage.write(_add, "one").result() is None
    assert storage.read(_keys) == {"one"}


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path):
    first = Storage(tmp_path)
    first.write(_add, "one")
    first.close()
    again = Storage(tmp_path)
    assert again.read(_keys) == {"one"}
    again.close()


def test_sqlite_waits_for_the_disk_and_for_other_processes(storage):
    def pragma(connection, name):
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()

    assert storage.read(pragma, "journal_mode") == "wal"
    assert storage.read(pragma, "synchronous") == 2  # FULL
    assert storage.read(pragma, "busy_timeout") == 10000


def test_two_processes_may_have_one_study_open(tmp_path):
    one, other = Storage(tmp_path), Storage(tmp_path)
    futures = [storage.write(_add, f"{storage is one} {n}") for n in range(30) for storage in (one, other)]
    for future in futures:
        future.result(20)
    assert len(one.read(_keys)) == 60
    one.close()
    other.close()


def test_one_database_holds_one_study(tmp_path):
    storage = Storage(tmp_path)
    storage.claim("mine")
    storage.claim("mine")
    with pytest.raises(StudyError, match="another study"):
        storage.claim("yours")
    storage.close()


@pytest.mark.parametrize("url", ["nonsense", "nonsense://host/db", "sqlite:////nowhere/at/all.db"])
def test_a_database_that_cannot_be_opened_is_told_in_one_line(tmp_path, url):
    with pytest.raises(StudyError) as caught:
        Storage(tmp_path, url)
    assert "\n" not in str(caught.value)


def test_the_same_on_postgresql(tmp_path):
    url = os.environ.get("TINTYPE_POSTGRES")
    if not url:
        pytest.skip("TINTYPE_POSTGRES names no PostgreSQL database, such as postgresql+psycopg://user@host/name")
    study = settings()
    engine = create_engine(url)
    there = set(inspect(engine).get_table_names()) & set(TABLES.tables)
    engine.dispose()
    assert not there, "the database holds a study, which this test would delete"
    storage = Storage(tmp_path, url)
    try:
        storage.claim(study.token)
        bad = [storage.write(_add, "twice") for _ in range(2)]
        bad[0].result(20)
        with pytest.raises(Exception, match="unique"):
            bad[1].result(20)
        for number in range(4):
            judge(storage, study, f"visitor {number}", [True, False] * 3)
        found = storage.read(results, study)
        assert found["visitors"]["finished"] == 4
        assert {figures["fooled_percent"] for figures in found["methods"].values()} == {50.0}
        assert storage.read(visit.where, study, "visitor 0").trial is None
    finally:
        TABLES.drop_all(storage.engine)
        storage.close()
