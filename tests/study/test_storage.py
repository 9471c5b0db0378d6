import os
import sqlite3
import threading
from dataclasses import replace

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
    storage.claim(settings())
    storage.claim(settings())
    with pytest.raises(StudyError, match="another study"):
        storage.claim(replace(settings(), token="yours"))
    storage.close()


@pytest.mark.parametrize("change", [{"methods": ["half", "other"]}, {"pictures": settings().pictures[:7]}])
def test_answers_on_what_the_settings_do_not_name_are_refused(storage, change):
    study = settings(practice=2, trials=6)
    for name in "abc":
        judge(storage, study, name, [False])
    storage.claim(study)
    with pytest.raises(StudyError, match="methods or pictures"):
        storage.claim(replace(study, **change))


FIRST = """
CREATE TABLE studies ("key" VARCHAR(64) NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE visitors (
    id INTEGER NOT NULL, "key" VARCHAR(64) NOT NULL, method VARCHAR(200) NOT NULL, begun FLOAT NOT NULL,
    PRIMARY KEY (id), UNIQUE ("key")
);
CREATE TABLE trials (
    visitor INTEGER NOT NULL, place INTEGER NOT NULL, picture INTEGER NOT NULL, practice BOOLEAN NOT NULL,
    fake_left BOOLEAN NOT NULL, left_first BOOLEAN NOT NULL, shown INTEGER NOT NULL, showing VARCHAR(40),
    chose_left BOOLEAN, first_ms FLOAT, second_ms FLOAT, answer_ms FLOAT, answered FLOAT,
    PRIMARY KEY (visitor, place), FOREIGN KEY(visitor) REFERENCES visitors (id)
);
"""


ODD = [
    " ",
    "nonsense",
    "answers.db",
    "nonsense://host/db",
    "postgresql://host:port/db",
    "sqlite:////nowhere/at/all.db",
    "sqlite:///{}",
    "sqlite:///{}/text.db",
    "sqlite:///{}/answers.db?timeout=long",
    "sqlite:///{}/" + 300 * "a",
    "sqlite:///{}/\udcff\ud800",
]


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("url", ODD, ids=lambda url: ascii(url[:30]))
def test_a_database_that_cannot_be_opened_is_told_in_one_line(tmp_path, url, new):
    (tmp_path / "text.db").write_text("No database, whatever its name may say. " * 100)
    with pytest.raises(StudyError) as caught:
        Storage(tmp_path, url.format(tmp_path), new=new)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"])
def test_a_database_in_memory_is_refused_as_it_would_lose_the_answers(tmp_path, url, new):
    with pytest.raises(StudyError, match="in memory only"):
        Storage(tmp_path, url, new=new)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("lacking", ["begun FLOAT NOT NULL", "answer_ms FLOAT"])
def test_a_database_of_another_program_or_version_is_refused_and_its_tables_are_left(tmp_path, lacking, new):
    assert lacking in FIRST
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.executescript(FIRST.replace(lacking, f"other_{lacking}"))
    before = list(database.iterdump())
    with pytest.raises(StudyError, match="of another version of tintype"):
        Storage(tmp_path, new=new)
    assert list(database.iterdump()) == before
    database.close()


def test_a_database_of_the_first_version_goes_on(tmp_path):
    """Its tables, as `sqlite3 study.db .schema` printed them."""
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.executescript(FIRST)
    database.close()
    storage = Storage(tmp_path)
    study = settings()
    storage.claim(study)
    judge(storage, study, "me", [False] * 6)
    assert storage.read(results, study)["visitors"]["finished"] == 1
    storage.close()


def test_results_make_no_database(tmp_path):
    for url in (None, f"sqlite:///{tmp_path}/other.db"):
        with pytest.raises(StudyError, match="no answers here"):
            Storage(tmp_path, url, new=False)
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "study.db").close()
    with pytest.raises(StudyError, match="no answers here"):
        Storage(tmp_path, new=False)


@pytest.mark.parametrize("name", ["what?", "50%41", "a#b", "\udcff"])
def test_a_folder_may_have_any_name(tmp_path, name):
    (tmp_path / name).mkdir()
    storage = Storage(tmp_path / name)
    storage.write(_add, "one").result()
    storage.close()
    assert (tmp_path / name / "study.db").is_file()


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
        storage.claim(study)
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
