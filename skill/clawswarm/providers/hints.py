"""Every way a provider says "wait this long", as seconds, and what its headers say about its limits.

Sources: provider-facts 2.3 (Gemini's RetryInfo), 3.2 (OpenAI's headers), 3.4 (Groq), 4.4 (Anthropic).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
        return max(0.0, float(text))
    except ValueError:
        pass
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)


def retry_after(headers: Headers, now: datetime) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (seconds or a date); None where neither is usable."""
    if (milliseconds := headers.get("retry-after-ms")) is not None:
        try:
            return max(0.0, float(milliseconds) / 1000)
        except ValueError:
            pass
    if (value := headers.get("retry-after")) is None:
        return None
    if (seconds := duration(value)) is not None:
        return seconds
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


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
    """Limits from `anthropic-ratelimit-*`: resets are RFC 3339 times."""
    if "anthropic-ratelimit-requests-remaining" not in headers and (
        "anthropic-ratelimit-tokens-remaining" not in headers
    ):
        return None
    return Pace(
        requests_left=_count(headers.get("anthropic-ratelimit-requests-remaining")),
        requests_reset=_until(headers.get("anthropic-ratelimit-requests-reset"), now),
        tokens_left=_count(headers.get("anthropic-ratelimit-tokens-remaining")),
        tokens_reset=_until(headers.get("anthropic-ratelimit-tokens-reset"), now),
    )


def until_pacific_midnight(now: datetime) -> float:
    """Seconds until Gemini's daily quotas start again (midnight Pacific; provider-facts 2.3)."""
    try:
        pacific = now.astimezone(ZoneInfo("America/Los_Angeles"))
    except (
        ZoneInfoNotFoundError
    ):  # a machine without a time zone database: standard time, an hour late at worst
        pacific = now.astimezone(UTC) - timedelta(hours=8)
    midnight = (pacific + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - pacific).total_seconds()


def _count(text: str | None) -> int | None:
    try:
        return None if text is None else int(float(text))
    except ValueError:
        return None


def _until(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    try:
        return max(0.0, (datetime.fromisoformat(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
