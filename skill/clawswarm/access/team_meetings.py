"""What a team decides together. See `team_changes` for `by` and `key`."""

from collections.abc import Mapping, Sequence

from clawswarm.access.team_changes import Changes
from clawswarm.access.team_names import evidence_of, one_of, roles_of, sentences_of
from clawswarm.access.team_work import Proof
from clawswarm.team import checkpoints, reviews, trusting, voting
from clawswarm.team.board import Done
from clawswarm.team.draft import role_of
from clawswarm.types.board import Finding, TrustChange
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.team import CheckpointDecision, Severity


class TeamMeetings:
    """Votes, trust, reviews and checkpoints."""

    def __init__(self, change: Changes) -> None:
        self._change = change

    # Meetings

    def propose(
        self,
        by: str,
        *,
        topic: str,
        options: Sequence[str],
        electorate: Sequence[str] = (),
        minutes: float | None = None,
        needs_evidence: bool = False,
        irreversible: bool = False,
        waits_for: str = "",
        key: str | None = None,
    ) -> Done[Proposal]:
        return self._change(by, key, voting.propose)(
            topic=topic,
            options=options,
            electorate=roles_of(electorate),
            minutes=minutes,
            needs_evidence=needs_evidence,
            irreversible=irreversible,
            waits_for=waits_for,
        )

    def vote(
        self,
        by: str,
        *,
        proposal: str,
        role: str,
        option: str | None,
        reason: str = "",
        evidence: Proof = (),
        key: str | None = None,
    ) -> Done[Proposal]:
        return self._change(by, key, voting.vote)(
            proposal=proposal,
            role=role_of(role),
            option=option,
            reason=reason,
            evidence=evidence_of(evidence),
        )

    def decide(
        self, by: str, *, proposal: str, option: str, reason: str, key: str | None = None
    ) -> Done[Proposal]:
        return self._change(by, key, voting.decide)(proposal=proposal, option=option, reason=reason)

    def adjust_trust(
        self, by: str, *, role: str, delta: int, reason: str, evidence: str = "", key: str | None = None
    ) -> Done[TrustChange]:
        change = self._change(by, key, trusting.adjust)
        return change(role=role_of(role), delta=delta, reason=reason, evidence=evidence)

    def find(
        self,
        by: str,
        *,
        role: str,
        severity: str,
        text: str,
        task: str | None = None,
        contradicts: str | None = None,
        key: str | None = None,
    ) -> Done[Finding]:
        return self._change(by, key, reviews.find)(
            role=role_of(role),
            severity=one_of(Severity, severity, "severity"),
            text=text,
            task=task,
            contradicts=None if contradicts is None else role_of(contradicts),
        )

    def take_checkpoint(
        self,
        by: str,
        *,
        trigger: str,
        summary: str,
        sentences: Mapping[str, str],
        blockers: Sequence[str] = (),
        decision: CheckpointDecision = "continue",
        next_trigger: str = "",
        commit: str | None = None,
        key: str | None = None,
    ) -> Done[Checkpoint]:
        return self._change(by, key, checkpoints.take)(
            trigger=trigger,
            summary=summary,
            sentences=sentences_of(sentences),
            blockers=blockers,
            decision=decision,
            next_trigger=next_trigger,
            commit=commit,
        )

    def restore(self, by: str, *, checkpoint: str, reason: str, key: str | None = None) -> Done[Checkpoint]:
        return self._change(by, key, checkpoints.restore)(checkpoint=checkpoint, reason=reason)
