"""What a board shows to those who only look: views, pages, where a vote stands, what an agent is to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from clawswarm.access.team_names import actor_of
from clawswarm.clock import Clock
from clawswarm.errors import InputError, NotFound
from clawswarm.team.board import Board
from clawswarm.team.documents import Documents
from clawswarm.team.draft import role_of
from clawswarm.team.overview import collect
from clawswarm.team.standing import Standing, directive, standing
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.team.views import VIEWS
from clawswarm.team.voting import standing_of
from clawswarm.types.board import Agent, Delivery, Run, Task
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.team import HUMAN, Directive, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What an agent needs to see before each step, and no more: it is asked for often.

    Attributes:
        tasks, proposals: of those that are open, some; `all_tasks` and `all_proposals` count them.
        unread: messages in the inbox of who asks; None for a human.
    """

    run: Run
    standing: Standing
    agents: tuple[Agent, ...]
    tasks: tuple[Task, ...]
    all_tasks: int
    proposals: tuple[tuple[Proposal, str], ...]
    all_proposals: int
    unread: int | None
    directive: Directive
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal, where its vote stands, in words, and what who asks is to do."""

    proposal: Proposal
    stands: str
    directive: Directive
    reason: str


class TeamViews:
    """The open run, or the newest, read at one moment. Methods block: call them from a thread.

    Every method raises NotFound before the first run.
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock

    def directive(self, by: str) -> tuple[Directive, str]:
        """Whether `by` goes on, pauses or stops, and why; for a human that of the team as a whole."""
        role = _role(by)
        with self._board.reading() as (head, documents):
            return directive(standing(documents, _run(head.run, documents)), role)

    def glance(self, by: str, *, tasks: int, proposals: int) -> Glance:
        """The board at a glance, with that many tasks and proposals."""
        role, now = _role(by), self._now()
        with self._board.reading() as (head, documents):
            run = _run(head.run, documents)
            stands = standing(documents, run)
            agents = {agent.role: agent for agent in documents.all(Agent)}
            open_tasks = documents.all(Task, open_only=True, newest=tasks)
            waiting = documents.all(Proposal, open_only=True, newest=proposals)
            full = len(open_tasks) == tasks, len(waiting) == proposals
            prefix = None if role is None else f"{role.value}/"
            told, why = directive(stands, role)
            return Glance(
                run=run,
                standing=stands,
                agents=tuple(agents[each] for each in Role if each in agents),
                tasks=tuple(sorted(open_tasks, key=lambda task: (task.status != "running", task.id))),
                all_tasks=documents.count(Task, open_only=True) if full[0] else len(open_tasks),
                proposals=tuple((each, standing_of(each, now)) for each in waiting),
                all_proposals=documents.count(Proposal, open_only=True) if full[1] else len(waiting),
                unread=None if prefix is None else documents.count(Delivery, open_only=True, prefix=prefix),
                directive=told,
                reason=why,
            )

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

    def proposal(self, id_: str | None, by: str) -> Asked:
        """A proposal (None: the only one that is open), and what `by` is to do.

        Raises:
            InputError: none was named, and there is not exactly one that is open.
        """
        role = _role(by)
        with self._board.reading() as (head, documents):
            found = _only(documents) if id_ is None else _named(documents, id_)
            told, why = directive(standing(documents, _run(head.run, documents)), role)
        return Asked(found, standing_of(found, self._now()), told, why)

    def unread(self, role: str) -> int:
        """How many messages the agent has not acknowledged."""
        with self._board.reading() as (_, documents):
            return documents.count(Delivery, open_only=True, prefix=f"{role_of(role).value}/")

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _only(documents: Documents) -> Proposal:
    """The only proposal that is open."""
    waiting = documents.all(Proposal, open_only=True)
    if len(waiting) != 1:
        raise InputError("which proposal is meant?", hint=_names(waiting))
    return waiting[0]


def _named(documents: Documents, id_: str) -> Proposal:
    found = documents.get(Proposal, id_)
    if found is None:
        hint = _names(documents.all(Proposal, open_only=True))
        raise NotFound(f"there is no proposal {id_[:40]!r}", hint=hint)
    return found


def _names(proposals: Iterable[Proposal]) -> str:
    there = ", ".join(each.id for each in proposals)
    return f"open ones: {there}" if there else "none is open"


def _role(by: str) -> Role | None:
    """Who asks; None for a human, who is told about the team as a whole."""
    actor = actor_of(by)
    return None if actor == HUMAN else Role(actor)


def _run(id_: str, documents: Documents) -> Run:
    run = documents.get(Run, id_)
    if run is None:
        raise NotFound(f"there is no run {id_!r}", hint="see: swarm team log --runs")
    return run
