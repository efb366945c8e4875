"""A run with 100,000 events behind it: reading it at one moment and rendering the four views.

The run is written once; each round reads and renders anew, as happens after every change of a board.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.report import Line, Row, command, say
from clawswarm.clock import SystemClock
from clawswarm.config.team import TeamRules
from clawswarm.store.connect import open_store
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.team.overview import collect
from clawswarm.team.runs import open_run
from clawswarm.team.views import VIEWS
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Agent, Delivery, Evidence, Message, Run, Task
from clawswarm.types.meetings import Decision, Proposal, Round, Vote
from clawswarm.types.team import HUMAN, SYSTEM, Level, MessageType, Priority, Role

EVENTS = 100_000
IN_ONE = 5_000
RUNS = 20
TARGET = 100
"""Milliseconds."""

MESSAGES = 40_000
TASKS = 4_000
PROPOSALS = 1_000
EMERGENCIES = 100
OPEN = 20
"""Of so many messages, tasks, proposals and emergencies one still waits."""

ROLES = tuple(Role)
TEXT = "The login handler keeps its session in src/auth/session_store.py: 3 of 4 tests pass, see *the log*. "

Step = Callable[[Draft], object]


def measure(runs: int) -> Row:
    """Milliseconds of each round; the first one, in which the process gets ready to read, is apart."""
    reading: list[float] = []
    rendering: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder,
        open_store(Path(folder) / "swarm.db") as store,
    ):
        board = Board(store, SystemClock())
        say(f"writing a run of {EVENTS:,} events")
        _write(board)
        say(f"{runs} rounds")
        for _ in range(runs + 1):
            started = time.perf_counter()
            with board.reading() as (head, documents):
                overview = collect(documents, head.run, now=head.at)
            read = time.perf_counter()
            for view in VIEWS.values():
                view(overview)
            reading.append((read - started) * 1000)
            rendering.append((time.perf_counter() - read) * 1000)
    whole = [a + b for a, b in zip(reading, rendering, strict=True)]
    return Row(
        "team_views",
        f"Views of a run with {EVENTS:,} events",
        (
            Line("team views", "read and render, ms", tuple(whole[1:]), TARGET, digits=1),
            Line("", "read, ms", tuple(reading[1:]), digits=1),
            Line("", "render, ms", tuple(rendering[1:]), digits=1),
            Line("", "first in a process, ms", tuple(whole[:1]), digits=1),
        ),
    )


def _write(board: Board) -> None:
    """The run, in changes of many events each."""
    board.begin("r1", _open, actor=HUMAN)
    steps = _history()
    behind = 1
    while behind < EVENTS:
        events = min(IN_ONE, EVENTS - behind)
        board.change(lambda draft, events=events: _take(draft, steps, events), actor=SYSTEM)
        behind += events


def _open(draft: Draft) -> Run:
    return open_run(draft, run_id="r1", goal=TEXT, rules=TeamRules())


def _take(draft: Draft, steps: Iterator[Step], events: int) -> Run:
    while len(draft.events) < events:
        next(steps)(draft)
    return draft.run


def _history() -> Iterator[Step]:
    """One event a step: of each kind its share, evenly mixed; the rest are calls."""
    kinds = [
        (MESSAGES, _messages()), (2 * TASKS, _tasks()), (10 * PROPOSALS, _proposals()),
        (2 * EMERGENCIES, _emergencies()),
    ]  # fmt: skip
    made = [0] * len(kinds)
    for number in range(1, EVENTS):
        behind = (at for at, (share, _) in enumerate(kinds) if made[at] < number * share // EVENTS)
        at = next(behind, None)
        if at is None:
            yield _call(ROLES[number % len(ROLES)])
        else:
            made[at] += 1
            yield next(kinds[at][1])


def _call(role: Role) -> Step:
    return lambda draft: draft.record(
        "call_made",
        role,
        "calls a tool",
        Agent(role=role, status="working", task=TEXT, trust=7, seen=draft.now),
    )


def _messages() -> Iterator[Step]:
    for number in range(1, MESSAGES + 1):
        yield lambda draft, number=number: _message(draft, number)


def _message(draft: Draft, number: int) -> None:
    id_, sender, to = f"m{draft.next_seq}", ROLES[number % 7], ROLES[(number + 1) % 7]
    read = None if number % OPEN == 0 else draft.now
    to_all = tuple(dict.fromkeys((to, Role.SCRIBE)))
    message = Message(
        id=id_, sender=sender, to=to, recipients=to_all, type=MessageType.STATUS, priority=Priority.NORMAL,
        at=draft.now, content=TEXT * 5, context=TEXT,
    )  # fmt: skip
    deliveries = [
        Delivery(role=role, rank=2, number=draft.next_seq, message=id_, acknowledged=read) for role in to_all
    ]
    draft.record("message_sent", id_, TEXT, message, *deliveries)


def _tasks() -> Iterator[Step]:
    proof = (
        Evidence(kind="command", ref="pytest -q tests/auth", exit_code=0),
        Evidence(kind="file", ref="src/auth.py"),
    )
    for number in range(TASKS):
        task = Task(
            id=f"task-{number:05}", title=TEXT, role=ROLES[number % 7], needs=(f"task-{number - 1:05}",)
        )
        yield lambda draft, task=task: draft.record("task_added", task.id, TEXT, task)
        ended = task if number % OPEN == 0 else replace(task, status="done", attempts=1, evidence=proof)
        yield lambda draft, ended=ended: draft.record("task_moved", ended.id, TEXT, ended)


def _proposals() -> Iterator[Step]:
    """Opened, voted on by seven, its round closed, decided."""
    for number in range(PROPOSALS):
        proposal = Proposal(
            id=f"p{number}", topic=TEXT, options=("REST", "GraphQL"), electorate=ROLES, by="architect",
            opened=number, deadline=number + 600, round_seconds=600,
        )  # fmt: skip
        votes = tuple(
            Vote(role=role, option="GraphQL" if role is Role.SCOUT else "REST", reason=TEXT * 2, at=number)
            for role in ROLES
        )
        closed = replace(
            proposal,
            rounds=(Round(number=1, votes=votes, closed=number, outcome="supermajority", reason=TEXT),),
        )
        yield lambda draft, left=proposal: draft.record("proposal_opened", left.id, TEXT, left)
        for cast in range(1, len(votes) + 1):
            voted = replace(proposal, votes={vote.role: vote for vote in votes[:cast]})
            yield lambda draft, left=voted: draft.record("vote_cast", left.id, TEXT, left)
        yield lambda draft, left=closed: draft.record("round_closed", left.id, TEXT, left)
        decision = Decision(
            option="REST", how="supermajority", by=SYSTEM, reason=TEXT, at=number,
            dissent=tuple(vote for vote in votes if vote.option != "REST"),
        )  # fmt: skip
        decided = closed if number % OPEN == 0 else replace(closed, status="decided", decision=decision)
        yield lambda draft, left=decided: draft.record("proposal_decided", left.id, TEXT, left)


def _emergencies() -> Iterator[Step]:
    for number in range(EMERGENCIES):
        raised = Emergency(
            id=f"e{number}", level=Level.COORDINATION, cause="conflict", key=str(number), text=TEXT * 5,
            by=SYSTEM, at=number, saw={"against": 0.5, "threshold": 0.4},
        )  # fmt: skip
        yield lambda draft, left=raised: draft.record("emergency_raised", left.id, TEXT, left)
        ended = replace(raised, status="resolved", resolution=TEXT, resolved_by="director", resolved=number)
        ended = raised if number % OPEN == 0 else ended
        yield lambda draft, left=ended: draft.record("emergency_resolved", left.id, TEXT, left)


if __name__ == "__main__":
    command(measure, runs=RUNS)
