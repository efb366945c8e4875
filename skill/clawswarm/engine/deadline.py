"""The time a task has, which is its own: it stands still while the task waits for others.

Behind an Ollama with one slot, the last of sixteen tasks waits for fifteen answers. That is no reason for it
to fail. Waits that a provider asked for, pauses between tries and calls do count.
"""

from collections.abc import Generator
from contextlib import contextmanager

import anyio

from clawswarm.clock import Clock, Timer


class Deadline:
    """The moment by which a task has to be done; `at` moves on while it stands still.

    Attributes:
        seconds: how long the task may take.
        at: the moment, on the clock's monotonic scale.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self.at = clock.monotonic() + seconds
        self._clock = clock
        self._scope: anyio.CancelScope | None = None
        self._timer: Timer | None = None

    @contextmanager
    def enforced(self) -> Generator[anyio.CancelScope]:
        """Cancel the block when the time is over; `cancelled_caught` of the scope tells afterwards."""
        with anyio.CancelScope() as self._scope:
            self._start()
            try:
                yield self._scope
            finally:
                self._stop()

    @contextmanager
    def standing_still(self) -> Generator[None]:
        """Do not count the time of the block."""
        self._stop()
        since = self._clock.monotonic()
        try:
            yield
        finally:
            self.at += self._clock.monotonic() - since
            self._start()

    def _start(self) -> None:
        if self._scope is not None:
            self._timer = self._clock.call_at(self.at, self._scope.cancel)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
