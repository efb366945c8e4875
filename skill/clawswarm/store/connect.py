"""Opens the database: WAL, a busy timeout, write transactions that begin immediately.

`BEGIN IMMEDIATE` takes the write lock at the start, where waiting for it is safe; a transaction that reads
first and asks for the lock later can fail at once, whatever the busy timeout.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from clawswarm.errors import StoreError
from clawswarm.store.migrate import migrate, pending

BUSY_TIMEOUT_MS = 5_000
"""How long a transaction waits for another process's. Ours last about a millisecond."""


class Store:
    """The database of one state directory. Methods block: call them from a thread."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self.path = path

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that only reads; never waits for a writer."""
        with store_errors(self.path), self._engine.connect() as connection:
            yield connection.execution_options(swarm_reads=True)

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that writes: all of it is kept, or nothing."""
        with store_errors(self.path), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


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


def connect(path: Path) -> Store:
    """As `open_store`, for an owner that closes the store itself."""
    with store_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # answers are nobody else's business
        engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        store = Store(engine, path)
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


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_on_begin`, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("swarm_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def store_errors(path: Path) -> Generator[None]:
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
        raise _database_error(path, error) from error


def _unwritable(path: Path, reason: object) -> StoreError:
    return StoreError(
        f"the state directory {path.parent} cannot be written: {reason}",
        hint=f"check its owner and mode (ls -ld {path.parent}), or point SWARM_MEMORY_DIR elsewhere",
    )


def _database_error(path: Path, error: SQLAlchemyError) -> StoreError:
    text = str(error.orig) if isinstance(error, DatabaseError) else str(error)
    lowered = text.lower()
    if "locked" in lowered or "busy" in lowered:
        return StoreError(
            f"the database {path} was locked by another process for {BUSY_TIMEOUT_MS // 1000} seconds",
            hint="find it with: fuser -v " + str(path),
            locked=True,
        )
    if "readonly" in lowered or "unable to open" in lowered:
        return _unwritable(path, text)
    if "disk" in lowered and ("full" in lowered or "i/o" in lowered):
        return StoreError(
            f"the database {path} cannot be written: {text}", hint=f"free some space (df -h {path.parent})"
        )
    if "not a database" in lowered or "malformed" in lowered:
        return StoreError(
            f"the file {path} is no usable database: {text}",
            hint="move it away; Swarm makes a new one (spending of today is then unknown to the cap)",
        )
    return StoreError(
        f"the database {path} failed: {text}", hint="see the message; swarm works without it, uncached"
    )
