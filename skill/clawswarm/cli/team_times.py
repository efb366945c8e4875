"""Times of a board for people: the clock on this machine's wall, and how long ago."""

from datetime import datetime

from clawswarm.cli.status_command import uptime


def clock_time(at: float) -> str:
    """Such as 03:45:10."""
    return f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"


def day_and_time(at: float) -> str:
    """Such as 28 Jan 03:45."""
    return f"{datetime.fromtimestamp(at).astimezone():%d %b %H:%M}"


def lasting(seconds: float) -> str:
    """Such as 2h 5m, 4h, 7s."""
    first, _, second = uptime(max(0.0, seconds)).partition(" ")
    return first if second.startswith("0") else f"{first} {second}".strip()


def ago(seconds: float) -> str:
    """Such as 5m 7s ago."""
    return "just now" if seconds < 1 else f"{lasting(seconds)} ago"
