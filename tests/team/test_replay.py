"""The board is what its journal says: whatever is asked of it in whatever order, on a real database."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from clawswarm.errors import InputError, NotFound
from clawswarm.team import (
    agents,
    checkpoints,
    emergencies,
    guards,
    messages,
    reviews,
    runs,
    tasks,
    trusting,
    voting,
)
from clawswarm.team.board import Board
from clawswarm.team.documents import BY_KIND, KINDS, Replayed, as_json
from clawswarm.team.draft import Draft
from clawswarm.team.rules.guards import Machine
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Evidence, Message, Task
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.team import (
    HUMAN,
    SYSTEM,
    AgentStatus,
    CheckpointDecision,
    Document,
    MessageType,
    Phase,
    Priority,
    Role,
    Severity,
)
from tests.clock import FakeClock
from tests.team.boards import open_board

pytestmark = [
    pytest.mark.slow(reason="hundreds of changes on a real database, and the board read whole after each"),
    pytest.mark.timeout(120),
]

Operation = Callable[[Draft], Document]
Bodies = dict[tuple[str, str], dict[str, Any]]

roles = st.sampled_from(Role)
texts = st.sampled_from(
    ["because"] * 5 + ["# Heading\nFROM: Director", "é\ud800", "", "x" * 501, "\x00\u202e"]
)
"""Some are refused in some places."""
slugs = st.sampled_from(["a", "b", "c", "d", "No slug"])
evidence = st.lists(
    st.sampled_from(
        [
            Evidence(kind="file", ref="a.py"),
            Evidence(kind="command", ref="pytest", exit_code=0),
            Evidence(kind="command", ref="pytest", exit_code=1),
            Evidence(kind="text", ref="trust me"),
            Evidence(kind="url", ref="no url"),
        ]
    ),
    max_size=2,
)


PLAN = [
    tasks.NewTask(id="plan", title="Plan", role=Role.ARCHITECT),
    tasks.NewTask(id="code", title="Code", role=Role.BUILDER, needs=("plan",)),
    tasks.NewTask(id="test", title="Test", role=Role.INSPECTOR, needs=("code",)),
]


class Journaled(RuleBasedStateMachine):
    """A board, and beside it what was on it after each change."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.stack = ExitStack()
        self.board: Board = self.stack.enter_context(
            open_board(
                self.folder,
                self.clock,
                settle=(voting.close_due,),
                react=(trusting.alarm, *guards.REACTIONS),
            )
        )
        self.board.change(lambda draft: tasks.add_tasks(draft, tasks=PLAN), actor=HUMAN)
        self.board.change(
            lambda draft: checkpoints.take(draft, trigger="the plan", summary="three tasks", sentences={}),
            actor=HUMAN,
        )
        self.then: dict[int, Bodies] = dict([self.read()])
        self.keys = 0

    def teardown(self) -> None:
        try:
            self.every_prefix_of_the_journal_is_the_board_as_it_was()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    def read(self) -> tuple[int, Bodies]:
        """The journal's last number, and every document."""
        with self.board.reading("r1") as (head, documents):
            found = {(kind.KIND, d.id): as_json(d) for kind in KINDS for d in documents.all(kind)}
            return head.seq, found

    def ids(self, kind: type[Document]) -> list[str]:
        """Those on the board, and one that is not."""
        there = [id_ for of_kind, id_ in self.read()[1] if of_kind == kind.KIND]
        return [*there, *there, *there, "x1"]

    def one(self, data: st.DataObject, kind: type[Document]) -> str:
        return data.draw(st.sampled_from(self.ids(kind)), label=kind.KIND)

    def ask(self, data: st.DataObject, operation: Operation, *usual: str) -> None:
        """Ask for it as somebody, with a key or without. What is refused leaves no trace."""
        actor = data.draw(st.sampled_from([*usual * 6, *Role, HUMAN, SYSTEM]), label="actor")
        self.clock.advance(data.draw(st.sampled_from([0.0, 1.0, 61.0, 700.0]), label="seconds"))
        before = self.read()
        key, request = None, {"asked": self.keys}
        if data.draw(st.booleans(), label="keyed"):
            self.keys += 1
            key, request = f"k{self.keys}", {"asked": self.keys}
        try:
            done = self.board.change(operation, actor=actor, key=key, request=request)
        except (InputError, NotFound):
            assert self.read() == before
            return
        seq, bodies = self.read()
        assert [event.seq for event in done.events] == list(range(before[0] + 1, seq + 1))
        self.then[seq] = bodies
        if key is not None and done.events:
            self.asked_again(operation, actor, key, request, done.value)

    def asked_again(
        self, operation: Operation, actor: str, key: str, request: dict[str, int], value: Document
    ) -> None:
        """The same key changes nothing again, and returns the same; it is refused for anything else."""
        before = self.read()
        again = self.board.change(operation, actor=actor, key=key, request=request)
        assert again.again
        assert as_json(again.value) == as_json(value)
        with pytest.raises(InputError, match=f"the key '{key}' was used for another change"):
            self.board.change(operation, actor=actor, key=key, request={"asked": "something else"})
        assert self.read() == before

    # The run

    @rule(data=st.data(), to=st.sampled_from(Phase), reason=texts)
    def move_phase(self, data: st.DataObject, to: Phase, reason: str) -> None:
        self.ask(data, lambda d: runs.move_phase(d, to=to, reason=reason), "director", HUMAN)

    @rule(data=st.data(), what=st.sampled_from([runs.pause, runs.resume, runs.resume]), reason=texts)
    def hold(self, data: st.DataObject, what: Callable[..., Document], reason: str) -> None:
        self.ask(data, lambda d: what(d, reason=reason), "director")

    # Agents

    @rule(
        data=st.data(),
        role=roles,
        status=st.sampled_from([None, "working", "idle", "blocked", "asleep"]),
        sentence=texts,
    )
    def report(self, data: st.DataObject, role: Role, status: str | None, sentence: str) -> None:
        self.ask(
            data,
            lambda d: agents.report(
                d, role=role, status=cast("AgentStatus | None", status), sentence=sentence
            ),
            role,
        )

    @rule(data=st.data(), role=roles, error=texts, ok=st.booleans(), changed=st.booleans())
    def note_call(self, data: st.DataObject, role: Role, error: str, *, ok: bool, changed: bool) -> None:
        self.ask(
            data,
            lambda d: agents.note_call(
                d, role=role, tool="read", arguments="a", ok=ok, error=error, changed=changed
            ),
            role,
        )

    @rule(data=st.data(), role=roles, reason=texts)
    def restart(self, data: st.DataObject, role: Role, reason: str) -> None:
        self.ask(data, lambda d: agents.restart(d, role=role, reason=reason), "director")

    @rule(data=st.data(), role=roles, cost=st.sampled_from([None, 0, 10**12, -1]))
    def note_spend(self, data: st.DataObject, role: Role, cost: int | None) -> None:
        self.ask(
            data,
            lambda d: agents.note_spend(d, role=role, input_tokens=5, output_tokens=1, cost_pico=cost),
            role,
        )

    # Tasks

    @rule(data=st.data(), plan=st.dictionaries(slugs, st.lists(slugs, max_size=2), max_size=3), role=roles)
    def add_tasks(self, data: st.DataObject, plan: dict[str, list[str]], role: Role) -> None:
        new = [tasks.NewTask(id=i, title=i, role=role, needs=tuple(needs)) for i, needs in plan.items()]
        self.ask(data, lambda d: tasks.add_tasks(d, tasks=new), "director")

    @rule(data=st.data())
    def begin_task(self, data: st.DataObject) -> None:
        task = self.one(data, Task)
        self.ask(data, lambda d: tasks.begin_task(d, task=task), "director", HUMAN)

    @rule(data=st.data(), shown=evidence)
    def finish_task(self, data: st.DataObject, shown: list[Evidence]) -> None:
        task = self.one(data, Task)
        self.ask(data, lambda d: tasks.finish_task(d, task=task, evidence=shown), "director", HUMAN)

    @rule(data=st.data(), what=st.sampled_from([tasks.fail_task, tasks.park_task]), reason=texts)
    def drop_task(self, data: st.DataObject, what: Callable[..., Document], reason: str) -> None:
        task = self.one(data, Task)
        self.ask(data, lambda d: what(d, task=task, reason=reason), "director", HUMAN)

    @rule(data=st.data(), role=roles, reason=texts)
    def reassign(self, data: st.DataObject, role: Role, reason: str) -> None:
        task = self.one(data, Task)
        self.ask(data, lambda d: tasks.reassign(d, task=task, role=role, reason=reason), "director")

    # Messages

    @rule(
        data=st.data(),
        to=st.sampled_from([*Role, "ALL", "boss"]),
        type_=st.sampled_from(MessageType),
        priority=st.sampled_from(Priority),
        content=texts,
    )
    def send(
        self, data: st.DataObject, to: str, type_: MessageType, priority: Priority, content: str
    ) -> None:
        answers = data.draw(st.sampled_from([None, *self.ids(Message)]), label="answers")
        self.ask(
            data,
            lambda d: messages.send(
                d, to=to, type=type_, priority=priority, content=content, answers=answers
            ),
        )

    @rule(data=st.data(), role=st.sampled_from([Role.SCRIBE, Role.DIRECTOR, Role.SCOUT]))
    def acknowledge(self, data: st.DataObject, role: Role) -> None:
        which = data.draw(st.lists(st.sampled_from(self.ids(Message)), max_size=2), label="messages")
        self.ask(data, lambda d: messages.acknowledge(d, role=role, messages=which), role)

    # Votes, trust, reviews

    @rule(
        data=st.data(),
        topic=texts,
        electorate=st.lists(roles, max_size=3),
        minutes=st.sampled_from([None, 0, 1, 30]),
        irreversible=st.booleans(),
    )
    def propose(
        self,
        data: st.DataObject,
        topic: str,
        electorate: list[Role],
        minutes: float | None,
        *,
        irreversible: bool,
    ) -> None:
        self.ask(
            data,
            lambda d: voting.propose(
                d,
                topic=topic,
                options=["yes", "no"],
                electorate=electorate,
                minutes=minutes,
                irreversible=irreversible,
            ),
        )

    @rule(data=st.data(), role=roles, option=st.sampled_from([None, "yes", "no", "maybe"]), reason=texts)
    def vote(self, data: st.DataObject, role: Role, option: str | None, reason: str) -> None:
        proposal = self.one(data, Proposal)
        self.ask(
            data,
            lambda d: voting.vote(d, proposal=proposal, role=role, option=option, reason=reason),
            role,
            HUMAN,
        )

    @rule(data=st.data(), option=st.sampled_from(["yes", "no", "maybe"]), reason=texts)
    def decide(self, data: st.DataObject, option: str, reason: str) -> None:
        proposal = self.one(data, Proposal)
        self.ask(
            data, lambda d: voting.decide(d, proposal=proposal, option=option, reason=reason), "director"
        )

    @rule(data=st.data(), role=roles, delta=st.integers(-6, 6), reason=texts)
    def adjust_trust(self, data: st.DataObject, role: Role, delta: int, reason: str) -> None:
        self.ask(data, lambda d: trusting.adjust(d, role=role, delta=delta, reason=reason), "director", HUMAN)

    @rule(data=st.data(), role=roles, severity=st.sampled_from(Severity), text=texts, other=st.none() | roles)
    def find(
        self, data: st.DataObject, role: Role, severity: Severity, text: str, other: Role | None
    ) -> None:
        self.ask(
            data,
            lambda d: reviews.find(d, role=role, severity=severity, text=text, contradicts=other),
            role,
        )

    # Emergencies

    @rule(data=st.data(), level=st.integers(-1, 9), text=texts)
    def raise_emergency(self, data: st.DataObject, level: int, text: str) -> None:
        self.ask(data, lambda d: emergencies.raise_emergency(d, level=level, text=text))

    @rule(data=st.data(), what=texts)
    def attempt(self, data: st.DataObject, what: str) -> None:
        which = self.one(data, Emergency)
        self.ask(data, lambda d: emergencies.attempt(d, emergency=which, what=what), "director", HUMAN)

    @rule(data=st.data(), how=st.sampled_from([emergencies.failed, emergencies.resolve]), reason=texts)
    def settle(self, data: st.DataObject, how: Callable[..., Document], reason: str) -> None:
        which = self.one(data, Emergency)
        self.ask(data, lambda d: how(d, emergency=which, reason=reason), "director", HUMAN)

    @rule(data=st.data(), memory=st.sampled_from([None, 50.0, 95.0]))
    def sweep(self, data: st.DataObject, memory: float | None) -> None:
        def sweeping(draft: Draft) -> Document:
            guards.sweep(draft, Machine(memory_percent=memory))
            return draft.run

        self.ask(data, sweeping, SYSTEM)

    # Checkpoints

    @rule(
        data=st.data(),
        trigger=texts,
        sentences=st.dictionaries(roles, texts, max_size=2),
        decision=st.sampled_from(["continue", "escalate", "wait"]),
    )
    def take_checkpoint(
        self, data: st.DataObject, trigger: str, sentences: dict[Role, str], decision: str
    ) -> None:
        self.ask(
            data,
            lambda d: checkpoints.take(
                d,
                trigger=trigger,
                summary="as it is",
                sentences=sentences,
                decision=cast("CheckpointDecision", decision),
            ),
            "scribe",
        )

    @rule(data=st.data(), reason=texts)
    def restore(self, data: st.DataObject, reason: str) -> None:
        which = self.one(data, Checkpoint)
        self.ask(data, lambda d: checkpoints.restore(d, checkpoint=which, reason=reason), "director", HUMAN)

    # What always holds

    @invariant()
    def the_board_is_its_journal(self) -> None:
        seq, bodies = self.read()
        events = self.board.journal("r1")
        assert [event.seq for event in events] == list(range(1, seq + 1))
        assert Replayed(events).bodies() == bodies

    def every_prefix_of_the_journal_is_the_board_as_it_was(self) -> None:
        events = self.board.journal("r1")
        assert [event.at for event in events] == sorted(event.at for event in events)
        for seq in range(1, len(events) + 1):
            replayed = Replayed(events[:seq])
            for kind, id_ in replayed.bodies():
                assert replayed.get(BY_KIND[kind], id_) is not None
            if seq in self.then:
                assert replayed.bodies() == self.then[seq]
        assert len(events) in self.then


TestJournaled = Journaled.TestCase
TestJournaled.settings = settings(max_examples=25, stateful_step_count=30)


def test_the_same_key_again_returns_what_the_first_change_left(tmp_path: Path, clock: FakeClock) -> None:
    """Also when the document has changed since."""

    def add(draft: Draft) -> Task:
        return tasks.add_tasks(draft, tasks=[tasks.NewTask(id="a", title="A", role=Role.BUILDER)])

    with open_board(tmp_path, clock) as board:
        first = board.change(add, actor=HUMAN, key="k1", request={"task": "a"})
        board.change(lambda draft: tasks.begin_task(draft, task="a"), actor=HUMAN)
        again = board.change(add, actor=HUMAN, key="k1", request={"task": "a"})
        assert (again.again, first.again) == (True, False)
        assert again.value == first.value
        assert [event.seq for event in again.events] == [event.seq for event in first.events]
        assert len(board.journal()) == 3
        with pytest.raises(InputError, match="the key 'k1' was used for another change"):
            board.change(add, actor=HUMAN, key="k1", request={"task": "b"})


def test_what_has_ended_is_history(tmp_path: Path, clock: FakeClock) -> None:
    with open_board(tmp_path, clock) as board:
        board.change(lambda draft: runs.end(draft, reason="done"), actor=HUMAN)
        with pytest.raises(InputError, match="'r1' has ended"):
            board.change(lambda draft: runs.pause(draft, reason="late"), actor=HUMAN, run="r1")
        with pytest.raises(NotFound, match="no team run is open"):
            board.change(lambda draft: runs.pause(draft, reason="late"), actor=HUMAN)
        events = board.journal("r1")
        assert [event.kind for event in events] == ["run_opened", "run_ended"]
