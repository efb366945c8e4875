"""One life of a job: what it has behind it when it is taken up, and what happens until it is put down."""

from contextlib import suppress
from typing import Any, cast

import anyio
from pydantic_core import from_json, to_json

from clawswarm.clock import Clock
from clawswarm.errors import StoreError
from clawswarm.modes.job_log import JobLog
from clawswarm.store.jobs import Item, Standing
from clawswarm.types.result import Failure, Stats, Tally
from clawswarm.types.wire import task_result

ALONE_AFTER = 2
"""Crashes after which a task is sent while no other suspect is in flight."""

PARKED_AFTER = 3
"""Crashes after which a task is not sent any more."""

PARKED = Failure(
    code="parked",
    message=f"it was in flight each time when the daemon died, {PARKED_AFTER} times, and is not sent again",
    hint="look for what it does to the daemon in: swarm logs; then ask it by itself: swarm parallel",
)


class Unfinished(Exception):  # noqa: N818 - says the state; never leaves the package
    """The job was told to stop before everything was done."""


class Life:
    """Notes what is sent and what comes back.

    Attributes:
        alone: held by the one job that has suspects in flight.
    """

    def __init__(
        self,
        job_id: str,
        standing: Standing,
        log: JobLog,
        clock: Clock,
        stopping: anyio.Event,
        alone: anyio.Lock,
    ) -> None:
        self.id = job_id
        self.alone = alone
        self.request: dict[str, Any] = standing.request
        self.crashes = standing.crashes
        self._stored = dict(standing.bodies)
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self._ran_before = standing.ran_ms
        self._since = clock.monotonic()
        self._flying: set[int] = set()

    @property
    def stopping(self) -> bool:
        """Whether nothing new is to be sent."""
        return self._stopping.is_set()

    @property
    def ran_ms(self) -> int:
        """Milliseconds that the job has run, over all lives of the daemon."""
        return self._ran_before + round((self._clock.monotonic() - self._since) * 1000)

    def __contains__(self, position: int) -> bool:
        """Whether there is a result."""
        return position in self._stored

    def document(self, position: int) -> dict[str, Any]:
        """A result that is there."""
        return from_json(self._stored[position])

    async def sent(self, *positions: int) -> None:
        """Note that tasks are about to be sent; it is written when this returns."""
        self._flying.update(positions)
        await self._log.sent(self.id, *positions)

    def done(self, position: int, document: dict[str, Any]) -> None:
        """Store a result. Of text that no encoding can carry, half of a character becomes a question mark."""
        try:
            body = to_json(document, inf_nan_mode="null", fallback=str)
        except ValueError:
            body = to_json(_encodable(document), inf_nan_mode="null", fallback=str)
        self._stored[position] = body
        self._flying.discard(position)
        self._log.item(self.id, Item(position=position, ok=document["ok"], body=body), self.ran_ms)

    async def flush(self) -> None:
        """Return once everything so far is written.

        Raises:
            StoreError: it could not be.
        """
        await self._log.flush()

    async def land(self) -> None:
        """Take back the marks of what was called off: that was no crash."""
        self._log.landed(self.id, self._flying)
        with suppress(StoreError):  # told where the job itself failed on it
            await self._log.flush()

    def tally(self) -> Tally:
        """The numbers of everything that is stored. Decodes it all: call it from a thread."""
        tally = Tally()
        for body in self._stored.values():
            tally.add(task_result(from_json(body)))
        return tally

    def costs(self) -> list[tuple[int, int | None, int]]:
        """Position, picodollars (None: unknown) and calls of everything that is stored; as `tally`."""
        results = {position: task_result(from_json(body)) for position, body in self._stored.items()}
        return [(position, each.cost_pico, each.attempts) for position, each in results.items()]

    def stats(self) -> Stats:
        """As `tally`, with the time over all lives."""
        return self.tally().stats(self.ran_ms)


def _encodable(value: Any) -> Any:
    """`value` with a question mark for each half of a surrogate pair."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            pairs = cast("dict[Any, Any]", value).items()
            return {_encodable(name): _encodable(each) for name, each in pairs}
        case list() | tuple():
            return [_encodable(each) for each in cast("list[Any]", value)]
        case _:
            return value
