"""Boards for tests: in a database of its own, with a run open."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from clawswarm.clock import Clock
from clawswarm.config.team import TeamRules
from clawswarm.store.board import Head
from clawswarm.store.connect import open_store
from clawswarm.team.board import Board, Reaction
from clawswarm.team.documents import Replayed
from clawswarm.team.draft import Draft
from clawswarm.team.runs import open_run
from clawswarm.types.board import Run
from clawswarm.types.team import HUMAN, Document, Role

D = TypeVar("D", bound=Document)


def opening(rules: TeamRules | None = None) -> Callable[[Draft], Run]:
    """Opens the run "r1"."""
    return lambda draft: open_run(draft, run_id="r1", goal="Build it", rules=rules or TeamRules())


@contextmanager
def open_board(
    folder: Path,
    clock: Clock,
    rules: TeamRules | None = None,
    *,
    settle: Sequence[Reaction] = (),
    react: Sequence[Reaction] = (),
) -> Generator[Board]:
    """A board on SQLite with the run "r1" open."""
    with open_store(folder / "swarm.db") as store:
        board = Board(store, clock, settle=settle, react=react)
        board.begin("r1", opening(rules), actor=HUMAN)
        yield board


class Bench:
    """A board in memory, without a database: for rules of operations.

    Attributes:
        now: the time of the next change; a test moves it.
    """

    def __init__(
        self,
        rules: TeamRules | None = None,
        *,
        settle: Sequence[Reaction] = (),
        react: Sequence[Reaction] = (),
    ) -> None:
        self.now = 1_700_000_000.0
        self.board = Replayed()
        self.seq = 0
        self._settle, self._react = settle, react
        self.did(
            HUMAN, lambda draft: open_run(draft, run_id="r1", goal="Build it", rules=rules or TeamRules())
        )

    def did(self, actor: str | Role, decide: Callable[[Draft], D]) -> D:
        """Decide and keep it; what raises leaves the board as it was."""
        draft = Draft(self.board, Head("r1", self.seq, self.now, None), actor=str(actor), now=self.now)
        if self.seq:
            for reaction in self._settle:
                reaction(draft)
        value = decide(draft)
        for reaction in self._react:
            reaction(draft)
        for event in draft.events:
            self.board.apply(event)
        self.seq += len(draft.events)
        return self.board.get(type(value), value.id) or value
