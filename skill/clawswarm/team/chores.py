"""Work done whenever there is news, or after a while. What fails is told once, and tried again."""

import logging
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import SwarmError
from clawswarm.team.changes import Changes

RETRY_SECONDS = 5.0
SPACING_SECONDS = 0.1
"""Seconds between two rounds of one chore, at least: a burst of news is one round."""

_log = logging.getLogger(__name__)

Round = Callable[[], Awaitable[float | None]]
"""One round of a chore; the seconds until the next, if there is no news before. None: only news count."""


class Ear:
    """Hears every ring, also one that comes while nobody listens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = anyio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def hear(self, within: float | None = None) -> None:
        """Return when it has rung since the last time, or after that many seconds."""
        timer = None if within is None else self._clock.call_at(self._clock.monotonic() + within, self.ring)
        try:
            await self._rung.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._rung = anyio.Event()


class Chores:
    """Keeps chores going, each by itself, until the group is cancelled."""

    def __init__(self, group: TaskGroup, clock: Clock) -> None:
        self._group = group
        self._clock = clock
        self._ears: list[Ear] = []
        self._told: dict[str, set[str]] = {}

    def ear(self) -> Ear:
        self._ears.append(Ear(self._clock))
        return self._ears[-1]

    def ring(self) -> None:
        """There is news, for every chore."""
        for ear in self._ears:
            ear.ring()

    def listen(self, source: Changes) -> None:
        """Let everybody hear what `source` tells."""
        self._group.start_soon(self._listen, source)

    def start(self, name: str, work: Round) -> None:
        """Begin with a first round at once."""
        self._group.start_soon(self._rounds, name, work, self.ear())

    async def _listen(self, source: Changes) -> None:
        name = type(source).__name__
        while True:
            try:
                await source.wait()
            except Exception as error:  # noqa: BLE001 - whatever keeps it from listening may pass
                self._tell(name, error)
                await self._wait(RETRY_SECONDS)
            else:
                self._told.pop(name, None)
            self.ring()

    async def _rounds(self, name: str, work: Round, ear: Ear) -> None:
        while True:
            try:
                within = await work()
            except Exception as error:  # noqa: BLE001 - a chore that breaks must not end the others
                self._tell(name, error)
                within = RETRY_SECONDS
            else:
                self._told.pop(name, None)
            await self._wait(SPACING_SECONDS)
            await ear.hear(within)

    async def _wait(self, seconds: float) -> None:
        await sleep_until(self._clock, self._clock.monotonic() + seconds)

    def _tell(self, name: str, error: Exception) -> None:
        """Log what is wrong: each thing once, until it goes well again."""
        told = self._told.setdefault(name, set())
        text = f"{type(error).__name__}: {error}"
        if text in told:
            return
        told.add(text)
        if isinstance(error, SwarmError):
            _log.warning("team, %s: %s (%s)", name, error.message, error.hint)
        else:
            _log.error("team, %s: %s", name, text, exc_info=error)
