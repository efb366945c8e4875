"""Which failures are tried again, after how long, and how many in all."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.engine.retry import LONGEST_BOUND, RetryBudget, RetryPolicy, backoff
from tests.engine.support import error


def policy(max_retries: int = 3, capacity: float = 100, seed: int = 0) -> RetryPolicy:
    return RetryPolicy(max_retries, RetryBudget(capacity), random.Random(seed))


@given(attempt=st.integers(1, 5000), draw=st.floats(0, 1))
def test_a_wait_lies_below_a_bound_that_doubles_up_to_a_limit(attempt: int, draw: float) -> None:
    wait = backoff(attempt, draw)
    assert 0 <= wait <= LONGEST_BOUND
    if attempt < 6:
        assert wait <= 0.5 * 2 ** (attempt - 1)
    assert wait == draw * backoff(attempt, 1)


@given(seed=st.integers(), attempt=st.integers(1, 3))
def test_waits_are_spread_over_the_whole_range(seed: int, attempt: int) -> None:
    waits = [policy(seed=seed + n).wait_for(error(), attempt, 1000) or 0.0 for n in range(60)]
    bound = backoff(attempt, 1)
    assert min(waits) < bound / 3
    assert max(waits) > bound * 2 / 3


@given(after=st.floats(0, 500), attempt=st.integers(1, 3))
def test_a_wait_is_never_shorter_than_the_provider_asked_for(after: float, attempt: int) -> None:
    wait = policy().wait_for(error(retry_after=after), attempt, 1000)
    assert wait is not None
    assert after <= wait <= max(after, backoff(attempt, 1))


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_there_are_as_many_retries_as_configured(max_retries: int) -> None:
    retries = policy(max_retries)
    allowed = [retries.wait_for(error(), attempt, 1000) is not None for attempt in range(1, 6)]
    assert allowed == [attempt <= max_retries for attempt in range(1, 6)]


def test_what_cannot_pass_is_not_tried_again_and_costs_nothing_of_the_budget() -> None:
    retries = policy()
    assert retries.wait_for(error("bad_request", retryable=False), 1, 1000) is None
    assert retries.budget.left == 100


def test_an_empty_budget_ends_retries_until_successes_fill_it() -> None:
    retries = policy(capacity=2)
    assert [retries.wait_for(error(), 1, 1000) is not None for _ in range(4)] == [True, True, False, False]
    for _ in range(11):
        retries.budget.succeeded(retried=False)
    assert retries.wait_for(error(), 1, 1000) is not None
    assert retries.wait_for(error(), 1, 1000) is None


def test_a_retry_that_succeeds_costs_nothing() -> None:
    budget = RetryBudget(5)
    for _ in range(50):
        assert budget.take()
        budget.succeeded(retried=True)
    assert budget.left == 5


EVENTS = st.lists(st.sampled_from(["take", "first", "retried"]), max_size=300)


@given(events=EVENTS, capacity=st.floats(1, 50))
def test_the_budget_stays_between_nothing_and_its_capacity(events: list[str], capacity: float) -> None:
    budget = RetryBudget(capacity)
    for event in events:
        if event == "take":
            before = budget.left
            assert budget.take() is (before >= 1)
        else:
            budget.succeeded(retried=event == "retried")
        assert 0 <= budget.left <= capacity


@given(refusals=st.integers(1, 5000), seed=st.integers())
def test_a_429_without_a_time_pauses_longer_each_round_up_to_a_limit(refusals: int, seed: int) -> None:
    wait = policy(seed=seed).wait_unnamed(refusals)
    assert backoff(refusals, 0.5) <= wait <= backoff(refusals, 1) <= LONGEST_BOUND
