"""What a board looks like, with documents put on it as a test wants them."""

from clawswarm.team.draft import Draft
from clawswarm.team.overview import Overview, collect
from clawswarm.types.board import Run
from clawswarm.types.meetings import Decision, Proposal, Vote
from clawswarm.types.team import SYSTEM, Document, Role
from tests.team.boards import Bench


def look(bench: Bench) -> Overview:
    return collect(bench.board, "r1", now=bench.now)


def write(bench: Bench, *documents: Document) -> None:
    """Put documents on the board as they are, whatever the operations would say to them."""

    def put(draft: Draft) -> Run:
        draft.record("run_opened", "r1", "as it is", *documents)
        return draft.run

    bench.did(SYSTEM, put)


def decided(id_: str, *, at: float, text: str = "fine") -> Proposal:
    against = Vote(role=Role.SCOUT, option=text, reason=text, at=at)
    decision = Decision(option=text, how="forced", by="director", reason=text, at=at, dissent=(against,))
    return Proposal(
        id=id_, topic=text, options=(text, "other"), electorate=tuple(Role), by="architect", opened=at,
        deadline=at, round_seconds=1, status="decided", decision=decision,
    )  # fmt: skip
