"""Checkpoints: the guide's agenda with the board as it was then, and the way back to it (guide, section 3).

What is restored: the agents, their tasks, the proposals, trust, and the phase. What has happened stays: the
journal, messages, findings, emergencies with their alerts, what was spent, and who was restarted how often.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, get_args

from clawswarm.errors import InputError, NotFound
from clawswarm.team.agents import alive
from clawswarm.team.documents import as_json, of_python
from clawswarm.team.draft import Draft
from clawswarm.team.permits import check
from clawswarm.team.texts import clean, line, said
from clawswarm.types.board import Agent, Run, Task, TrustChange
from clawswarm.types.meetings import Checkpoint, Proposal, Snapshot
from clawswarm.types.team import CheckpointDecision, Document, Phase, Role

D = TypeVar("D", bound=Document)

KEPT: tuple[type[Document], ...] = (Agent, Task, Proposal, TrustChange)
"""What a snapshot holds beside the run, all of it; what was made later goes when it is restored."""

MOST_TEXT = 10_000
MOST_LINE = 300
MOST_BLOCKERS = 50
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


def take(
    draft: Draft,
    *,
    trigger: str,
    summary: str,
    sentences: Mapping[Role, str],
    blockers: Sequence[str] = (),
    decision: CheckpointDecision = "continue",
    next_trigger: str = "",
    commit: str | None = None,
) -> Checkpoint:
    """Write down how the run stands, together with the board.

    Args:
        trigger: which milestone was reached.
        sentences: what each agent reports; of who is not named it is the last one on the board, if any.
        commit: the workspace's commit that belongs to it.

    Raises:
        InputError: somebody else than the Director, the Scribe, a human or the system; or a text is too long.
    """
    check(draft, "take a checkpoint", Role.SCRIBE)
    if decision not in get_args(CheckpointDecision):
        raise InputError(
            f"there is no decision {said(decision, 40)!r}",
            hint=f"it is one of: {', '.join(get_args(CheckpointDecision))}",
        )
    if len(blockers) > MOST_BLOCKERS:
        raise InputError(f"there are {len(blockers)} blockers; at most {MOST_BLOCKERS} are allowed")
    run = draft.run
    checkpoint = Checkpoint(
        id=f"c{draft.next_seq}",
        at=draft.now,
        by=draft.actor,
        seq=draft.next_seq - 1,
        phase=run.phase,
        trigger=line("the trigger", trigger, MOST_LINE, required=True),
        summary=clean("the summary", summary, MOST_TEXT, required=True),
        sentences=_sentences(draft, sentences),
        blockers=tuple(line("a blocker", blocker, MOST_LINE, required=True) for blocker in blockers),
        decision=decision,
        next_trigger=line("the next trigger", next_trigger, MOST_LINE),
        commit=_commit(commit),
    )
    noted = replace(run, last_checkpoint=checkpoint.id, next_trigger=checkpoint.next_trigger)
    documents = [noted, *(document for kind in KEPT for document in draft.all(kind))]
    bodies: dict[str, dict[str, object]] = {kind.KIND: {} for kind in (Run, *KEPT)}
    for document in documents:
        bodies[document.KIND][document.id] = as_json(document)
    draft.record(
        "checkpoint_taken",
        checkpoint.id,
        f"checkpoint in {run.phase}, {decision}: {said(checkpoint.trigger)}",
        checkpoint,
        Snapshot(id=checkpoint.id, documents=bodies),
        noted,
        *alive(draft),
        facts={"decision": decision, "phase": run.phase.value, "seq": checkpoint.seq, "commit": commit},
    )
    return checkpoint


def restore(draft: Draft, *, checkpoint: str, reason: str) -> Checkpoint:
    """Put the board back to a checkpoint. What was running then is to be begun anew.

    A phase has lasted, and a round of a vote stays open, as long as it had or would have then. Reviews are
    never counted back: their findings stay, and a review that is taken up again is a round of its own.

    Raises:
        NotFound: there is no such checkpoint.
        InputError: somebody else than the Director, a human or the system.
    """
    check(draft, "restore a checkpoint")
    found = draft.get(Checkpoint, checkpoint)
    if found is None:
        there = ", ".join(each.id for each in draft.all(Checkpoint, newest=20))
        raise NotFound(
            f"there is no checkpoint {said(checkpoint, 60)!r}",
            hint=f"there are: {there}" if there else "none was taken yet",
        )
    why = clean("the reason", reason, MOST_TEXT, required=True)
    snapshot = draft.need(Snapshot, found.id)
    later = draft.now - found.at
    then: list[Document] = [
        _run(draft.run, _of(snapshot, Run)[0], found, later),
        *alive(draft, *(_agent(agent, draft.agent(agent.role)) for agent in _of(snapshot, Agent))),
        *(_task(task) for task in _of(snapshot, Task)),
        *(_proposal(proposal, later) for proposal in _of(snapshot, Proposal)),
        *_of(snapshot, TrustChange),
    ]
    changed = [document for document in then if draft.get(type(document), document.id) != document]
    held = {(document.KIND, document.id) for document in then}
    made_since = [
        document for kind in KEPT for document in draft.all(kind) if (kind.KIND, document.id) not in held
    ]
    draft.record(
        "checkpoint_restored",
        found.id,
        f"the board is put back to {found.id} (event {found.seq}): {said(why)}",
        *changed,
        drops=made_since,
        facts={"seq": found.seq, "reason": why, "dropped": [f"{d.KIND} {d.id}" for d in made_since]},
    )
    return found


def _run(now: Run, then: Run, checkpoint: Checkpoint, later: float) -> Run:
    again = then.phase is Phase.REVIEW
    return replace(
        now,
        phase=then.phase,
        since=then.since + later,
        round=now.round + again,
        last_checkpoint=checkpoint.id,
        next_trigger=then.next_trigger,
    )


def _agent(then: Agent, now: Agent) -> Agent:
    """As it was, but for what has happened to it: its lives, and when it was seen. Nothing runs any more."""
    agent = replace(then, life=now.life, seen=now.seen)
    return replace(agent, status="idle", task="") if agent.status == "working" else agent


def _task(then: Task) -> Task:
    return replace(then, status="pending", since=None) if then.status == "running" else then


def _proposal(then: Proposal, later: float) -> Proposal:
    return replace(then, deadline=then.deadline + later) if then.open else then


def _of(snapshot: Snapshot, kind: type[D]) -> list[D]:
    return [of_python(kind, body) for body in snapshot.documents[kind.KIND].values()]


def _sentences(draft: Draft, given: Mapping[Role, str]) -> dict[Role, str]:
    """One sentence an agent, in the order of the roles."""
    found: dict[Role, str] = {}
    for role in Role:
        sentence = line(f"the sentence of {role}", given.get(role, ""), MOST_LINE)
        if sentence := sentence or said(draft.agent(role).sentence, MOST_LINE):
            found[role] = sentence
    return found


def _commit(commit: str | None) -> str | None:
    if commit is None or _COMMIT.fullmatch(commit):
        return commit
    raise InputError(
        f"{said(commit, 80)!r} is no commit", hint="7 to 64 hexadecimal digits, as git shows them"
    )
