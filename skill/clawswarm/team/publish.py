"""Writes what is on the board into files: views, pages of checkpoints, alerts; and takes in emergency.md.

Any number of processes may do that at once: the state is read under the folder's lock, so that the last one
to write has the newest. A reader finds each file whole. What cannot be written is on the board all the same.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from clawswarm.clock import Clock, SystemClock
from clawswarm.config.paths import Paths
from clawswarm.errors import NotFound, StoreError
from clawswarm.store.connect import store_errors
from clawswarm.team import emergency_file
from clawswarm.team.alerts import file_alerts
from clawswarm.team.board import Board
from clawswarm.team.files import Folder, open_folder
from clawswarm.team.overview import collect
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.team.views import VIEWS
from clawswarm.types.alarms import Emergency
from clawswarm.types.meetings import Checkpoint

LOCK = ".publish.lock"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication came to.

    Attributes:
        written: files that changed, relative to the memory directory.
        raised: emergencies that somebody had written into emergency.md.
        again_in: seconds after which it is worth another look; None: nothing is known to change by itself.
        waits: emergency.md holds somebody's words, and no run is open to take them in.
    """

    written: tuple[str, ...] = ()
    raised: tuple[Emergency, ...] = ()
    again_in: float | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class _Shown:
    """One state of a run: its views, and its checkpoints by the names of their pages."""

    views: Mapping[str, str]
    checkpoints: Mapping[str, Checkpoint]


def publish(board: Board, paths: Paths, clock: Clock | None = None) -> Published:
    """Bring the files up to date. Blocks: call it from a thread.

    Raises:
        StoreError: something cannot be read or written; everything else was.
    """
    now = (clock or SystemClock()).now().timestamp()
    try:
        with store_errors(paths.database), open_folder(paths.memory) as memory, memory.locked(LOCK):
            return _Publication(board, memory, paths.alerts, now).whole()
    except StoreError:
        with suppress(StoreError):  # a human is called, whatever the memory directory is like
            file_alerts(board, paths.alerts)
        raise


def checkpoint_file(run: str, checkpoint: str) -> str:
    """The name of a checkpoint's page: each run counts its checkpoints from the beginning."""
    return f"{run}-{checkpoint}.md"


class _Publication:
    """One pass over all files, under the lock. A file that is in trouble does not keep the others from it."""

    def __init__(self, board: Board, memory: Folder, alerts: Path, now: float) -> None:
        self._board = board
        self._memory = memory
        self._alerts = alerts
        self._now = now
        self._written: list[str] = []
        self._troubles: list[StoreError] = []

    def whole(self) -> Published:
        shown = self._look()
        look, called = emergency_file.UNSEEN, list[str]()
        with self._apart():
            view = "" if shown is None else shown.views[emergency_file.PLACE]
            look = emergency_file.take_in(self._memory, self._board, view=view, now=self._now)
        with self._apart():
            called = file_alerts(self._board, self._alerts)
        if look.raised or called:
            shown = self._look()
        if shown is not None:
            self._write(shown, look)
        if self._written:
            self._memory.sync()
        if self._troubles:
            raise self._troubles[0]
        again_in = emergency_file.SETTLED_SECONDS if look.busy else None
        return Published(tuple(self._written), look.raised, again_in, look.waits)

    def _look(self) -> _Shown | None:
        """The open run, else the newest; None before the first."""
        try:
            with self._board.reading() as (head, stored):
                overview = collect(stored, head.run, now=self._now)
                checkpoints = {checkpoint_file(head.run, each.id): each for each in stored.all(Checkpoint)}
        except NotFound:
            return None
        return _Shown({name: render(overview) for name, render in VIEWS.items()}, checkpoints)

    def _write(self, shown: _Shown, look: emergency_file.Look) -> None:
        with self._apart():
            self._write_pages(shown.checkpoints)
        for name, view in shown.views.items():
            with self._apart():
                if name == emergency_file.PLACE:
                    changed = emergency_file.show(self._memory, view, look)
                else:
                    changed = self._memory.put(name, _bytes(view))
                if changed:
                    self._written.append(name)

    def _write_pages(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """A page is written once: what a checkpoint says does not change."""
        if not checkpoints:
            return
        with self._memory.below(CHECKPOINTS) as folder:
            missing = sorted(checkpoints.keys() - folder.names())
            for name in missing:
                if folder.create(name, _bytes(checkpoint_page(checkpoints[name]))):
                    self._written.append(f"{CHECKPOINTS}/{name}")
            if missing:
                folder.sync()

    @contextmanager
    def _apart(self) -> Generator[None]:
        """Trouble inside the block is told at the end."""
        try:
            with store_errors(self._memory.path / LOCK):
                yield
        except StoreError as error:
            self._troubles.append(error)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
