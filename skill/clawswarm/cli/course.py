"""The course of a batch as its events tell it, for displays and summaries."""

import time

from clawswarm.types.events import BatchStarted
from clawswarm.types.result import Failure, Stats, Tally, TaskResult


class Course:
    """Counts results as they come.

    Attributes:
        total: how many there will be, if that is known.
        started: the first event, once it has come.
        first: the first failure of each code.
    """

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.started: BatchStarted | None = None
        self.tally = Tally()
        self.first: dict[str, Failure] = {}
        self._began = time.monotonic()
        self._stats: Stats | None = None

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the start, or of the whole batch once it is complete."""
        if self._stats is not None:
            return self._stats.total_duration_ms
        return round((time.monotonic() - self._began) * 1000)

    @property
    def stats(self) -> Stats:
        return self._stats or self.tally.stats(self.elapsed_ms)

    def begin(self, started: BatchStarted) -> None:
        """The work begins now; what came before was getting ready."""
        self.started = started
        self._began = time.monotonic()

    def add(self, result: TaskResult) -> None:
        self.tally.add(result)
        if result.error is not None:
            self.first.setdefault(result.error.code, result.error)

    def end(self, stats: Stats) -> None:
        """It is complete, with these numbers."""
        self._stats = stats
