"""A home with a board and its files, for tests of what is written beside the board."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from clawswarm.clock import Clock
from clawswarm.config.paths import Paths
from clawswarm.config.team import TeamRules
from clawswarm.store.connect import open_store
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.emergency_text import sealed
from clawswarm.team.overview import collect
from clawswarm.team.publish import Published, publish
from clawswarm.team.runs import end, open_run
from clawswarm.team.team import board_of
from clawswarm.team.views import VIEWS
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.board import Run
from clawswarm.types.journal import Event
from clawswarm.types.team import HUMAN, Channel, Document

D = TypeVar("D", bound=Document)

EMERGENCY = "emergency.md"


def paths_of(home: Path) -> Paths:
    return Paths(
        config=home / "config.yaml", keys=home / "keys", memory=home / "memory", alerts=home / "alerts"
    )


@dataclass
class Home:
    """One user's files, and the board."""

    board: Board
    paths: Paths
    clock: Clock

    @property
    def memory(self) -> Path:
        return self.paths.memory

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    def open(self, run: str = "r1", *, channels: Sequence[Channel] = ("file",)) -> None:
        def opening(draft: Draft) -> Run:
            return open_run(draft, run_id=run, goal="Build it", rules=TeamRules(), channels=channels)

        self.board.begin(run, opening, actor=HUMAN)

    def end(self) -> None:
        self.did(HUMAN, lambda draft: end(draft, reason="enough"))

    def did(self, actor: str, decide: Callable[[Draft], D]) -> D:
        return self.board.change(decide, actor=actor).value

    def emergency(self, level: int = 3, text: str = "the disk is on fire") -> Emergency:
        return self.did(HUMAN, lambda draft: raise_emergency(draft, level=level, text=text))

    def publish(self) -> Published:
        return publish(self.board, self.paths, self.clock)

    def views(self) -> dict[str, bytes]:
        """What the views have to hold, as the board is now."""
        with self.board.reading() as (head, stored):
            overview = collect(stored, head.run, now=self.now)
        shown = {name: render(overview) for name, render in VIEWS.items()}
        return {name: sealed(text) if name == EMERGENCY else text.encode() for name, text in shown.items()}

    def found(self) -> dict[str, bytes]:
        return {name: (self.memory / name).read_bytes() for name in VIEWS if (self.memory / name).exists()}

    def write_emergency(self, text: str | bytes, *, age: float = 60.0) -> Path:
        """As an editor does: a new file in the place of the old one, last written `age` seconds ago."""
        file, beside = self.memory / EMERGENCY, self.memory / "editor.tmp"
        beside.write_bytes(text.encode() if isinstance(text, str) else text)
        aged(beside, self.now - age)
        beside.replace(file)
        return file

    def kept(self) -> list[bytes]:
        """What was kept of files written by hand."""
        folder = self.memory / "emergencies"
        return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.exists() else []

    def emergencies(self, *, open_only: bool = False) -> list[Emergency]:
        with self.board.reading() as (_, stored):
            return stored.all(Emergency, open_only=open_only)

    def alerts(self) -> list[Alert]:
        with self.board.reading() as (_, stored):
            return stored.all(Alert)

    def events(self, *kinds: str) -> list[Event]:
        return self.board.journal(kinds=kinds)


def aged(path: Path, changed: float) -> None:
    """Let a file look as if it had last been written then."""
    os.utime(path, (changed, changed))


@contextmanager
def open_home(home: Path, clock: Clock, *, run: str | None = "r1") -> Generator[Home]:
    """A home; with `run` a run is open."""
    paths = paths_of(home)
    with open_store(paths.database) as store:
        place = Home(board_of(store, clock), paths, clock)
        if run is not None:
            place.open(run)
        yield place
