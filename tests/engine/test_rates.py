"""Requests and tokens a minute: never more than allowed, never less than they could be."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.engine.rates import Bucket, Rates
from clawswarm.providers.base import Pace
from tests.engine.support import near

START = 5000.0
GAPS = st.lists(st.floats(0, 90), min_size=1, max_size=60)


def sent_within_a_minute(sent: list[tuple[float, float]]) -> float:
    """The most that any window of 60 s holds."""
    return max(sum(amount for at, amount in sent if start <= at < start + 60) for start, _ in sent)


@given(per_minute=st.integers(1, 5000), gaps=GAPS)
def test_no_minute_has_more_requests_than_allowed_and_a_burst(per_minute: int, gaps: list[float]) -> None:
    rates = Rates(per_minute, None, START)
    sent: list[tuple[float, float]] = []
    now = START
    for gap in gaps:
        now = max(now + gap, rates.ready_at(0, now + gap))
        assert rates.ready_at(0, now) == near(now)
        rates.take(0, now)
        sent.append((now, 1))
    assert sent_within_a_minute(sent) <= per_minute + max(1, per_minute / 60) + 1e-6


@given(
    per_minute=st.integers(60, 100_000),
    calls=st.lists(st.tuples(st.floats(0, 90), st.integers(0, 5000)), min_size=1, max_size=60),
)
def test_no_minute_has_more_tokens_than_allowed_and_one_burst(
    per_minute: int, calls: list[tuple[float, int]]
) -> None:
    rates = Rates(None, per_minute, START)
    sent: list[tuple[float, float]] = []
    now = START
    for gap, tokens in calls:
        now = max(now + gap, rates.ready_at(tokens, now + gap))
        rates.take(tokens, now)
        sent.append((now, tokens))
    biggest = max(tokens for _, tokens in calls)
    assert sent_within_a_minute(sent) <= per_minute + max(per_minute / 60, biggest) + 1e-3


@given(per_minute=st.integers(1, 5000), calls=st.integers(2, 200))
def test_a_limit_is_used_to_the_full(per_minute: int, calls: int) -> None:
    """One call after another takes as long as the limit says, not longer."""
    rates = Rates(per_minute, None, START)
    now = START
    for _ in range(calls):
        now = rates.ready_at(0, now)
        rates.take(0, now)
    burst = max(1.0, per_minute / 60)
    assert now - START <= max(0.0, calls - burst) * 60 / per_minute + 1e-6


@given(
    per_minute=st.integers(60, 100_000),
    calls=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 9000)), min_size=1, max_size=40),
)
def test_the_true_number_of_tokens_counts_once_it_is_known(
    per_minute: int, calls: list[tuple[int, int]]
) -> None:
    rates = Rates(None, per_minute, START)
    sent: list[tuple[float, float]] = []
    now = START
    for estimate, actual in calls:
        now = rates.ready_at(estimate, now)
        rates.take(estimate, now)
        rates.correct(estimate, actual, now)
        sent.append((now, actual))
    biggest = max(max(call) for call in calls)
    assert sent_within_a_minute(sent) <= per_minute + per_minute / 60 + biggest + 1e-3


def test_a_call_that_used_more_than_guessed_is_waited_for() -> None:
    rates = Rates(None, 600, START)  # ten a second
    rates.take(10, START)
    rates.correct(10, 110, START)
    assert rates.ready_at(10, START) == near(START + 11)


def test_tokens_guessed_and_not_used_are_given_back() -> None:
    rates = Rates(None, 600, START)
    rates.take(10, START)
    rates.correct(10, 0, START)
    assert rates.ready_at(10, START) == START


def test_giving_back_never_saves_up_more_than_a_burst() -> None:
    bucket = Bucket(600, START)
    bucket.take(-1000, START)
    assert bucket.wait(10, START) == 0
    bucket.take(10, START)
    assert bucket.wait(10, START) == near(1)


def test_a_call_larger_than_the_allowance_still_goes_once_the_bucket_is_full() -> None:
    rates = Rates(None, 60, START)
    assert rates.ready_at(10_000, START) == START
    rates.take(10_000, START)
    assert rates.ready_at(1, START) == near(START + 10_000)


def test_an_endpoint_without_limits_is_always_ready() -> None:
    rates = Rates(None, None, START)
    rates.take(10**9, START)
    rates.correct(1, 10**9, START)
    assert rates.ready_at(10**9, START) <= START


def test_the_longest_pause_counts() -> None:
    rates = Rates(60, None, START)
    rates.pause(30, START)
    rates.pause(5, START + 1)
    assert rates.ready_at(0, START + 1) == START + 30
    assert rates.ready_at(0, START + 31) == START + 31


@pytest.mark.parametrize(
    ("pace", "ready"),
    [
        (Pace(requests_left=0, requests_reset=12), 12),
        (Pace(tokens_left=0, tokens_reset=7), 7),
        (Pace(requests_left=0, requests_reset=12, tokens_left=0, tokens_reset=20), 20),
        (Pace(requests_left=1, requests_reset=12), 0),
        (Pace(requests_left=0), 0),
        (Pace(tokens_left=5, tokens_reset=7), 0),
        (Pace(), 0),
    ],
)
def test_an_allowance_that_a_provider_says_is_used_up_pauses_until_it_is_full_again(
    pace: Pace, ready: float
) -> None:
    rates = Rates(None, None, START)
    rates.observe(pace, START)
    assert rates.ready_at(0, START) == START + ready or ready == 0 == rates.ready_at(0, START) - START


@pytest.mark.parametrize("limit", [lambda: Rates(1, None, 0.0), lambda: Rates(None, 1, 0.0)])
def test_a_limit_of_one_a_minute_lets_one_a_minute_through(limit: Callable[[], Rates]) -> None:
    rates = limit()
    assert rates.ready_at(1, 0.0) == 0
    rates.take(1, 0.0)
    assert rates.ready_at(1, 0.0) == near(60)
