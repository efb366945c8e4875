"""The circuit breaker's states, and the window after a 429."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.engine.breaker import Breaker, State
from clawswarm.engine.window import Window
from tests.engine.support import error

NOW = 100.0


def opened(failures: int = 3, cooldown: float = 2) -> Breaker:
    breaker = Breaker(failures, cooldown)
    for _ in range(failures):
        breaker.failed(error(), NOW)
    return breaker


def test_it_opens_at_the_configured_number_of_failures_in_a_row() -> None:
    breaker = Breaker(3, 2)
    for _ in range(2):
        breaker.failed(error(), NOW)
    assert breaker.state is State.CLOSED
    assert breaker.ready_at() <= NOW
    breaker.failed(last := error("timeout"), NOW)
    assert breaker.state is State.OPEN
    assert breaker.ready_at() == NOW + 2
    assert breaker.last_error is last


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(2, 2)
    for _ in range(5):
        breaker.failed(error(), NOW)
        breaker.succeeded()
    assert breaker.state is State.CLOSED


def test_after_the_cooldown_one_call_is_the_probe_and_the_others_wait_for_it() -> None:
    breaker = opened()
    breaker.sending()
    assert breaker.state is State.PROBING
    assert breaker.ready_at() == float("inf")
    assert not breaker.gives_up


def test_a_probe_that_succeeds_closes_it_and_forgets_the_past() -> None:
    breaker = opened()
    breaker.sending()
    breaker.failed(error(), NOW + 2)
    breaker.sending()
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    assert breaker.last_error is None
    assert not breaker.gives_up
    for _ in range(3):
        breaker.failed(error(), NOW)
    assert breaker.ready_at() == NOW + 2  # the first cooldown again, not the doubled one


def test_each_failed_probe_doubles_the_cooldown_up_to_a_minute() -> None:
    breaker = opened(cooldown=2)
    now = NOW
    waits: list[float] = []
    for _ in range(8):
        waits.append(breaker.ready_at() - now)
        now = breaker.ready_at()
        breaker.sending()
        breaker.failed(error(), now)
        assert breaker.gives_up
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_it_gives_up_only_after_a_failed_probe() -> None:
    breaker = opened()
    assert not breaker.gives_up
    breaker.sending()
    assert not breaker.gives_up
    breaker.failed(error(), NOW + 2)
    assert breaker.gives_up


def test_failures_of_calls_from_before_it_opened_do_not_lengthen_the_cooldown() -> None:
    breaker = opened()
    breaker.failed(error(), NOW + 1.5)
    assert breaker.ready_at() == NOW + 2


def test_a_cancelled_probe_lets_the_next_call_probe_at_once() -> None:
    breaker = opened()
    breaker.sending()
    breaker.abandoned(NOW + 3)
    assert breaker.state is State.OPEN
    assert breaker.ready_at() <= NOW + 3
    assert not breaker.gives_up


def test_a_cancelled_call_changes_nothing_while_it_is_closed_or_open() -> None:
    breaker = Breaker(3, 2)
    breaker.abandoned(NOW)
    assert breaker.state is State.CLOSED
    breaker = opened()
    breaker.abandoned(NOW + 1)
    assert breaker.ready_at() == NOW + 2


@pytest.mark.parametrize("slots", [1, 2, 7, 16])
def test_a_window_is_halved_by_a_refusal_and_grows_by_one_with_each_success(slots: int) -> None:
    window = Window(slots)
    assert window.size == slots
    window.refused()
    assert window.size == max(1, slots // 2)
    window.succeeded()
    assert window.size == min(slots, max(1, slots // 2) + 1)


@given(slots=st.integers(1, 1000), events=st.lists(st.booleans(), max_size=200))
def test_a_window_stays_between_one_and_the_slots(slots: int, events: list[bool]) -> None:
    window = Window(slots)
    for good in events:
        if good:
            window.succeeded()
        else:
            window.refused()
        assert 1 <= window.size <= slots
