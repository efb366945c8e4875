"""Requests and tokens a minute to one endpoint, from configuration and from the provider's own words.

A bucket holds one minute's allowance, fills steadily and may go into debt: the true number of tokens is
known only afterwards. Pure arithmetic: time is handed in, nothing waits here.
"""

from clawswarm.providers.base import Pace

MINUTE = 60.0


class Bucket:
    """An allowance of `per_minute`, spent and refilled."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._rate = per_minute / MINUTE
        self._burst = max(1.0, per_minute / MINUTE)
        self._level = self._burst
        self._at = now

    def _fill(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken. More than the burst is let through on a full bucket."""
        self._fill(now)
        missing = min(amount, self._burst) - self._level
        return 0.0 if missing <= 1e-9 else missing / self._rate

    def take(self, amount: float, now: float) -> None:
        self._fill(now)
        self._level -= amount


class Rates:
    """The limits of one endpoint."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None, now: float) -> None:
        self._requests = None if requests_per_minute is None else Bucket(requests_per_minute, now)
        self._tokens = None if tokens_per_minute is None else Bucket(tokens_per_minute, now)
        self._not_before = 0.0

    def ready_at(self, tokens: int, now: float) -> float:
        """The earliest moment at which a call of about `tokens` may be sent."""
        wait = 0.0
        if self._requests is not None:
            wait = self._requests.wait(1, now)
        if self._tokens is not None:
            wait = max(wait, self._tokens.wait(tokens, now))
        return max(self._not_before, now + wait)

    def take(self, tokens: int, now: float) -> None:
        """Count a call of about `tokens` that is sent now."""
        if self._requests is not None:
            self._requests.take(1, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)

    def correct(self, estimated: int, actual: int, now: float) -> None:
        """Replace the estimate of a finished call by its true number of tokens."""
        if self._tokens is not None:
            self._tokens.take(actual - estimated, now)

    def pause(self, seconds: float, now: float) -> None:
        """Send nothing for `seconds`: the provider said so."""
        self._not_before = max(self._not_before, now + seconds)

    def paused(self, now: float) -> bool:
        """Whether a pause is on."""
        return self._not_before > now

    def observe(self, pace: Pace, now: float) -> None:
        """Take note of what an answer said is left."""
        if pace.requests_left == 0 and pace.requests_reset is not None:
            self.pause(pace.requests_reset, now)
        if pace.tokens_left == 0 and pace.tokens_reset is not None:
            self.pause(pace.tokens_reset, now)
