"""Where visitors and answers are kept: SQLite in the study's folder, or any database that SQLAlchemy knows.

Every write goes through one thread, which puts all that is waiting into one transaction and tells of success only after
the commit: an answer that a visitor saw taken in survives a killed server or a power cut, and fifty visitors at once
cost hardly more waits for the disk than one.
"""

import hashlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
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
    insert,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tintype.study.errors import StudyError
from tintype.study.folder import ANSWERS

T = TypeVar("T")
MOST_AT_ONCE = 256  # writes in one transaction

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

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """Opens the database, and makes its tables where they are missing.

        Args:
            folder: the study's.
            url: any database that SQLAlchemy knows. By default, the file `study.db` in the folder.

        Raises:
            StudyError: it cannot be opened.
        """
        self.engine = _engine(url or f"sqlite:///{folder / ANSWERS}")
        try:
            TABLES.create_all(self.engine)
        except SQLAlchemyError as error:
            raise StudyError(f"{_name(self.engine)}: {_reason(error)}") from error
        self._waiting: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], Future[Any]] | None]
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="answers", daemon=True)
        self._thread.start()

    def claim(self, token: str) -> None:
        """Makes the database this study's.

        Args:
            token: the study's.

        Raises:
            StudyError: it holds another study, whose answers would be mixed up with this one's.
        """
        key = hashlib.sha256(token.encode()).hexdigest()

        def claim(connection: Connection) -> set[str]:
            keys = set(connection.execute(select(studies.c.key)).scalars())
            if not keys:
                connection.execute(insert(studies).values(key=key))
            return keys or {key}

        if self.write(claim).result() != {key}:
            raise StudyError(
                f"{_name(self.engine)}: holds the answers of another study; give each study its own database"
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


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_size=8)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StudyError(f"--database: {_reason(error)}") from error
    except ModuleNotFoundError as error:
        raise StudyError(
            f"--database: this database needs the Python package {error.name}, which is not installed"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where the driver guesses
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then would fail at once, not wait, where another process wrote between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _name(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]
