"""A state directory that cannot be used: an error that says what is wrong and what to do."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from clawswarm.errors import StoreError
from clawswarm.store import tables
from clawswarm.store.answers import Answers
from clawswarm.store.connect import Store, connect, open_store
from clawswarm.store.ledger import Ledger
from tests.store.children import write_lock_held
from tests.store.places import UNUSABLE, Place, full_disk, read_only_file

DAY = "2026-01-14"


@pytest.fixture(autouse=True)
def _warm(tmp_path: Path) -> None:
    """Import everything while files may still be read and written."""
    with open_store(tmp_path / "warm" / "swarm.db") as store:
        add_day(store, "warm")


def open_and_write(path: Path) -> None:
    with open_store(path) as store:
        add_day(store, "a")


def add_day(store: Store, day: str) -> None:
    with store.write() as connection:
        connection.execute(insert(tables.days).values(day=day, spent=1, uncertain=0))


@pytest.mark.parametrize("place", UNUSABLE, ids=lambda place: place.__name__)
def test_a_place_that_cannot_be_used_is_said_with_what_to_do(place: Place) -> None:
    message, hint = UNUSABLE[place]
    with place() as folder, pytest.raises(StoreError, match=message) as told:
        open_and_write(folder / "swarm.db")
    assert hint in (told.value.hint or "")
    assert str(folder) in told.value.message
    assert not told.value.locked


def test_a_file_that_may_only_be_read_is_said_with_what_to_do() -> None:
    with read_only_file() as folder, pytest.raises(StoreError, match="cannot be written") as told:
        open_and_write(folder / "swarm.db")
    assert "owner and mode" in (told.value.hint or "")


def test_a_disk_that_gets_full_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with open_store(tmp_path / "swarm.db") as store:
        answers = Answers(store)
        answers.put({b"kept": b"x" * 10_000}, at=1.0)
        with full_disk(100_000), pytest.raises(StoreError, match="cannot be written") as told:
            answers.put({f"key {number}".encode(): b"x" * 10_000 for number in range(100)}, at=1.0)
        assert "df -h" in (told.value.hint or "")
        assert answers.get([b"kept"], since=0.0) == {b"kept": b"x" * 10_000}
        answers.put({b"later": b"x" * 10_000}, at=1.0)


def test_a_database_at_its_greatest_size_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with open_store(tmp_path / "swarm.db") as store:
        with store.write() as connection:
            pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="full"):
            Answers(store).put({b"big": b"x" * 100_000}, at=1.0)
        assert Answers(store).size().answers == 0


def test_a_lease_on_a_full_disk_is_an_error_and_no_signal(tmp_path: Path) -> None:
    with open_store(tmp_path / "swarm.db") as store:
        ledger = Ledger(store)
        with full_disk(), pytest.raises(StoreError, match="leases"):
            ledger.open_lease(DAY)
        assert not list((tmp_path / "leases").iterdir())
        ledger.close_lease(ledger.open_lease(DAY))


def test_a_database_that_another_process_holds_is_said_with_how_long_it_was_waited_for(
    tmp_path: Path,
) -> None:
    store = connect(tmp_path / "swarm.db", busy_timeout_ms=30)
    with write_lock_held(store.path):
        with pytest.raises(StoreError, match=r"locked by another process for 0\.03 seconds") as told:
            add_day(store, "a")
        assert list(Ledger(store).usage("2000-01-01")) == []
        with store.read() as connection:
            assert connection.execute(tables.days.select()).all() == []
    assert told.value.locked
    add_day(store, "a")
    store.close()
