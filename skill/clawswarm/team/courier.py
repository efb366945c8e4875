"""Takes alerts to the channels that may be slow or away: each is asked until it takes them.

One process of a machine does that at a time (`turn`). What was under way when it died is asked again: at
least once, and each time by the same name.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import InputError, NotFound, StoreError
from clawswarm.team.alert_channel import AlertChannel, Call, Refused
from clawswarm.team.alerts import received, refused, still_waits, waiting
from clawswarm.team.board import Board
from clawswarm.types.team import Channel

T = TypeVar("T")

FIRST_WAIT = 1.0

DESKTOP_TRIES = 5
"""A notification is for who sits there now; an hour later it tells nobody."""

_log = logging.getLogger(__name__)


class Courier:
    """Takes alerts to channels.

    Args:
        max_wait: seconds between two tries, at most.
    """

    def __init__(
        self, board: Board, clock: Clock, channels: Sequence[AlertChannel], *, max_wait: float
    ) -> None:
        self._board = board
        self._clock = clock
        self._channels = {channel.name: channel for channel in channels}
        self._max_wait = max_wait
        self._under_way: set[tuple[str, Channel]] = set()
        self._trouble = ""

    async def run(self, changed: Callable[[], Awaitable[object]]) -> None:
        """Work until cancelled.

        Args:
            changed: returns when there may be something new on the board.
        """
        async with anyio.create_task_group() as group:
            while True:
                for call, name in await self._patiently(partial(waiting, self._board)):
                    if name in self._channels and (call.id, name) not in self._under_way:
                        self._under_way.add((call.id, name))
                        group.start_soon(self._take, call, self._channels[name])
                await changed()

    async def _take(self, call: Call, channel: AlertChannel) -> None:
        try:
            await self._until_taken(call, channel)
        except (InputError, NotFound) as error:  # such as: the run has ended meanwhile
            _log.warning("alert %s, %s: %s", call.id, channel.name, error.message)
        finally:
            self._under_way.discard((call.id, channel.name))

    async def _until_taken(self, call: Call, channel: AlertChannel) -> None:
        wait, tries, told = FIRST_WAIT, 0, set[str]()
        while True:
            tries += 1
            try:
                proof = await channel.tell(call)
            except Refused as refusal:
                final = refusal.final or (channel.name == "desktop" and tries >= DESKTOP_TRIES)
                if final or refusal.reason not in told:
                    told.add(refusal.reason)
                    note = partial(refused, self._board, call, channel.name, refusal.reason, final=final)
                    await self._patiently(note)
                if final:
                    return
                wait = await self._waited(wait)
                if not await self._patiently(partial(still_waits, self._board, call, channel.name)):
                    return
            else:
                await self._patiently(partial(received, self._board, call, channel.name, proof), once=True)
                return

    async def _patiently(self, work: Callable[[], T], *, once: bool = False) -> T:
        """Do it in a thread, again and again while the board cannot be used.

        Args:
            once: it is tried at least once, even when everything is being called off: who has taken an alert
                is not to be asked again for want of a note.
        """
        wait = FIRST_WAIT
        while True:
            try:
                with anyio.CancelScope(shield=once):
                    return await anyio.to_thread.run_sync(work)
            except StoreError as error:
                if error.message != self._trouble:
                    self._trouble = error.message
                    _log.warning("alerts wait for the board: %s", error.message)
            wait = await self._waited(wait)

    async def _waited(self, seconds: float) -> float:
        """Wait that long; returns how long to wait the next time."""
        await sleep_until(self._clock, self._clock.monotonic() + seconds)
        return min(seconds * 2, self._max_wait)
