"""The day's money: blocks out of it, spending into it, usage beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clawswarm.store.connect import Store, open_store
from clawswarm.store.ledger import DayTotal, Ledger, UsageLine

DAY, TOMORROW = "2026-01-14", "2026-01-15"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "swarm.db") as opened:
        yield opened


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


def test_a_day_of_which_nothing_is_known_has_spent_nothing(ledger: Ledger) -> None:
    assert ledger.total(DAY) == DayTotal(0, 0, 0)


def test_a_block_is_all_that_is_wanted_where_there_is_room(ledger: Ledger) -> None:
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=10, want=100, cap=1000) == 100
    assert ledger.total(DAY).held == 100
    ledger.close_lease(lease)


def test_a_block_beyond_the_need_leaves_three_quarters_to_others(ledger: Ledger) -> None:
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=10, want=900, cap=1000) == 250
    ledger.close_lease(lease)


def test_the_last_of_the_day_is_given_to_who_needs_all_of_it(ledger: Ledger) -> None:
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=1000, want=2000, cap=1000) == 1000
    assert ledger.grow(lease, DAY, need=1, want=2, cap=1000) == 0
    ledger.close_lease(lease)


def test_without_a_cap_all_is_given_that_is_wanted(ledger: Ledger) -> None:
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=1, want=10**15, cap=None) == 10**15
    ledger.close_lease(lease)


def test_money_that_is_taken_out_of_the_day_is_on_the_disk_before_it_is_spent(
    ledger: Ledger, store: Store
) -> None:
    """A power cut may undo what was booked, which then counts as held; it must not undo what was taken."""
    lease = ledger.open_lease(DAY)
    assert ledger.grow(lease, DAY, need=10, want=10, cap=1000) == 10
    with store.read() as connection:  # the pool hands out the connection that was used last
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    ledger.close_lease(lease)


def test_two_leases_share_one_day_and_not_two(ledger: Ledger) -> None:
    one, two, later = ledger.open_lease(DAY), ledger.open_lease(DAY), ledger.open_lease(TOMORROW)
    assert ledger.grow(one, DAY, need=60, want=60, cap=100) == 60
    assert ledger.grow(two, DAY, need=60, want=60, cap=100) == 0
    assert ledger.grow(later, TOMORROW, need=60, want=60, cap=100) == 60
    for lease in (one, two, later):
        ledger.close_lease(lease)


def test_what_was_spent_stays_when_the_lease_has_ended(ledger: Ledger, tmp_path: Path) -> None:
    lease = ledger.open_lease(DAY)
    ledger.grow(lease, DAY, need=100, want=100, cap=100)
    ledger.settle(lease, DAY, spent=30, uncertain=20, free=40)
    assert ledger.total(DAY) == DayTotal(spent=30, uncertain=20, held=10)
    ledger.settle(lease, DAY, spent=10, uncertain=0, free=0)
    ledger.close_lease(lease)
    assert ledger.total(DAY) == DayTotal(spent=40, uncertain=20, held=0)
    assert not list((tmp_path / "leases").iterdir())


def test_spending_more_than_was_held_is_booked_and_nothing_gets_negative(ledger: Ledger) -> None:
    lease = ledger.open_lease(DAY)
    ledger.grow(lease, DAY, need=10, want=10, cap=100)
    ledger.settle(lease, DAY, spent=30, uncertain=0, free=0)
    assert ledger.total(DAY) == DayTotal(spent=30, uncertain=0, held=0)
    ledger.close_lease(lease)


def test_usage_adds_up_by_day_provider_and_model(ledger: Ledger) -> None:
    line = UsageLine(tasks=2, failed=1, input_tokens=10, cost=5, wall_ms=7)
    ledger.add_usage({(DAY, "gemini", "a"): line, (DAY, "gemini", "b"): line})
    ledger.add_usage({(DAY, "gemini", "a"): line, (TOMORROW, "gemini", "a"): line})
    double = UsageLine(tasks=4, failed=2, input_tokens=20, cost=10, wall_ms=14)
    assert list(ledger.usage(DAY)) == [
        ((DAY, "gemini", "a"), double),
        ((DAY, "gemini", "b"), line),
        ((TOMORROW, "gemini", "a"), line),
    ]
    assert list(ledger.usage(TOMORROW)) == [((TOMORROW, "gemini", "a"), line)]
