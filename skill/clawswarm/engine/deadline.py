"""The time a task has, which is its own: it stands still while the task waits for others.

Behind an Ollama with one slot, the last of sixteen tasks waits for fifteen answers. That is no reason for it
to fail. Waits that a provider asked for, pauses between tries and calls do count.
"""

from collections.abc import Generator
from contextlib import contextmanager

import anyio

from clawswarm.clock import Clock, Timer


class Deadline:
    """The moment by which a task has to be done; it moves on while time stands still.

    Attributes:
        seconds: how long the task may take.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._at = clock.monotonic() + seconds
        self._clock = clock
        self._still_since: float | None = None
        self._scope: anyio.CancelScope | None = None
        self._timer: Timer | None = None
        self._companions: set[Deadline] = set()

    @property
    def at(self) -> float:
        """The moment as it is now, on the clock's monotonic scale."""
        if self._still_since is None:
            return self._at
        return self._at + self._clock.monotonic() - self._still_since

    @contextmanager
    def enforced(self) -> Generator[anyio.CancelScope]:
        """Cancel the block when the time is over; `cancelled_caught` of the scope tells afterwards."""
        with anyio.CancelScope() as self._scope:
            self._start()
            try:
                yield self._scope
            finally:
                self._stop()

    def stand_still(self) -> None:
        """Do not count the time from now on."""
        if self._still_since is None:
            self._stop()
            self._still_since = self._clock.monotonic()
            for companion in self._companions:
                companion.stand_still()

    def go_on(self) -> None:
        """Count the time again."""
        if self._still_since is not None:
            self._at, self._still_since = self.at, None
            self._start()
            for companion in self._companions:
                companion.go_on()

    @contextmanager
    def along_with(self, other: "Deadline") -> Generator[None]:
        """Stand still when `other` does: its task asks for this one, too."""
        other._companions.add(self)
        if other._still_since is not None:
            self.stand_still()
        try:
            yield
        finally:
            other._companions.discard(self)
            self.go_on()

    def _start(self) -> None:
        if self._scope is not None:
            self._timer = self._clock.call_at(self._at, self._scope.cancel)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
