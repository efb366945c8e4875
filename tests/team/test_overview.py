"""A run at one moment: what is open and new is there, the rest is counted, and it is plain JSON."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import NotFound
from clawswarm.store.board import Head
from clawswarm.team.agents import note_spend
from clawswarm.team.board import Board
from clawswarm.team.checkpoints import take
from clawswarm.team.documents import Documents, Replayed
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency, resolve
from clawswarm.team.messages import acknowledge, send
from clawswarm.team.overview import LOOKED_AT, MOST_TASKS, Overview, collect
from clawswarm.team.tasks import NewTask, add_tasks, begin_task, fail_task
from clawswarm.team.voting import decide, propose
from clawswarm.types.board import Message, Run, Task
from clawswarm.types.team import HUMAN, SYSTEM, MessageType, Role, TaskStatus
from tests.clock import FakeClock
from tests.team.boards import Bench, open_board

COSTS = (2_000_000_000_000, 500_000_000_000, None)


def look(bench: Bench) -> Overview:
    return collect(bench.board, "r1", now=bench.now)


def write(bench: Bench, *tasks: Task) -> None:
    def put(draft: Draft) -> Run:
        draft.record("task_added", tasks[0].id, "as they are", *tasks)
        return draft.run

    bench.did(SYSTEM, put)


def tasks(count: int, status: TaskStatus, prefix: str = "t") -> list[Task]:
    return [
        Task(id=f"{prefix}{number:05}", title="x", role=Role.SCOUT, status=status) for number in range(count)
    ]


def history(draft: Draft) -> Run:
    """A little of everything."""
    add_tasks(
        draft, tasks=[NewTask(id=name, title=name, role=Role.BUILDER) for name in ("one", "two", "three")]
    )
    begin_task(draft, task="two")
    fail_task(draft, task="two", reason="no key")
    begin_task(draft, task="three")
    note = [
        send(draft, to="director", type=MessageType.STATUS, content="done"),
        send(draft, to="ALL", type=MessageType.STATUS, content="hello"),
    ]
    acknowledge(draft, role=Role.SCRIBE, messages=[note[0].id])
    waits = propose(draft, topic="REST or GraphQL?", options=["REST", "GraphQL"])
    over = propose(draft, topic="Tabs?", options=["yes", "no"])
    decide(draft, proposal=over.id, option="no", reason="spaces")
    for cost in COSTS:
        note_spend(draft, role=Role.SCOUT, input_tokens=100, output_tokens=10, cost_pico=cost)
    take(draft, trigger="a milestone", summary="well", sentences={Role.SCOUT: "found it"})
    raised = raise_emergency(draft, level=2, text="two designs")
    resolve(draft, emergency=raised.id, reason="talked")
    raise_emergency(draft, level=3, text="the disk is full")
    assert waits.open
    return draft.run


def check(found: Overview) -> None:
    assert [agent.role for agent in found.agents] == list(Role)
    assert [task.id for task in found.tasks.open] == ["three", "one"]
    assert [task.id for task in found.tasks.ended] == ["two"]
    assert found.tasks.by_status == {"pending": 1, "running": 1, "failed": 1}
    assert (found.tasks.total, found.tasks.total_open) == (3, 2)
    assert [each.proposal.topic for each in found.waiting] == ["REST or GraphQL?"]
    assert "not yet voted" in found.waiting[0].stands
    assert [proposal.topic for proposal in found.decided] == ["Tabs?"]
    assert [emergency.text for emergency in found.standing.emergencies] == ["the disk is full"]
    assert [emergency.text for emergency in found.resolved] == ["two designs"]
    assert found.checkpoint is not None
    assert found.checkpoint.summary == "well"
    assert found.unread[Role.BUILDER] == 1
    assert found.unread[Role.SCRIBE] == 1
    assert found.spend[Role.SCOUT].unknown == 1
    assert (found.spent.calls, found.spent.cost_pico, found.spent.unknown) == (3, sum(filter(None, COSTS)), 1)
    assert [alert.emergency for alert in found.unreceived] == [found.standing.emergencies[0].id]
    assert set(found.alerts) == {found.standing.emergencies[0].id}


def test_it_finds_what_is_there() -> None:
    bench = Bench()
    bench.did(HUMAN, history)
    check(look(bench))


def test_a_database_and_a_replayed_journal_show_the_same(tmp_path: Path, clock: FakeClock) -> None:
    with open_board(tmp_path, clock) as board:
        board.change(history, actor=HUMAN)
        replayed = collect(Replayed(board.journal()), "r1", now=1.0)
        stored = stored_look(board)
    check(stored)
    assert stored == replayed


def stored_look(board: Board) -> Overview:
    with board.reading() as (head, documents):
        return collect(documents, head.run, now=1.0)


def test_there_is_no_such_run() -> None:
    with pytest.raises(NotFound, match="'r9'"):
        collect(Bench().board, "r9", now=1.0)


def test_it_is_plain_json_with_iso_times() -> None:
    bench = Bench()
    bench.did(HUMAN, history)
    document = look(bench).as_json()
    assert json.loads(json.dumps(document)) == document
    assert document["at"] == document["run"]["opened"] == "2023-11-14T22:13:20Z"
    assert document["level"] == 3
    assert document["paused"] == [role.value for role in Role]
    assert document["tasks"]["by_status"] == {"pending": 1, "running": 1, "failed": 1}
    assert document["tasks"]["open"][0]["since"] == document["at"]
    assert document["proposals"]["waiting"][0]["deadline"] == "2023-11-14T22:23:20Z"
    assert document["proposals"]["decided"][0]["decision"]["at"] == document["at"]
    assert document["spend"]["total"] == {
        "calls": 3, "input_tokens": 300, "output_tokens": 30, "cost_usd": 2.5, "unknown": 1,
    }  # fmt: skip
    assert document["emergencies"]["open"][0]["human_told"] is False
    assert document["alerts"][0]["id"] == document["emergencies"]["open"][0]["alert"]
    assert document["agents"][0]["role"] == "director"
    assert document["checkpoint"]["sentences"] == {"scout": "found it"}


def test_facts_of_a_guard_are_left_as_they_are() -> None:
    bench = Bench()
    bench.did(SYSTEM, lambda d: raise_emergency(d, level=2, text="slow", saw={"at": 5, "seen": 1.5}))
    assert look(bench).as_json()["emergencies"]["open"][0]["saw"] == {"at": 5, "seen": 1.5}


def test_many_tasks_are_counted_and_the_newest_listed() -> None:
    bench = Bench()
    write(bench, *tasks(300, "pending", "old"))
    write(bench, *tasks(800, "done"))
    write(bench, *tasks(3, "running", "run"))
    write(bench, *tasks(400, "failed", "f"))
    found = look(bench).tasks
    assert (found.total, found.total_open) == (1503, 303)
    assert [task.status for task in found.open] == ["running"] * 3 + ["pending"] * (MOST_TASKS - 3)
    assert [task.status for task in found.ended] == ["failed"] * MOST_TASKS
    seen_done = LOOKED_AT - 400 - 3
    assert found.by_status == {"pending": 300, "running": 3, "failed": 400, "done": seen_done}
    assert (found.older_open, found.older_ended) == (0, 800 - seen_done)


places = st.lists(
    st.tuples(st.sampled_from(["a1", "a2", "b1", "b2"]), st.sampled_from(["pending", "done", None])),
    max_size=12,
)


@given(before=places, changed=places, open_only=st.booleans(), prefix=st.sampled_from(["", "a", "b1", "c"]))
def test_counting_a_draft_is_counting_what_it_lists(
    before: list[tuple[str, TaskStatus | None]],
    changed: list[tuple[str, TaskStatus | None]],
    open_only: bool,
    prefix: str,
) -> None:
    bench = Bench()
    bench.did(SYSTEM, lambda d: _moved(d, before))
    draft = Draft(bench.board, Head("r1", bench.seq, bench.now, None), actor=SYSTEM, now=bench.now)
    _moved(draft, changed)
    _counts_what_it_lists(bench.board, open_only, prefix)
    _counts_what_it_lists(draft, open_only, prefix)


def _moved(draft: Draft, places: list[tuple[str, TaskStatus | None]]) -> Run:
    """Tasks put on the board, or taken from it where there is no status."""
    for id_, status in places:
        task = Task(id=id_, title="x", role=Role.SCOUT, status=status or "done")
        if status is None:
            draft.record("task_moved", id_, "gone", drops=[task])
        else:
            draft.record("task_moved", id_, "there", task)
    return draft.run


def _counts_what_it_lists(documents: Documents, open_only: bool, prefix: str) -> None:
    listed = documents.all(Task, open_only=open_only, prefix=prefix)
    assert documents.count(Task, open_only=open_only, prefix=prefix) == len(listed)
    assert documents.count(Message) == 0
