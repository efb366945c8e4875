"""What has to happen around a board while it is used: files kept up to date, humans called, deadlines kept.

Any process may run it, and several may at once (the daemon, `swarm team watch`): nothing happens twice. One
chore that fails, such as on a folder that cannot be written, does not keep the others from theirs.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import anyio
import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.keys import Key
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import NotFound
from clawswarm.providers.http import open_http
from clawswarm.team import emergency_file
from clawswarm.team.alert_desktop import Desktop
from clawswarm.team.alert_webhook import Webhook, webhook_secret
from clawswarm.team.board import Board
from clawswarm.team.changes import Changes, FileChanges
from clawswarm.team.chores import Chores, Ear
from clawswarm.team.courier import Courier
from clawswarm.team.draft import Draft
from clawswarm.team.guards import sweep
from clawswarm.team.publish import publish
from clawswarm.team.rules.guards import Machine
from clawswarm.team.turn import turn
from clawswarm.types.board import Run
from clawswarm.types.meetings import Proposal
from clawswarm.types.team import SYSTEM

SWEEP_SECONDS = 30.0
"""Seconds after which the guards look again, and everybody whom no news has reached: some file systems tell
of none."""
SETTLE_SECONDS = 1.0
COURIER_LOCK = ".courier.lock"

Sign = tuple[tuple[str, int] | None, tuple[int, int, int] | None]

_log = logging.getLogger(__name__)


async def watch_team(
    board: Board,
    settings: Settings,
    paths: Paths,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    changes: Sequence[Changes] | None = None,
    machine: Callable[[], Machine | None] = lambda: None,
) -> None:
    """Work until cancelled.

    Args:
        changes: who tells of changes; None: the memory directory, which is where SQLite writes.
        machine: looks at the machine, for the guards; called in a thread.
    """
    watcher = _Watcher(board, settings, paths, environ, clock, machine)
    async with anyio.create_task_group() as group:
        chores = Chores(group, clock)
        for source in (FileChanges(paths.memory),) if changes is None else changes:
            chores.listen(source)  # before anybody looks for the first time, so that nothing is missed
        chores.start("files", watcher.files)
        chores.start("deadlines", watcher.deadlines)
        chores.start("guards", watcher.guards)
        ear = chores.ear()
        chores.start("alerts", lambda: watcher.alerts(ear))


class _Watcher:
    """The chores."""

    def __init__(
        self,
        board: Board,
        settings: Settings,
        paths: Paths,
        environ: Mapping[str, str],
        clock: Clock,
        machine: Callable[[], Machine | None],
    ) -> None:
        self._board = board
        self._alerts = settings.team.alerts
        self._paths = paths
        self._environ = environ
        self._clock = clock
        self._machine = machine
        self._waits = False
        self._published: Sign | None = None
        self._publish_at = 0.0

    async def files(self) -> float:
        """Views, pages of checkpoints, alerts; and emergency.md as somebody wrote it."""
        sign = await anyio.to_thread.run_sync(self._sign)
        rest = self._publish_at - self._clock.monotonic()
        if sign == self._published and rest > 0:
            return rest
        done = await anyio.to_thread.run_sync(publish, self._board, self._paths, self._clock)
        self._published = None if done.again_in else sign
        self._publish_at = self._clock.monotonic() + SWEEP_SECONDS
        if done.waits and not self._waits:
            _log.warning("emergency.md holds an emergency, and no run is open: the next one takes it in")
        self._waits = done.waits
        return done.again_in or SWEEP_SECONDS

    async def deadlines(self) -> float:
        """Close the rounds that are due; every change does that first, so this one does nothing else."""
        due = await anyio.to_thread.run_sync(self._next_deadline)
        left = SWEEP_SECONDS if due is None else due - self._clock.now().timestamp()
        if left > 0:
            return min(left, SWEEP_SECONDS)
        await anyio.to_thread.run_sync(self._change, _nothing)
        return SETTLE_SECONDS

    async def guards(self) -> float:
        def look() -> None:
            machine = self._machine()
            self._change(lambda draft: sweep(draft, machine))

        await anyio.to_thread.run_sync(look)
        return SWEEP_SECONDS

    async def alerts(self, ear: Ear) -> None:
        """Take alerts to the webhook and to the desktop: one process of a machine at a time."""

        def secret() -> Key | None:
            return webhook_secret(self._alerts, self._environ, self._paths.keys)

        async with turn(self._paths.memory / COURIER_LOCK, self._clock), open_http(self._environ) as http:
            webhook = Webhook(http, self._alerts, self._clock, secret)
            desktop = Desktop(self._environ, self._clock, enabled=self._alerts.desktop)
            courier = Courier(self._board, self._clock, (webhook, desktop), max_wait=self._alerts.max_wait)
            await courier.run(lambda: ear.hear(SWEEP_SECONDS))

    def _sign(self) -> Sign:
        """What changes when there is something to publish: the journal's end, and emergency.md."""
        try:
            with self._board.reading() as (head, _):
                end = head.run, head.seq
        except NotFound:
            end = None
        try:
            found = (self._paths.memory / emergency_file.PLACE).stat()
        except OSError:
            return end, None
        return end, (found.st_ino, found.st_size, found.st_mtime_ns)

    def _next_deadline(self) -> float | None:
        try:
            with self._board.reading() as (head, stored):
                proposals = [] if head.ended is not None else stored.all(Proposal, open_only=True)
        except NotFound:
            return None
        return min((each.deadline for each in proposals if each.status == "voting"), default=None)

    def _change(self, work: Callable[[Draft], None]) -> None:
        """Change the open run, if there is one. What `work` does not record is not written."""

        def decide(draft: Draft) -> Run:
            work(draft)
            return draft.run

        try:
            self._board.change(decide, actor=SYSTEM)
        except NotFound:
            return


def _nothing(_draft: Draft) -> None:
    """What is due is settled before each change."""
