"""A board's database in PostgreSQL: how it is opened, who waits for whom, what its failures are called."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, insert, inspect, select, text, update
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clawswarm.errors import ConfigError, StoreError
from clawswarm.store import migrate, tables
from clawswarm.store.database import Database
from clawswarm.store.postgres import CONNECTIONS, connect_postgres, open_postgres
from clawswarm.store.postgres_errors import Address, as_store_error
from tests import postgres

SECRET = "s3cr@t/of:the user"
BOARD = {"team_runs", "team_events", "team_items"}


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Database]:
    with open_postgres(url) as opened:
        yield opened


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def add_run(store: Database, run: str, *, durable: bool = False) -> None:
    with store.write(durable=durable) as connection:
        insert_run(connection, run)


def insert_run(connection: Connection, run: str) -> None:
    connection.execute(insert(tables.team_runs).values(run=run, opened=1.0, ended=None, seq=0, at=1.0))


def runs(store: Database) -> list[str]:
    with store.read() as connection:
        return sorted(connection.scalars(select(tables.team_runs.c.run)))


def shown(connection: Connection, setting: str) -> str:
    return str(connection.scalar(text(f"SHOW {setting}")))


def opens(url: str) -> None:
    with open_postgres(url):
        pass


# Opening.


def test_only_what_a_board_needs_is_made(store: Database) -> None:
    with store.read() as connection:
        found = inspect(connection)
        assert set(found.get_table_names()) == BOARD | {"team_migrations"}
        for name in BOARD:
            table = tables.metadata.tables[name]
            assert {c["name"] for c in found.get_columns(name)} == {c.name for c in table.columns}
            assert {i["name"] for i in found.get_indexes(name)} >= {i.name for i in table.indexes}
        applied = list(connection.scalars(select(tables.board_migrations.c.name)))
    assert applied == [each.__name__ for each in migrate.BOARD_MIGRATIONS]


def test_many_who_open_a_new_database_at_once_all_get_it(url: str) -> None:
    together = threading.Barrier(8)
    failed: list[BaseException] = []

    def open_and_write(number: int) -> None:
        together.wait(10)
        try:
            with open_postgres(url) as store:
                add_run(store, str(number))
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            failed.append(error)

    threads = [threading.Thread(target=open_and_write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with open_postgres(url) as store:
        assert len(runs(store)) == 8
    (count,) = postgres.server().run("SELECT count(*) FROM team_migrations", name_of(url))[0]
    assert count == len(migrate.BOARD_MIGRATIONS)


def test_the_database_of_a_newer_swarm_is_refused(url: str) -> None:
    opens(url)
    postgres.server().run("INSERT INTO team_migrations VALUES ('m999_notes', '')", name_of(url))
    with pytest.raises(StoreError, match=r"newer Swarm.*m999_notes") as told:
        opens(url)
    assert "update Swarm" in (told.value.hint or "")


def test_tables_of_another_program_are_left_alone(url: str) -> None:
    postgres.server().run("CREATE TABLE migrations (id int, name text)", name_of(url))
    with open_postgres(url) as store:
        add_run(store, "r1")
    assert postgres.server().run("SELECT * FROM migrations", name_of(url)) == []


# Transactions.


def test_a_reader_sees_one_moment_and_may_not_write(store: Database) -> None:
    add_run(store, "before")
    with store.read() as connection:
        assert shown(connection, "transaction_isolation") == "repeatable read"
        assert connection.scalars(select(tables.team_runs.c.run)).all() == ["before"]
        add_run(store, "meanwhile")
        assert connection.scalars(select(tables.team_runs.c.run)).all() == ["before"]
        with pytest.raises(Exception, match="read-only transaction"):
            insert_run(connection, "in a reader")
    assert runs(store) == ["before", "meanwhile"]


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("server", ["on", "off", "remote_apply"])
def test_what_must_be_on_the_disk_is_whatever_the_server_is_set_to(
    url: str, server: str, durable: bool
) -> None:
    postgres.server().run(f'ALTER DATABASE "{name_of(url)}" SET synchronous_commit = {server}')
    with open_postgres(url) as store:
        with store.write(durable=durable) as connection:
            expected = "on" if durable and server == "off" else server
            assert shown(connection, "synchronous_commit") == expected
        with store.write() as connection:
            assert shown(connection, "synchronous_commit") == server


def test_a_database_that_serializes_by_itself_makes_nobody_fail(url: str) -> None:
    postgres.server().run(
        f"ALTER DATABASE \"{name_of(url)}\" SET default_transaction_isolation = 'serializable'"
    )
    with open_postgres(url) as store, store.write() as connection:
        assert shown(connection, "transaction_isolation") == "read committed"


def test_a_transaction_that_fails_leaves_nothing(store: Database) -> None:
    def fails() -> None:
        with store.write() as connection:
            insert_run(connection, "r1")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fails()
    assert runs(store) == []


def test_a_lock_held_too_long_is_said_with_the_way_to_find_its_holder(store: Database) -> None:
    add_run(store, "r1")
    wanted = update(tables.team_runs).where(tables.team_runs.c.run == "r1").values(seq=1)

    def in_vain() -> None:
        with store.write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
            connection.execute(wanted)

    with store.write() as holder:
        holder.execute(wanted)
        with pytest.raises(StoreError, match="was locked by another client") as told:
            in_vain()
    assert told.value.locked
    assert "pg_stat_activity" in (told.value.hint or "")
    with store.write() as connection:
        assert shown(connection, "lock_timeout") == "10s"
        assert shown(connection, "idle_in_transaction_session_timeout") == "30s"


def test_two_that_wait_for_each_other_are_told_to_try_again(store: Database) -> None:
    for run in "ab":
        add_run(store, run)
    met = threading.Barrier(2)
    told: list[StoreError] = []

    def move(first: str, second: str) -> None:
        try:
            with store.write() as connection:
                for number, run in enumerate((first, second)):
                    connection.execute(
                        update(tables.team_runs).where(tables.team_runs.c.run == run).values(seq=9)
                    )
                    if number == 0:
                        met.wait(10)
        except StoreError as error:
            told.append(error)

    threads = [threading.Thread(target=move, args=order) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (error,) = told
    assert "deadlock" in error.message
    assert error.hint == "nothing was changed: try again"
    assert error.locked


def test_a_connection_that_was_cut_while_it_was_idle_is_made_anew(store: Database, url: str) -> None:
    add_run(store, "r1")
    postgres.server().cut(name_of(url))
    add_run(store, "r2")
    assert runs(store) == ["r1", "r2"]


def test_a_connection_that_is_cut_in_a_transaction_is_said_and_leaves_nothing(
    store: Database,
) -> None:
    def cut() -> None:
        with store.write() as connection:
            insert_run(connection, "r1")
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            postgres.server().run(f"SELECT pg_terminate_backend({pid})")
            insert_run(connection, "r2")

    with pytest.raises(StoreError, match=r"is not at work|broke") as told:
        cut()
    assert "under its key happens once" in (told.value.hint or "")
    assert runs(store) == []


def test_a_process_takes_so_many_connections_and_says_when_they_are_all_in_use(
    store: Database, url: str
) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(store.read()).execute(text("SELECT 1"))
        (used,) = postgres.server().run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            name_of(url),
        )[0]
    assert used == CONNECTIONS
    error = as_store_error(Address.parse(url), PoolTimeout("QueuePool limit reached, connection timed out"))
    assert "every connection of this process" in error.message


# What cannot be opened.


def refused(url: str) -> StoreError:
    with pytest.raises(StoreError) as told:
        opens(url)
    return told.value


def test_a_server_that_is_not_there_is_said(url: str) -> None:
    here = postgres.server()
    error = refused(url.replace(f":{here.port}", ":1"))
    assert "the PostgreSQL server on 127.0.0.1:1 cannot be reached: " in error.message
    assert "refused" in error.message
    assert "team.database" in (error.hint or "")
    assert "cannot be reached" in refused("postgresql:///swarm?host=/nonexistent").message


def test_a_wrong_password_is_said() -> None:
    error = refused(postgres.server().url("postgres", password="wrong"))
    assert "did not accept the password of postgres" in error.message
    assert "~/.pgpass" in (error.hint or "")


def test_a_missing_password_is_asked_for() -> None:
    here = postgres.server()
    error = refused(f"postgresql://postgres@127.0.0.1:{here.port}/postgres")
    assert "asks for the password of postgres" in error.message


def test_a_user_that_there_is_not_is_said() -> None:
    assert (
        "the password of nobody-here"
        in refused(postgres.server().url("postgres", user="nobody-here")).message
    )


def test_a_missing_database_is_said_with_how_to_make_it() -> None:
    error = refused(postgres.server().url("nowhere"))
    assert error.message.startswith("there is no database nowhere on 127.0.0.1")
    assert "createdb nowhere" in (error.hint or "")


def test_a_database_that_takes_no_more_connections_is_said(url: str) -> None:
    here = postgres.server()
    here.run(f'ALTER DATABASE "{name_of(url)}" CONNECTION LIMIT 0')
    here.run(f"CREATE ROLE \"u{name_of(url)}\" LOGIN PASSWORD 'p'")
    try:
        error = refused(here.url(name_of(url), user=f"u{name_of(url)}", password="p"))
    finally:
        here.run(f'DROP ROLE "u{name_of(url)}"')
    assert "takes no more connections" in error.message
    assert "max_connections" in (error.hint or "")


def test_a_user_without_rights_is_told_what_is_missing(url: str) -> None:
    here = postgres.server()
    role = f"u{name_of(url)}"
    here.run(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'p'")
    try:
        error = refused(here.url(name_of(url), user=role, password="p"))
    finally:
        here.run(f'DROP ROLE "{role}"')
    assert f"{role} may not do that" in error.message
    assert f'GRANT CREATE ON SCHEMA public TO "{role}"' in (error.hint or "")


def test_a_database_that_cannot_hold_every_text_is_refused() -> None:
    here = postgres.server()
    provider = " LOCALE_PROVIDER libc" if here.version >= 15 else ""
    here.run(
        f"CREATE DATABASE narrow TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'{provider}"
    )
    try:
        error = refused(here.url("narrow"))
    finally:
        here.run("DROP DATABASE narrow")
    assert "keeps texts as LATIN1" in error.message
    assert "--encoding=UTF8" in (error.hint or "")


def test_a_server_without_encryption_is_said_where_it_was_asked_for() -> None:
    error = refused(postgres.server().url("postgres") + "?sslmode=require")
    assert "no safe connection" in error.message
    assert "sslmode" in (error.hint or "")


def test_without_its_driver_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')", encoding="utf-8")
    places = [str(tmp_path), *(each for each in sys.path if each)]
    script = (
        "from clawswarm.store.postgres import connect_postgres\n"
        "try:\n    connect_postgres('postgresql://u:p@127.0.0.1/swarm')\n"
        "except Exception as error:\n    print(type(error).__name__, error.message, error.hint, sep='\\n')"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
    )
    assert child.stdout.splitlines() == [
        "StoreError",
        "team.database is in PostgreSQL, and its driver cannot be loaded: no pq wrapper available",
        "pip install 'clawswarm[postgres]'",
    ], child.stderr


def test_the_driver_waits_until_it_is_used() -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, clawswarm.store.postgres_changes; print('psycopg' in sys.modules)",
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        capture_output=True,
        text=True,
    )
    assert child.stdout == "False\n", child.stderr


# Addresses.


@pytest.mark.parametrize(
    "address",
    [
        "swarm.db",
        "",
        "mysql://u:PART@host/swarm",
        "postgresql+psycopg2://u:PART@host/swarm",
        "postgresql://u:PART@host:port/swarm",
        "postgresql://u:a@PART@host/swarm",
        "postgresql://u:PART@host",
    ],
)
def test_what_is_no_address_is_refused_with_how_to_write_one(address: str) -> None:
    with pytest.raises(ConfigError, match=r"team\.database") as told:
        connect_postgres(address)
    assert "postgresql://USER@HOST:PORT/DATABASE" in (told.value.hint or "")
    assert "PART" not in f"{told.value.message}{told.value.hint}"
    assert told.value.__suppress_context__ or told.value.__context__ is None


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("postgresql://host/swarm", "host"),
        ("postgres://u@host:5433/swarm", "host:5433"),
        ("postgresql+psycopg://u@[::1]:5433/swarm", "::1:5433"),
        ("postgresql:///swarm", "this machine"),
        ("postgresql:///swarm?host=/run/postgresql", "/run/postgresql"),
    ],
)
def test_an_address_is_named_by_its_server_and_database(address: str, server: str) -> None:
    assert str(Address.parse(address)) == f"the database swarm on {server}"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:{quote(SECRET, safe='')}@127.0.0.1:1/swarm",
        f"postgresql://u@127.0.0.1:1/swarm?password={quote(SECRET, safe='')}",
        f"postgresql://u@127.0.0.1:1/swarm?sslpassword={quote(SECRET, safe='')}",
        f"postgresql://u:{quote(SECRET, safe='')}@127.0.0.1:1/swarm?nonsense=1",
    ],
)
def test_a_password_shows_nowhere(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(StoreError) as told:
        connect_postgres(address)
    for shape in (SECRET, quote(SECRET, safe="")):
        assert shape not in f"{told.value.message}{told.value.hint}{caplog.text}"
    assert SECRET not in repr(Address.parse(address))
    assert SECRET not in repr(connect_postgres)
