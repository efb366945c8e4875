"""Looks at what somebody subscribed to whenever the board or a job may have changed, in whichever process."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable

import anyio
import anyio.to_thread
from anyio.abc import TaskStatus

from clawswarm.access.team_news import sources_of_news
from clawswarm.clock import sleep_until
from clawswarm.errors import NotFound, SwarmError
from clawswarm_mcp.reading import VIEWS, signature
from clawswarm_mcp.session import Session
from clawswarm_mcp.subscribers import Subscribers

logger = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds after which a source of news that broke down is asked again."""
SPACING = 0.1
"""Seconds between two looks, at least: a burst of changes is one."""


class Watch:
    """What the resources looked like when somebody was last told."""

    def __init__(self, session: Session, subscribers: Subscribers) -> None:
        self._session = session
        self._subscribers = subscribers
        self._seen: dict[str, str | None] = {}
        self._rung = anyio.Event()

    async def add(self, uris: Iterable[str]) -> None:
        """Begin to look at these; what changes from now on is told."""
        new = [uri for uri in uris if uri not in self._seen]
        self._seen |= await self._look(new)

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Look and tell until cancelled."""
        session = self._session
        ways = session.ways
        await session.team()  # makes the directory that is listened to
        async with (
            sources_of_news(await ways.settings(), ways.paths, session.clock) as sources,
            anyio.create_task_group() as group,
        ):
            for source in sources:
                group.start_soon(self._listen, source.wait)
            session.here.heard = self._rung_by
            await anyio.lowlevel.checkpoint()  # now they listen
            task_status.started()
            while True:
                await self._rung.wait()
                self._rung = anyio.Event()
                await self._tell()
                await self._wait(SPACING)

    def _rung_by(self) -> None:
        self._rung.set()

    async def _tell(self) -> None:
        wanted = self._subscribers.wanted
        self._seen = {uri: seen for uri, seen in self._seen.items() if uri in wanted}
        now = await self._look(wanted)
        changed = [uri for uri, text in now.items() if uri in self._seen and self._seen[uri] != text]
        self._seen |= now
        for uri in changed:
            await self._subscribers.tell(uri)

    async def _look(self, uris: Collection[str]) -> dict[str, str | None]:
        """Each of them as it is now; None for what is not there."""
        found: dict[str, str | None] = {}
        if any(uri in VIEWS for uri in uris):
            texts = await self._views()
            found = {uri: texts.get(name) for uri, name in VIEWS.items() if uri in uris}
        for uri in uris:
            if uri not in VIEWS:
                try:
                    found[uri] = await signature(self._session, uri)
                except SwarmError:
                    found[uri] = None
        return found

    async def _views(self) -> dict[str, str]:
        _, views = await self._session.team()
        try:
            return await anyio.to_thread.run_sync(views.all_markdown, abandon_on_cancel=True)
        except NotFound:
            return {}

    async def _listen(self, wait: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await wait()
            except Exception:
                logger.exception("changes of the board are not heard of; trying again")
                await self._wait(RETRY)
            self._rung.set()

    async def _wait(self, seconds: float) -> None:
        clock = self._session.clock
        await sleep_until(clock, clock.monotonic() + seconds)
