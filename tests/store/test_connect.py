"""How the database is opened: its modes, its pragmas, what waits for what."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, text

from clawswarm.errors import StoreError
from clawswarm.store import tables
from clawswarm.store.connect import BUSY_TIMEOUT_MS, Store, connect, open_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "memory" / "swarm.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that reaches a database in this test."""
    seen: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement.strip())

    event.listen(Engine, "before_cursor_execute", watch)
    yield seen
    event.remove(Engine, "before_cursor_execute", watch)


def pragma(store: Store, name: str) -> Any:
    with store.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def add_day(store: Store, day: str, *, durable: bool = False) -> None:
    with store.write(durable=durable) as connection:
        connection.execute(insert(tables.days).values(day=day, spent=1, uncertain=0))


def days(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(select(tables.days.c.day)))


def test_the_database_writes_ahead_and_waits_five_seconds_for_others(store: Store) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "busy_timeout") == BUSY_TIMEOUT_MS == 5000


def test_the_files_belong_to_their_owner_alone(store: Store, path: Path) -> None:
    add_day(store, "a")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {f"swarm.db{ending}": 0o600 for ending in ("", "-wal", "-shm", "-turn")}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    folder.mkdir()
    folder.chmod(0o755)
    with open_store(folder / "swarm.db"):
        assert folder.stat().st_mode & 0o777 == 0o755


def test_a_transaction_that_writes_takes_the_lock_first(store: Store, statements: list[str]) -> None:
    add_day(store, "a")
    begin, write = statements[-2:]
    assert begin == "BEGIN IMMEDIATE"
    assert write.startswith("INSERT")


def test_a_transaction_that_reads_takes_no_lock(store: Store, statements: list[str]) -> None:
    days(store)
    assert [statement for statement in statements if "BEGIN" in statement] == ["BEGIN"]


@pytest.mark.parametrize(("durable", "level"), [(True, "FULL"), (False, "NORMAL")])
def test_only_what_must_survive_a_power_cut_waits_for_the_disk(
    store: Store, statements: list[str], durable: bool, level: str
) -> None:
    add_day(store, "a", durable=durable)
    assert f"PRAGMA synchronous = {level}" in statements
    with store.write(durable=durable) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == {"NORMAL": 1, "FULL": 2}[level]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fails() -> None:
        with store.write() as connection:
            connection.execute(insert(tables.days).values(day="a", spent=1, uncertain=0))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fails()
    assert days(store) == []


def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_there_before(store: Store) -> None:
    add_day(store, "before")
    with store.write() as connection:
        connection.execute(insert(tables.days).values(day="in the middle", spent=1, uncertain=0))
        assert days(store) == ["before"]
    assert days(store) == ["before", "in the middle"]


def test_many_who_open_a_new_database_at_once_all_get_it(tmp_path: Path) -> None:
    def open_and_write(path: Path, number: int) -> None:
        together.wait(4)
        with open_store(path) as store:
            add_day(store, str(number))

    for turn in range(20):
        path = tmp_path / str(turn) / "swarm.db"
        together = threading.Barrier(8)
        threads = [threading.Thread(target=open_and_write, args=(path, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with open_store(path) as store:
            assert len(days(store)) == 8


def test_writers_wait_for_one_another(path: Path) -> None:
    def write_ten(store: Store, number: int) -> None:
        for turn in range(10):
            add_day(store, f"{number} {turn}")

    stores = [connect(path) for _ in range(8)]
    threads = [
        threading.Thread(target=write_ten, args=(store, number)) for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(days(stores[0])) == 80
    for each in stores:
        each.close()


def test_a_lock_held_too_long_is_said_with_the_way_to_find_its_holder(path: Path) -> None:
    with open_store(path) as holder, holder.write() as connection:
        connection.execute(text("SELECT 1"))
        other = connect(path, busy_timeout_ms=20)
        with pytest.raises(StoreError, match=r"locked by another process for 0\.02 seconds") as told:
            add_day(other, "a")
        other.close()
    assert told.value.locked
    assert "fuser" in (told.value.hint or "")


def test_an_open_store_needs_no_folder_of_its_own_to_exist(path: Path) -> None:
    assert not path.parent.exists()
    with open_store(path):
        assert path.exists()
