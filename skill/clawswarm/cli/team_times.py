"""Times of a board for people: the clock on this machine's wall, and how long ago."""

from datetime import datetime


def clock_time(at: float) -> str:
    """Such as 03:45:10."""
    return f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"


def day_and_time(at: float) -> str:
    """Such as 28 Jan 03:45."""
    return f"{datetime.fromtimestamp(at).astimezone():%d %b %H:%M}"


def lasting(seconds: float) -> str:
    """Such as 2d 3h, 2h 5m, 4h, 5m 7s, 7s."""
    left = max(0, int(seconds))
    for unit, size, finer, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "m", 60), ("m", 60, "s", 1)):
        if left >= size:
            rest = left % size // part
            return f"{left // size}{unit}" + (f" {rest}{finer}" if rest else "")
    return f"{left}s"


def ago(seconds: float) -> str:
    """Such as 5m 7s ago."""
    return "just now" if seconds < 1 else f"{lasting(seconds)} ago"
