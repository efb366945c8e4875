"""Every way a provider says "wait this long", as seconds, and what its headers say about its limits.

Sources: provider-facts 2.3 (Gemini's RetryInfo), 3.2 (OpenAI's headers), 3.4 (Groq), 4.4 (Anthropic).
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clawswarm.providers.base import Pace

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_UNIT_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}

Headers = Mapping[str, str]


def duration(text: str) -> float | None:
    """A duration as the APIs write it ("12ms", "6m0s", "46.6s", "2") in seconds; None if it is none."""
    text = text.strip()
    try:
        return _finite(float(text))
    except ValueError:
        pass
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return _finite(sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts))


def _finite(seconds: float) -> float | None:
    """`seconds`, at least 0; None where it is no time that anybody could wait for."""
    return max(0.0, seconds) if math.isfinite(seconds) else None


def retry_after(headers: Headers, now: datetime) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (seconds or a date); None where neither is usable."""
    if (milliseconds := duration(headers.get("retry-after-ms", "") + "ms")) is not None:
        return milliseconds
    if (value := headers.get("retry-after")) is None:
        return None
    if (seconds := duration(value)) is not None:
        return seconds
    try:
        when = parsedate_to_datetime(value)
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def openai_pace(headers: Headers) -> Pace | None:
    """Limits from `x-ratelimit-*`: resets are durations. Groq's request window is a day, its token window
    a minute; both say so in the reset."""
    if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
        return None
    return Pace(
        requests_left=_count(headers.get("x-ratelimit-remaining-requests")),
        requests_reset=duration(headers.get("x-ratelimit-reset-requests", "")),
        tokens_left=_count(headers.get("x-ratelimit-remaining-tokens")),
        tokens_reset=duration(headers.get("x-ratelimit-reset-tokens", "")),
    )


def anthropic_pace(headers: Headers, now: datetime) -> Pace | None:
    """Limits from `anthropic-ratelimit-*`: resets are RFC 3339 times. Of the three token limits (all, input,
    output) the one with the least left counts, and of equals the one that lasts longest."""
    requests_left, requests_reset = _anthropic_limit(headers, "requests", now)
    limits = [_anthropic_limit(headers, kind, now) for kind in ("tokens", "input-tokens", "output-tokens")]
    known = [(left, reset) for left, reset in limits if left is not None]
    if requests_left is None and not known:
        return None
    tokens_left, tokens_reset = min(
        known, key=lambda limit: (limit[0], -(limit[1] or 0.0)), default=(None, None)
    )
    return Pace(
        requests_left=requests_left,
        requests_reset=requests_reset,
        tokens_left=tokens_left,
        tokens_reset=tokens_reset,
    )


def _anthropic_limit(headers: Headers, kind: str, now: datetime) -> tuple[int | None, float | None]:
    name = f"anthropic-ratelimit-{kind}"
    return _count(headers.get(f"{name}-remaining")), _until(headers.get(f"{name}-reset"), now)


def wait_of(pace: Pace) -> float | None:
    """Seconds to wait after a 429 that says no more than what is left of each limit."""
    used_up = [
        reset
        for left, reset in (
            (pace.requests_left, pace.requests_reset),
            (pace.tokens_left, pace.tokens_reset),
        )
        if left == 0 and reset is not None
    ]
    if used_up:
        return max(used_up)
    return pace.tokens_reset if pace.tokens_reset is not None else pace.requests_reset


def until_pacific_midnight(now: datetime) -> float:
    """Seconds until Gemini's daily quotas start again (midnight Pacific; provider-facts 2.3)."""
    try:
        pacific = now.astimezone(ZoneInfo("America/Los_Angeles"))
    except ZoneInfoNotFoundError:  # no time zone database: standard time, an hour late at worst
        pacific = now.astimezone(timezone(timedelta(hours=-8)))
    midnight = (pacific + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight.astimezone(UTC) - now).total_seconds()  # in UTC: some of these days have 23 or 25 hours


def _count(text: str | None) -> int | None:
    try:
        return None if text is None else max(0, int(float(text)))
    except (ValueError, OverflowError):
        return None


def _until(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    try:
        return max(0.0, (datetime.fromisoformat(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
