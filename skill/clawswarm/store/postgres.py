"""Opens a board that many machines share, in PostgreSQL. Only its tables are there; money and jobs are not.

Transactions that write see what others have committed up to each statement, and lock the row of their run
first of all: those of one run go one after another, first come, first served, and because everyone takes that
lock first they neither fail for one another's sake nor wait in a circle. So nothing is tried again here.
Transactions that read see one moment and wait for nobody.

What was committed is on the server's disk before a caller hears of it (`synchronous_commit` stays as the
server has it, and is switched on for a transaction that is to be durable): unlike a crash of this process,
one of the server could undo what was only promised. It costs one write to the server's disk a change.

The connection has to be to PostgreSQL itself: a pooler that hands one connection to several clients in turns
loses the settings of a session, and nobody hears of changes through it.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text

from clawswarm.errors import StoreError
from clawswarm.store.database import DURABLE, Database
from clawswarm.store.migrate import migrate, pending
from clawswarm.store.postgres_errors import LOCK_TIMEOUT_S, Address, postgres_errors

CONNECTIONS = 8
"""Connections of one process, at most. Two of them are kept."""

_IDLE_TIMEOUT_S = 30
"""How long a transaction of a process that hangs may keep others waiting."""

_NETWORK = {"connect_timeout": 10, "keepalives_idle": 30, "tcp_user_timeout": 30_000}
"""How soon a server that fell silent counts as gone; an address may say otherwise."""

_MIGRATIONS_LOCK = int.from_bytes(b"swarm", "big")
_DURABLE = text(
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)


@contextmanager
def open_postgres(url: str) -> Generator[Database]:
    """Open the board's database at `url`, its tables made and brought up to date if needed.

    Raises:
        ConfigError: that is no address of a PostgreSQL database.
        StoreError: it cannot be opened, with the reason in words.
    """
    database = connect_postgres(url)
    try:
        yield database
    finally:
        database.close()


def connect_postgres(url: str) -> Database:
    """As `open_postgres`, for an owner that closes the database itself."""
    address = Address.parse(url)

    def errors() -> AbstractContextManager[None]:
        return postgres_errors(address)

    engine = _engine(address)
    reads = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    database = Database(engine, reads, errors)
    try:
        with database.read() as connection:
            _check(connection, address)
            behind = bool(pending(connection))
        if behind:
            with database.write() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATIONS_LOCK})
                migrate(connection)
    except BaseException:
        database.close()
        raise
    return database


def driver_missing(error: ImportError) -> StoreError:
    """What is said where psycopg cannot be loaded."""
    return StoreError(
        f"team.database is in PostgreSQL, and its driver cannot be loaded: {error}",
        hint="pip install 'clawswarm[postgres]'",
    )


def arguments(address: Address) -> dict[str, Any]:
    """What psycopg is given to connect to `address`."""
    _, given = address.url.get_dialect()().create_connect_args(address.url)
    return {**_NETWORK, "client_encoding": "utf8", **given}


def _engine(address: Address) -> Engine:
    try:
        engine = create_engine(
            "postgresql+psycopg://",
            connect_args=arguments(address),
            isolation_level="READ COMMITTED",
            pool_size=2,
            max_overflow=CONNECTIONS - 2,
            pool_timeout=LOCK_TIMEOUT_S,
            pool_pre_ping=True,
            use_native_hstore=False,
            hide_parameters=True,
        )
    except ImportError as error:
        raise driver_missing(error) from error
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _on_begin)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.execute(
        f"SET lock_timeout = '{LOCK_TIMEOUT_S}s';"
        f"SET idle_in_transaction_session_timeout = '{_IDLE_TIMEOUT_S}s'"
    )
    connection.autocommit = False


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(DURABLE, False):
        connection.execute(_DURABLE)


def _check(connection: Connection, address: Address) -> None:
    """See that every text can be kept."""
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise StoreError(
            f"{address} keeps texts as {encoding}, which cannot hold all of them",
            hint=f"make another: createdb --template=template0 --encoding=UTF8 {address.database}",
        )
