"""The circuit breaker of one endpoint: leaves a server alone that fails again and again.

closed → (`failures` in a row) → open → (cooldown over) → probing: one call → closed, or open for twice as
long. Only failures of the server count; refusals of a request (4xx) and rate limits do not.
"""

from enum import StrEnum

from clawswarm.errors import TaskError

LONGEST_COOLDOWN = 60.0


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Pure state; time is handed in.

    Attributes:
        last_error: the failure that opened it.
    """

    def __init__(self, failures: int, cooldown: float) -> None:
        self._threshold = failures
        self._first_cooldown = cooldown
        self._cooldown = cooldown
        self._in_a_row = 0
        self._opened_at = 0.0
        self.state = State.CLOSED
        self.failed_probes = 0
        self.last_error: TaskError | None = None

    @property
    def gives_up(self) -> bool:
        """Whether waiting is pointless for now: it is open, and a probe has failed already."""
        return self.state is State.OPEN and self.failed_probes > 0

    def ready_at(self) -> float:
        """When the next call may be sent; infinity while a probe is on its way."""
        match self.state:
            case State.CLOSED:
                return 0.0
            case State.OPEN:
                return self._opened_at + self._cooldown
            case State.PROBING:
                return float("inf")

    def sending(self) -> None:
        """A call is sent; after the cooldown it is the probe."""
        if self.state is State.OPEN:
            self.state = State.PROBING

    def succeeded(self) -> None:
        """The server answered, whatever it said."""
        self._in_a_row = 0
        self._cooldown = self._first_cooldown
        self.failed_probes = 0
        self.state = State.CLOSED
        self.last_error = None

    def failed(self, error: TaskError, now: float) -> None:
        """The server failed, or could not be reached."""
        self._in_a_row += 1
        if self.state is State.PROBING:
            self.failed_probes += 1
            self._cooldown = min(LONGEST_COOLDOWN, self._cooldown * 2)
        elif self.state is State.OPEN or self._in_a_row < self._threshold:
            return
        self.state = State.OPEN
        self._opened_at = now
        self.last_error = error

    def abandoned(self, now: float) -> None:
        """The probe was cancelled before it told anything: the next call is the probe."""
        if self.state is State.PROBING:
            self.state = State.OPEN
            self._opened_at = now - self._cooldown
