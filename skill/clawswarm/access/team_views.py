"""What a board shows to those who only look: views, pages, where a vote stands, what an agent is to do."""

from clawswarm.access.team_names import actor_of
from clawswarm.clock import Clock
from clawswarm.errors import InputError, NotFound
from clawswarm.team.board import Board
from clawswarm.team.draft import role_of
from clawswarm.team.overview import collect
from clawswarm.team.standing import directive, standing
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.team.views import VIEWS
from clawswarm.team.voting import standing_of
from clawswarm.types.board import Delivery, Run
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.team import HUMAN, Directive, Role


class TeamViews:
    """The open run, or the newest, read at one moment. Methods block: call them from a thread.

    Every method raises NotFound before the first run.
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock

    def directive(self, by: str) -> tuple[Directive, str]:
        """Whether `by` goes on, pauses or stops, and why; for a human that of the team as a whole."""
        actor = actor_of(by)
        with self._board.reading() as (head, documents):
            run = documents.get(Run, head.run)
            if run is None:
                raise NotFound(f"there is no run {head.run!r}")
            return directive(standing(documents, run), None if actor == HUMAN else Role(actor))

    def markdown(self, view: str) -> str:
        """One of the views that lie in the memory directory, by the name of its file."""
        with self._board.reading() as (head, documents):
            return VIEWS[view](collect(documents, head.run, now=self._now()))

    def all_markdown(self) -> dict[str, str]:
        """All of them, as they are at one moment."""
        with self._board.reading() as (head, documents):
            overview = collect(documents, head.run, now=self._now())
        return {name: render(overview) for name, render in VIEWS.items()}

    def checkpoint(self, id_: str) -> str:
        """The page of a checkpoint."""
        with self._board.reading() as (_, documents):
            found = documents.get(Checkpoint, id_)
            if found is None:
                there = ", ".join(each.id for each in documents.all(Checkpoint, newest=20))
                hint = f"there are: {there}" if there else "none was taken yet"
                raise NotFound(f"there is no checkpoint {id_[:40]!r}", hint=hint)
        return checkpoint_page(found)

    def checkpoints(self) -> list[str]:
        """The ids of the checkpoints, the newest last."""
        with self._board.reading() as (_, documents):
            return [each.id for each in documents.all(Checkpoint)]

    def proposal(self, id_: str | None) -> tuple[Proposal, str]:
        """A proposal (None: the only one that is open) and where its vote stands, in words.

        Raises:
            InputError: none was named, and there is not exactly one that is open.
        """
        with self._board.reading() as (_, documents):
            waiting = documents.all(Proposal, open_only=True)
            if id_ is None and len(waiting) == 1:
                found = waiting[0]
            elif id_ is None:
                names = ", ".join(each.id for each in waiting)
                raise InputError(
                    "which proposal is meant?", hint=f"open ones: {names}" if names else "none is open"
                )
            elif (found := documents.get(Proposal, id_)) is None:
                there = ", ".join(each.id for each in waiting)
                hint = f"open ones: {there}" if there else "no proposal is open"
                raise NotFound(f"there is no proposal {id_[:40]!r}", hint=hint)
        return found, standing_of(found, self._now())

    def unread(self, role: str) -> int:
        """How many messages the agent has not acknowledged."""
        with self._board.reading() as (_, documents):
            return documents.count(Delivery, open_only=True, prefix=f"{role_of(role).value}/")

    def _now(self) -> float:
        return self._clock.now().timestamp()
