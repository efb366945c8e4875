"""A lease outlives its owner: whoever looks next finds the exact numbers, and books them once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawswarm.errors import StoreError
from clawswarm.store import lease as leases
from clawswarm.store.connect import Store, connect, open_store
from clawswarm.store.lease import LOST, Lease, Remains, bury, inherit
from clawswarm.store.ledger import DayTotal, Ledger

DAY = "2026-01-14"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "swarm.db") as opened:
        yield opened


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


def holding(ledger: Ledger, amount: int, cap: int | None = None) -> Lease:
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=amount, want=amount, cap=cap) == amount
    return lease


def test_the_numbers_of_a_living_owner_cannot_be_inherited(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path)
    assert inherit(lease.id, tmp_path) is None
    lease.leave()
    assert inherit(lease.id, tmp_path) == Remains(0, 0)


def test_the_numbers_of_a_dead_owner_are_those_it_noted_last(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path)
    for spent, flying in ((0, 50), (30, 20), (30, 60), (90, 0), (10, 5)):
        lease.note(spent, flying)
    lease.leave()
    assert inherit(lease.id, tmp_path) == Remains(10, 5)
    bury(lease.id, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_lease_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path / "leases")
    assert (tmp_path / "leases").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "leases" / lease.id).stat().st_mode & 0o777 == 0o600
    lease.remove()


def test_a_lease_file_has_its_block_on_the_disk_before_it_is_mapped(tmp_path: Path) -> None:
    """A hole in a file cannot be written to through memory once the disk is full: that is a SIGBUS."""
    lease = Lease.take(tmp_path)
    status = (tmp_path / lease.id).stat()
    assert status.st_size == 16
    assert status.st_blocks > 0
    lease.remove()


def test_counters_from_before_the_last_start_of_the_machine_prove_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(leases, "_boot_id", lambda: "previous")
        lease = Lease.take(tmp_path)
    lease.note(30, 20)
    lease.leave()
    assert inherit(lease.id, tmp_path) == LOST


@pytest.mark.parametrize("content", [b"", b"1234567"])
def test_counters_that_are_cut_short_prove_nothing(tmp_path: Path, content: bytes) -> None:
    lease = Lease.take(tmp_path)
    lease.leave()
    (tmp_path / lease.id).write_bytes(content)
    assert inherit(lease.id, tmp_path) == LOST


def test_a_lease_of_another_boot_counts_as_all_spent(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(leases, "_boot_id", lambda: "previous")
        lease = holding(ledger, 100)
    lease.note(30, 20)
    lease.leave()
    assert ledger.total(DAY) == DayTotal(spent=0, uncertain=100, held=0)


def test_a_lease_without_a_file_counts_as_all_spent(ledger: Ledger, tmp_path: Path) -> None:
    lease = holding(ledger, 100)
    lease.leave()
    bury(lease.id, tmp_path / "leases")
    assert ledger.total(DAY) == DayTotal(spent=0, uncertain=100, held=0)


def test_an_owner_that_was_taken_for_dead_gets_no_money_off_the_books(ledger: Ledger, tmp_path: Path) -> None:
    """Somebody has tidied up the folder of leases while a process was spending."""
    lease = holding(ledger, 100, cap=150)
    bury(lease.id, tmp_path / "leases")
    assert ledger.total(DAY) == DayTotal(spent=0, uncertain=100, held=0)
    assert ledger.grow(lease, DAY, need=60, want=60, cap=150) == 0
    assert ledger.grow(lease, DAY, need=50, want=50, cap=150) == 50
    assert ledger.total(DAY).taken == 150
    ledger.settle(lease, DAY, spent=90, uncertain=0, free=60)
    assert ledger.total(DAY) == DayTotal(spent=90, uncertain=150, held=0)


def test_a_kill_before_the_ledgers_commit_is_booked_exactly(ledger: Ledger) -> None:
    lease = holding(ledger, 100)
    lease.note(30, 10)
    lease.leave()
    assert ledger.total(DAY) == DayTotal(spent=30, uncertain=10, held=0)


def test_a_kill_between_the_ledgers_commit_and_the_counters_reset_counts_twice_and_never_too_little(
    ledger: Ledger,
) -> None:
    lease = holding(ledger, 100)
    lease.note(30, 10)
    ledger.settle(lease, DAY, spent=30, uncertain=0, free=60)
    lease.leave()  # the kill: `note(0, 10)` never comes
    total = ledger.total(DAY)
    assert total == DayTotal(spent=60, uncertain=10, held=0)
    assert total.taken >= 30 + 10


def test_a_kill_between_the_counters_reset_and_the_end_of_the_lease_counts_once(ledger: Ledger) -> None:
    lease = holding(ledger, 100)
    lease.note(30, 0)
    ledger.settle(lease, DAY, spent=30, uncertain=0, free=70)
    lease.note(0, 0)
    lease.leave()
    assert ledger.total(DAY) == DayTotal(spent=30, uncertain=0, held=0)


def test_the_numbers_stay_until_they_are_booked_for_good(
    ledger: Ledger, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that fails after a dead lease was read finds it again the next time."""
    lease = holding(ledger, 100)
    lease.note(30, 10)
    lease.leave()

    def fails(*_: object) -> DayTotal:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Ledger, "_total", fails)
        with pytest.raises(StoreError):
            ledger.total(DAY)
    assert ledger.total(DAY) == DayTotal(spent=30, uncertain=10, held=0)
    assert not list((tmp_path / "leases").iterdir())


def test_many_who_settle_the_same_dead_leases_at_once_book_them_once(tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    with open_store(path) as store:
        ledger = Ledger(store)
        for _ in range(20):
            lease = holding(ledger, 100)
            lease.note(30, 10)
            lease.leave()
    stores = [connect(path) for _ in range(6)]
    together = threading.Barrier(len(stores))
    totals: list[DayTotal] = []

    def look(ledger: Ledger) -> None:
        together.wait(4)
        totals.append(ledger.total(DAY))

    threads = [threading.Thread(target=look, args=(Ledger(store),)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert totals == [DayTotal(spent=600, uncertain=200, held=0)] * len(stores)
    assert not list((tmp_path / "leases").iterdir())


def test_a_lease_folder_that_cannot_be_used_is_said_in_words(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "leases").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="leases") as told:
        ledger.open_lease(DAY)
    assert told.value.hint
