"""Every way to say "wait this long" is read; whatever else stands there is not taken for a time."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.providers import hints
from clawswarm.providers.base import Pace

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
texts = st.one_of(st.text(max_size=30), st.text("0123456789.hmsnuµd -+eE:,infaGMT", max_size=30))
moments = st.integers(0, 3_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1),
        ("6m0s", 360),
        ("46.6s", 46.6),
        ("1h2m3.5s", 3723.5),
        ("2m59.56s", 179.56),
        ("7.66s", 7.66),
        ("2", 2),
        ("0", 0),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("100µs", 1e-4),
        ("1d", 86400),
        ("", None),
        ("soon", None),
        ("5 s", None),
        ("5x", None),
        ("s", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("9" * 400 + "s", None),
    ],
)
def test_durations_are_read_as_the_apis_write_them(text: str, seconds: float | None) -> None:
    assert hints.duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_of_parts_is_their_sum(hours: int, minutes: int, seconds: int, milli: int) -> None:
    written = f"{hours}h{minutes}m{seconds}.{milli:03}s"
    expected = hours * 3600 + minutes * 60 + seconds + milli / 1000
    assert hints.duration(written) == pytest.approx(expected)


@given(texts)
def test_a_duration_is_a_time_that_can_be_waited_for_or_none(text: str) -> None:
    seconds = hints.duration(text)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), texts), moments)
def test_a_retry_after_is_a_time_that_can_be_waited_for_or_none(
    headers: dict[str, str], now: datetime
) -> None:
    seconds = hints.retry_after(headers, now)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(moments, st.integers(-(10**6), 10**6))
def test_a_date_is_the_time_until_then(now: datetime, ahead: int) -> None:
    now = now.replace(microsecond=0)
    when = now + timedelta(seconds=ahead)
    headers = {"retry-after": format_datetime(when, usegmt=True)}
    assert hints.retry_after(headers, now) == max(0, ahead)


def test_milliseconds_come_before_seconds_and_nonsense_before_nothing() -> None:
    assert hints.retry_after({"retry-after-ms": "1500", "retry-after": "9"}, NOW) == 1.5
    assert hints.retry_after({"retry-after-ms": "soon", "retry-after": "9"}, NOW) == 9
    assert hints.retry_after({"retry-after": "Fri, 20 Nov 99999 10:00:00 GMT"}, NOW) is None
    assert hints.retry_after({"retry-after": "Fri, 20 Nov 2026 10:00:09"}, NOW) == 9
    assert hints.retry_after({}, NOW) is None


OPENAI = [f"x-ratelimit-{what}-{kind}" for what in ("remaining", "reset") for kind in ("requests", "tokens")]
ANTHROPIC = [
    f"anthropic-ratelimit-{kind}-{what}"
    for what in ("remaining", "reset")
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
]
stamps = st.one_of(
    texts, st.integers(-5, 10**9).map(str), moments.map(lambda when: when.isoformat()), st.just("1e999")
)


def _sane(pace: Pace | None) -> None:
    if pace is None:
        return
    for left in (pace.requests_left, pace.tokens_left):
        assert left is None or left >= 0
    for reset in (pace.requests_reset, pace.tokens_reset, hints.wait_of(pace)):
        assert reset is None or (reset >= 0 and math.isfinite(reset))


@given(st.dictionaries(st.sampled_from(OPENAI), stamps))
def test_limits_of_openai_are_numbers_or_unknown(headers: dict[str, str]) -> None:
    _sane(hints.openai_pace(headers))


@given(st.dictionaries(st.sampled_from(ANTHROPIC), stamps), moments)
def test_limits_of_claude_are_numbers_or_unknown(headers: dict[str, str], now: datetime) -> None:
    _sane(hints.anthropic_pace(headers, now))


def test_no_headers_mean_no_limits() -> None:
    assert hints.openai_pace({}) is None
    assert hints.openai_pace({"x-ratelimit-limit-requests": "5"}) is None
    assert hints.anthropic_pace({}, NOW) is None
    assert hints.anthropic_pace({"anthropic-ratelimit-tokens-limit": "5"}, NOW) is None


def test_limits_are_read_as_they_are_sent() -> None:
    assert hints.openai_pace(
        {
            "x-ratelimit-remaining-requests": "29",
            "x-ratelimit-reset-requests": "2m59.56s",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "7.66s",
        }
    ) == Pace(requests_left=29, requests_reset=179.56, tokens_left=0, tokens_reset=7.66)
    assert hints.anthropic_pace(
        {
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2026-11-20T10:00:30Z",
            "anthropic-ratelimit-tokens-remaining": "8000",
            "anthropic-ratelimit-tokens-reset": "2026-11-20T09:59:00Z",
            "anthropic-ratelimit-output-tokens-remaining": "10",
            "anthropic-ratelimit-output-tokens-reset": "2026-11-20T10:00:02Z",
        },
        NOW,
    ) == Pace(requests_left=49, requests_reset=30, tokens_left=10, tokens_reset=2)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), 24),  # midnight in California, winter
        (datetime(2026, 11, 20, 7, 0, tzinfo=UTC), 1),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), 24),  # midnight in California, summer
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25),  # the day on which summer time ends
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), 23),  # the day on which it begins
    ],
)
def test_geminis_day_ends_at_midnight_in_california(now: datetime, hours: int) -> None:
    assert hints.until_pacific_midnight(now) == hours * 3600


@given(moments)
def test_midnight_is_at_most_a_day_away_and_is_midnight(now: datetime) -> None:
    from zoneinfo import ZoneInfo

    seconds = hints.until_pacific_midnight(now)
    assert 0 < seconds <= 25 * 3600
    then = (now + timedelta(seconds=seconds)).astimezone(ZoneInfo("America/Los_Angeles"))
    assert (then.hour, then.minute, then.second) == (0, 0, 0)
