"""A database, whichever it is: transactions that read, transactions that write, and errors in words."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine

DURABLE = "swarm_durable"
"""Option of a connection: its next transaction has to be on the disk at its end."""

Errors = Callable[[], AbstractContextManager[None]]
"""Makes the block in which failures of a database become `StoreError`s that say what to do."""


class Database:
    """Where something is kept. Methods block: call them from a thread.

    Args:
        writes: gives the connections of transactions that write; it sees to `DURABLE`.
        reads: the same for those that only read, each of which sees one moment.
        errors: what a failure is called.
    """

    def __init__(self, writes: Engine, reads: Engine, errors: Errors) -> None:
        self._writes = writes
        self._reads = reads
        self._errors = errors

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that only reads; never waits for a writer."""
        with self._errors(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Generator[Connection]:
        """A transaction that writes: all of it is kept, or nothing.

        Args:
            durable: it is on the disk at the end, and not only safe from a crash of the process.
        """
        with self._errors(), self._writes.connect() as connection:
            connection.execution_options(**{DURABLE: durable})
            with connection.begin():
                yield connection

    def close(self) -> None:
        self._writes.dispose()
