"""Where visitors and answers are kept: SQLite in the study's folder, or any database that SQLAlchemy knows.

Every write goes through one thread, which puts all that is waiting into one transaction and tells of success only after
the commit: an answer that a visitor saw taken in survives a killed server or a power cut, and fifty visitors at once
cost hardly more waits for the disk than one.
"""

import hashlib
import queue
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SAWarning

from tintype.study.errors import StudyError
from tintype.study.folder import ANSWERS, SETTINGS, Study

T = TypeVar("T")
MOST_AT_ONCE = 256  # writes in one transaction
MEMORY = ":memory:"  # SQLite's name for a database without a file
IN_MEMORY = "SELECT file = '' FROM pragma_database_list WHERE name = 'main'"
NONE = "no answers here: no visitor came yet, or the study's database is another, or was moved away"

TABLES = MetaData()
studies = Table("studies", TABLES, Column("key", String(64), primary_key=True))  # SHA-256 of the study's token
visitors = Table(
    "visitors",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # SHA-256 of the token in the visitor's cookie
    Column("method", String(200), nullable=False),
    Column("begun", Float, nullable=False),  # seconds since 1970
)
trials = Table(
    "trials",
    TABLES,
    Column("visitor", ForeignKey("visitors.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("picture", Integer, nullable=False),
    Column("practice", Boolean, nullable=False),
    Column("fake_left", Boolean, nullable=False),
    Column("left_first", Boolean, nullable=False),
    Column("shown", Integer, nullable=False, default=0),  # how often the pair was shown
    Column("showing", String(40)),  # the page's name for the last time, so that a repeated message does not count twice
    Column("chose_left", Boolean),
    Column("first_ms", Float),  # measured exposures
    Column("second_ms", Float),
    Column("answer_ms", Float),  # from the end of the second exposure to the click
    Column("answered", Float),  # seconds since 1970; null while it is not
)


class Storage:
    """The database of one study, with the thread that writes to it."""

    def __init__(self, folder: Path, url: str | None = None, *, new: bool = True) -> None:
        """Opens the database.

        Args:
            folder: the study's.
            url: any database that SQLAlchemy knows. By default, the file `study.db` in the folder.
            new: whether its tables are made where they are missing.

        Raises:
            StudyError: it cannot be opened, has tables of another kind, or none where they are not to be made.
        """
        self.engine = _engine(url or URL.create("sqlite", database=str(folder / ANSWERS)))
        try:
            _check(self.engine, new)
            TABLES.create_all(self.engine)
        except Exception as error:  # drivers raise a dozen types for names, files and options that they cannot use
            self.engine.dispose()
            if isinstance(error, StudyError):
                raise
            raise StudyError(f"{_name(self.engine)}: {reason(error)}") from error
        self._waiting: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], Future[Any]] | None]
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="answers", daemon=True)
        self._thread.start()

    def claim(self, study: Study) -> None:
        """Makes the database this study's.

        Raises:
            StudyError: it holds another study, whose answers would be mixed up with this one's, or answers on methods
                or pictures that this one does not have.
        """
        key = hashlib.sha256(study.token.encode()).hexdigest()

        def claim(connection: Connection) -> tuple[set[str], set[str], int]:
            keys = set(connection.execute(select(studies.c.key)).scalars())
            if not keys:
                connection.execute(insert(studies).values(key=key))
            methods = set(connection.execute(select(visitors.c.method).distinct()).scalars())
            return keys or {key}, methods, connection.execute(select(func.max(trials.c.picture))).scalar() or 0

        keys, methods, picture = self.write(claim).result()
        if keys != {key}:
            raise StudyError(
                f"{_name(self.engine)}: holds the answers of another study; give each study its own database"
            )
        if not methods <= set(study.methods) or picture >= len(study.pictures):
            raise StudyError(
                f"{_name(self.engine)}: holds answers on methods or pictures that {SETTINGS} does not name; "
                f"put back the {SETTINGS} that `tintype study new` wrote"
            )

    def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls `function(connection, *arguments)`, in this thread."""
        with self.engine.connect() as connection:
            return function(connection, *arguments)

    def write(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Has `function(connection, *arguments)` called in the writing thread; the result comes after the commit.

        The function may be called again, after a rollback, where another write of the same transaction failed.
        """
        result: Future[T] = Future()
        self._waiting.put((function, arguments, result))
        return result

    def close(self) -> None:
        """Finishes what is waiting, and closes the database."""
        self._waiting.put(None)
        self._thread.join()
        self.engine.dispose()

    def _write_all(self) -> None:
        open_ = True
        while open_:
            batch = [self._waiting.get()]
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get())
            open_ = None not in batch
            self._write_batch([entry for entry in batch if entry is not None])

    def _write_batch(self, batch: list[tuple[Callable[..., Any], tuple[Any, ...], Future[Any]]]) -> None:
        batch = [entry for entry in batch if entry[2].running() or entry[2].set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            with self._begin() as connection:
                results = [function(connection, *arguments) for function, arguments, _ in batch]
        except Exception as error:
            if len(batch) == 1:
                batch[0][2].set_exception(error)
            else:  # one spoiled the transaction for all
                for entry in batch:
                    self._write_batch([entry])
            return
        for (_, _, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _begin(self) -> Any:
        return self.engine.execution_options(writes=True).begin()


def _engine(url: str | URL) -> Engine:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)  # of options that would be ignored
            engine = create_engine(url, pool_size=8)
    except (ArgumentError, NoSuchModuleError, SAWarning, TypeError, ValueError) as error:
        raise StudyError(
            f"--database: cannot be used; a URL is needed such as sqlite:///answers.db ({reason(error)})"
        ) from error
    except ModuleNotFoundError as error:
        raise StudyError(
            f"--database: this database needs the Python package {error.name}, which is not installed"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _check(engine: Engine, new: bool) -> None:
    """Raises StudyError where the tables that are there are not those of a study, or none are and may be made."""
    sqlite, file = engine.dialect.name == "sqlite", engine.url.database or MEMORY
    if sqlite and not new and file != MEMORY and "uri" not in engine.url.query and not Path(file).is_file():
        raise StudyError(f"{_name(engine)}: {NONE}")  # opening it would make the file
    with engine.connect() as connection:
        if sqlite and connection.exec_driver_sql(IN_MEMORY).scalar():
            raise StudyError(f"{_name(engine)}: is kept in memory only, where answers would be lost; name a file")
        there = inspect(connection)
        for table in TABLES.sorted_tables:
            if not there.has_table(table.name):
                if not new:
                    raise StudyError(f"{_name(engine)}: {NONE}")
                continue
            lacking = set(table.columns.keys()) - {column["name"] for column in there.get_columns(table.name)}
            if lacking:
                raise StudyError(
                    f"{_name(engine)}: its table {table.name} has no {', '.join(sorted(lacking))}: it is of another "
                    "program, or of another version of tintype; name another database"
                )


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where the driver guesses
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then would fail at once, not wait, where another process wrote between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _name(engine: Engine) -> str:
    """The database as it is told to people, without its password."""
    url = engine.url
    return (
        url.database or MEMORY
        if engine.dialect.name == "sqlite"
        else f"{url.drivername}://{url.host or ''}/{url.database}"
    )


def reason(error: Exception) -> str:
    """What a database's error says, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:400]
