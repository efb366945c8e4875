"""Votes for tests: a question is asked, and each agent votes for itself."""

from collections.abc import Sequence

from clawswarm.config.team import TeamRules
from clawswarm.team.draft import Draft
from clawswarm.team.voting import close_due, decide, propose, vote
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Evidence
from clawswarm.types.meetings import Decision, Proposal
from clawswarm.types.team import SYSTEM, Role
from tests.team.boards import Bench

TEST_RUN = Evidence(kind="command", ref="pytest", exit_code=0)


class Ballots:
    """A board with rounds that close on time, and votes on it."""

    def __init__(self, rules: TeamRules | None = None) -> None:
        self.bench = Bench(rules, settle=[close_due])

    def ask(
        self,
        *electorate: Role,
        options: Sequence[str] = ("REST", "GraphQL"),
        by: str = Role.ARCHITECT,
        minutes: float | None = None,
        needs_evidence: bool = False,
        irreversible: bool = False,
    ) -> Proposal:
        def proposing(draft: Draft) -> Proposal:
            return propose(
                draft,
                topic="Which API?",
                options=options,
                electorate=electorate,
                minutes=minutes,
                needs_evidence=needs_evidence,
                irreversible=irreversible,
            )

        return self.bench.did(by, proposing)

    def vote(
        self,
        proposal: Proposal,
        role: Role,
        option: str | None,
        *,
        by: str | None = None,
        reason: str = "",
        evidence: Sequence[Evidence] = (),
    ) -> Proposal:
        def voting(draft: Draft) -> Proposal:
            return vote(
                draft, proposal=proposal.id, role=role, option=option, reason=reason, evidence=evidence
            )

        return self.bench.did(by or role, voting)

    def round(self, proposal: Proposal, options: Sequence[str | None]) -> Proposal:
        """The electorate votes, one after the other."""
        for role, option in zip(proposal.electorate, options, strict=True):
            proposal = self.vote(proposal, role, option, reason=f"{role} thinks so")
        return proposal

    def decide(self, proposal: Proposal, option: str, *, by: str = Role.DIRECTOR) -> Proposal:
        return self.bench.did(
            by, lambda draft: decide(draft, proposal=proposal.id, option=option, reason="we need to go on")
        )

    def wait(self, seconds: float) -> None:
        """Time passes, and somebody looks at what is due."""
        self.bench.now += seconds
        self.bench.did(SYSTEM, lambda draft: draft.run)

    def now(self, proposal: Proposal) -> Proposal:
        found = self.bench.board.get(Proposal, proposal.id)
        assert found is not None
        return found

    def decision(self, proposal: Proposal) -> Decision:
        decision = self.now(proposal).decision
        assert decision is not None
        return decision

    def emergencies(self) -> list[Emergency]:
        return self.bench.board.all(Emergency, open_only=True)
