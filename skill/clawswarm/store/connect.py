"""Opens the database of this machine: WAL, a busy timeout, write transactions that begin immediately.

`BEGIN IMMEDIATE` takes the write lock at the start, where waiting for it is safe; a transaction that reads
first and asks for the lock later can fail at once, whatever the busy timeout.
"""

import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from clawswarm.errors import StoreError
from clawswarm.store.database import DURABLE, Database, Errors
from clawswarm.store.migrate import migrate, pending
from clawswarm.store.turns import turn

BUSY_TIMEOUT_MS = 5_000
"""How long a transaction waits for another process's. Ours last about a millisecond."""

TURNS = "-turn"
"""What the file of the queue of writers is called behind the name of the database."""

SWITCH_TRIES = 20
"""Tries to switch a new database to WAL while others do the same."""


class Store(Database):
    """The database of one state directory. Methods block: call them from a thread."""

    def __init__(self, engine: Engine, path: Path, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        def errors() -> AbstractContextManager[None]:
            return store_errors(path, busy_timeout_ms=busy_timeout_ms)

        super().__init__(engine, engine.execution_options(swarm_reads=True), errors)
        self._busy_timeout_ms = busy_timeout_ms
        self.path = path

    @contextmanager
    def write(self, *, durable: bool = False) -> Generator[Connection]:
        """As `Database.write`; those who wait take turns."""
        with turn(self.path.with_name(self.path.name + TURNS), self._busy_timeout_ms / 1000) as mine:
            if not mine:
                raise _locked(self.path, self._busy_timeout_ms)
            with super().write(durable=durable) as connection:
                yield connection

    def reader(self) -> "Reader":
        """A connection for many small reads."""
        return Reader(self._writes, self._errors)


class Reader:
    """A connection that is kept, in which each statement is a transaction of its own.

    To take a connection out of the pool and begin a transaction costs ten times what a look-up by key does.
    For one thread at a time.
    """

    def __init__(self, engine: Engine, errors: Errors) -> None:
        self._engine = engine
        self._errors = errors
        self._connection: Connection | None = None

    def fetch(self, statement: str, values: Sequence[object]) -> Sequence[Any]:
        """The rows of `statement`, in the database's own words, with `values` for its question marks.

        Raises:
            StoreError: it failed; the next call connects anew.
        """
        with self._errors():
            try:
                if self._connection is None:
                    connection = self._engine.connect()
                    self._connection = connection.execution_options(swarm_statements=True)
                return self._connection.exec_driver_sql(statement, tuple(values)).all()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def open_store(path: Path) -> Generator[Store]:
    """Open the database at `path`, made and brought up to date if needed.

    Raises:
        StoreError: it cannot be opened, with the reason in words.
    """
    store = connect(path)
    try:
        yield store
    finally:
        store.close()


def connect(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Store:
    """As `open_store`, for an owner that closes the store itself."""
    with store_errors(path, busy_timeout_ms=busy_timeout_ms):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_dir():
            raise StoreError(
                f"{path} is a folder, where the database should be",
                hint="move it away, or point SWARM_MEMORY_DIR to another folder",
            )
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # answers are nobody else's business
        engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _set_up(busy_timeout_ms))
        event.listen(engine, "begin", _on_begin)
        store = Store(engine, path, busy_timeout_ms)
        try:
            with store.read() as connection:
                behind = bool(pending(connection))
            if behind:
                with store.write() as connection:
                    migrate(connection)
        except BaseException:
            store.close()
            raise
    return store


def _set_up(busy_timeout_ms: int) -> Callable[[Any, Any], None]:
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by `_on_begin`, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        _write_ahead(cursor)
        cursor.execute("PRAGMA fullfsync = ON")  # macOS: a sync that reaches the disk, not only its cache
        cursor.close()

    return on_connect


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; the file stays in it, so that only the first to open it has anything to do."""
    for _ in range(SWITCH_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        # Two that switch at once fail at once, whatever the busy timeout. This waits for the other one.
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA journal_mode = WAL")


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("swarm_statements", False):
        return
    if options.get("swarm_reads", False):
        connection.exec_driver_sql("BEGIN")
        return
    # NORMAL keeps the database whole whatever happens, but a power cut may undo the last transactions.
    level = "FULL" if options.get(DURABLE, False) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def store_errors(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Generator[None]:
    """Failures of the file system and the database as `StoreError`s that say what to do."""
    try:
        yield
    except PermissionError as error:
        raise _unwritable(path, error) from error
    except OSError as error:
        raise StoreError(
            f"the state directory {path.parent} cannot be used: {error.strerror or error}",
            hint="free some space, or point SWARM_MEMORY_DIR to a folder that can be written",
        ) from error
    except SQLAlchemyError as error:
        raise _database_error(path, error, busy_timeout_ms) from error


def _unwritable(path: Path, reason: object) -> StoreError:
    return StoreError(
        f"the state directory {path.parent} cannot be written: {reason}",
        hint=f"check its owner and mode (ls -ld {path.parent}), or point SWARM_MEMORY_DIR elsewhere",
    )


def _locked(path: Path, busy_timeout_ms: int) -> StoreError:
    return StoreError(
        f"the database {path} was locked by another process for {busy_timeout_ms / 1000:g} seconds",
        hint=f"find it with: fuser -v {path}",
        locked=True,
    )


def _database_error(path: Path, error: SQLAlchemyError, busy_timeout_ms: int) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    # Such as SQLITE_READONLY_DIRECTORY: the second word says which kind it is.
    name = str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_")
    match name.split("_")[0]:
        case "BUSY" | "LOCKED":
            return _locked(path, busy_timeout_ms)
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            return _unwritable(path, text)
        case "FULL" | "IOERR":
            return StoreError(
                f"the database {path} cannot be written: {text}",
                hint=f"free some space (df -h {path.parent})",
            )
        case "NOTADB" | "CORRUPT":
            return StoreError(
                f"the file {path} is no usable database: {text}",
                hint="move it away; Swarm makes a new one (spending of today is then unknown to the cap)",
            )
        case _:
            return StoreError(
                f"the database {path} failed: {text}",
                hint="see the message; swarm works without it, uncached",
            )
