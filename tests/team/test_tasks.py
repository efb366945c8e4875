"""Tasks: what needs what, who may do what with them, and that done means shown."""

from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import InputError, NotFound
from clawswarm.team.agents import note_call, report
from clawswarm.team.draft import Draft
from clawswarm.team.tasks import (
    NewTask,
    add_tasks,
    begin_task,
    fail_task,
    finish_task,
    park_task,
    ready,
    reassign,
)
from clawswarm.types.board import Agent, Evidence, Task
from clawswarm.types.team import HUMAN, SYSTEM, Role
from tests.team.boards import Bench

FILE = Evidence(kind="file", ref="src/auth.py")
PASSED = Evidence(kind="command", ref="pytest -q", exit_code=0)
WORD = Evidence(kind="text", ref="It works, I promise")

Kind = Literal["file", "command", "url", "commit", "text"]


def new(id_: str, *needs: str, role: Role = Role.BUILDER) -> NewTask:
    return NewTask(id=id_, title=f"Do {id_}", role=role, needs=needs)


def add(bench: Bench, *tasks: NewTask, by: str = Role.DIRECTOR) -> Task:
    return bench.did(by, lambda draft: add_tasks(draft, tasks=tasks))


def begin(bench: Bench, task: str, by: str = Role.BUILDER) -> Task:
    return bench.did(by, lambda draft: begin_task(draft, task=task))


def finish(bench: Bench, task: str, *evidence: Evidence, by: str = Role.BUILDER) -> Task:
    return bench.did(by, lambda draft: finish_task(draft, task=task, evidence=evidence))


def done(bench: Bench, *tasks: str) -> None:
    for task in tasks:
        begin(bench, task, HUMAN)
        finish(bench, task, FILE, by=HUMAN)


def closing(reason: str) -> list[Callable[[Draft], Task]]:
    """What takes the task "a" from its agent, or ends it otherwise than by finishing it."""
    return [
        lambda draft: fail_task(draft, task="a", reason=reason),
        lambda draft: park_task(draft, task="a", reason=reason),
        lambda draft: reassign(draft, task="a", role=Role.SCOUT, reason=reason),
    ]


def task_of(bench: Bench, id_: str) -> Task:
    task = bench.board.get(Task, id_)
    assert task is not None
    return task


def agent_of(bench: Bench, role: Role) -> Agent:
    agent = bench.board.get(Agent, role.value)
    assert agent is not None
    return agent


def is_ready(bench: Bench) -> list[str]:
    return [task.id for task in ready(bench.board)]


class TestAdding:
    def test_a_plan_may_stand_in_any_order(self) -> None:
        bench = Bench()
        last = add(bench, new("tests", "code", "design"), new("code", "design"), new("design"))
        assert last.id == "design"
        assert task_of(bench, "tests") == Task(
            id="tests", title="Do tests", role=Role.BUILDER, needs=("code", "design")
        )
        assert is_ready(bench) == ["design"]

    def test_what_is_on_the_board_may_be_needed(self) -> None:
        bench = Bench()
        add(bench, new("design"))
        add(bench, new("code", "design", "design"))
        assert task_of(bench, "code").needs == ("design",)

    @pytest.mark.parametrize(
        ("plan", "circle"),
        [
            ([new("a", "a")], "a → a"),
            ([new("a", "b"), new("b", "a")], "(a → b → a|b → a → b)"),
            (
                [new("x", "a"), new("a", "b", "old"), new("b", "c"), new("c", "a")],
                "b → c → a → b|a → b → c → a",
            ),
        ],
    )
    def test_a_circle_is_refused_and_named(self, plan: list[NewTask], circle: str) -> None:
        bench = Bench()
        add(bench, new("old"))
        with pytest.raises(InputError, match=f"in a circle: ({circle})"):
            add(bench, *plan)
        assert [task.id for task in bench.board.all(Task)] == ["old"]

    def test_an_unknown_need_is_refused_and_named(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="b needs 'design', and there is no such task"):
            add(bench, new("a"), new("b", "a", "design"))
        assert bench.board.all(Task) == []

    def test_an_id_is_given_once(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="there is a task 'a' already"):
            add(bench, new("a"), new("a"))
        add(bench, new("a"))
        with pytest.raises(InputError, match="there is a task 'a' already"):
            add(bench, new("b"), new("a"))

    @pytest.mark.parametrize(
        "id_", ["", "A", "-a", "a b", "a_b", "a/b", "x" * 41, "a\n", "ä", "| a | b |", "../a", "\x00"]
    )
    def test_an_id_is_a_slug(self, id_: str) -> None:
        with pytest.raises(InputError, match="no id of a task") as caught:
            add(Bench(), new(id_))
        assert "auth-module" in (caught.value.hint or "")

    def test_a_task_has_a_title_of_one_line_and_a_size(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="the title of a is empty"):
            add(bench, NewTask(id="a", title=" \n", role=Role.SCOUT))
        with pytest.raises(InputError, match="at most 500"):
            add(bench, NewTask(id="a", title="x" * 501, role=Role.SCOUT))
        with pytest.raises(InputError, match="the check of a has 2,001 bytes"):
            add(bench, NewTask(id="a", title="x", role=Role.SCOUT, check="x" * 2_001))
        title = "Read\nit\x1b, then | write |"
        assert add(bench, NewTask(id="a", title=title, role=Role.SCOUT)).title == "Read it, then | write |"

    def test_a_plan_has_1_to_500_tasks(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="1 to 500 tasks"):
            add(bench)
        with pytest.raises(InputError, match="not 501"):
            add(bench, *(new(f"t{number}") for number in range(501)))
        add(
            bench,
            *(new(f"t{number}", *([f"t{number + 1}"] if number < 499 else [])) for number in range(500)),
        )
        assert is_ready(bench) == ["t499"]

    @given(
        st.dictionaries(
            st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), min_size=1, max_size=6
        )
    )
    def test_a_plan_is_taken_exactly_if_it_can_be_worked_off(self, plan: dict[str, list[str]]) -> None:
        bench = Bench()
        left: dict[str, list[str]] = dict(plan)
        possible = True
        while left and possible:
            free = [id_ for id_, needs in left.items() if all(n in plan and n not in left for n in needs)]
            possible = bool(free)
            left = {id_: needs for id_, needs in left.items() if id_ not in free}
        try:
            add(bench, *(new(id_, *needs) for id_, needs in plan.items()))
        except InputError:
            assert not possible
            assert bench.board.all(Task) == []
        else:
            assert possible
            while free := is_ready(bench):
                done(bench, *free)
            assert {task.status for task in bench.board.all(Task)} == {"done"}


class TestWorking:
    def test_begun_is_counted_and_its_agent_works(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        bench.now += 60
        task = begin(bench, "a")
        assert (task.status, task.attempts, task.since) == ("running", 1, bench.now)
        agent = agent_of(bench, Role.BUILDER)
        assert (agent.status, agent.task, agent.seen) == ("working", "Do a", bench.now)

    def test_what_it_needs_has_to_be_done(self) -> None:
        bench = Bench()
        add(bench, new("design"), new("data"), new("code", "design", "data"))
        begin(bench, "design")
        with pytest.raises(
            InputError, match=r"code needs what is not done: design \(running\), data \(pending\)"
        ):
            begin(bench, "code")
        finish(bench, "design", FILE)
        with pytest.raises(InputError, match=r"not done: data \(pending\)$"):
            begin(bench, "code")
        assert is_ready(bench) == ["data"]
        done(bench, "data")
        assert is_ready(bench) == ["code"]
        assert begin(bench, "code").status == "running"

    @pytest.mark.parametrize("by", [Role.BUILDER, Role.DIRECTOR, HUMAN, SYSTEM])
    def test_its_agent_and_those_who_lead_move_it(self, by: str) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a", by)
        assert finish(bench, "a", PASSED, by=by).status == "done"

    @pytest.mark.parametrize("by", [Role.SCOUT, Role.INSPECTOR, Role.SCRIBE])
    def test_nobody_else_does(self, by: str) -> None:
        bench = Bench()
        add(bench, new("a"))
        with pytest.raises(InputError, match="may not begin a task of the Builder"):
            begin(bench, "a", by)
        begin(bench, "a")
        with pytest.raises(InputError, match="may not finish"):
            finish(bench, "a", PASSED, by=by)
        for operation in closing("no"):
            with pytest.raises(InputError, match="may not"):
                bench.did(by, operation)
        assert task_of(bench, "a").status == "running"

    def test_an_unknown_task_names_the_open_ones(self) -> None:
        bench = Bench()
        add(bench, new("a"), new("b"))
        with pytest.raises(NotFound) as caught:
            begin(bench, "c")
        assert caught.value.hint == "open ones: a, b"

    def test_an_agent_with_another_task_goes_on_working(self) -> None:
        bench = Bench()
        add(bench, new("a"), new("b"))
        begin(bench, "a")
        begin(bench, "b")
        finish(bench, "b", FILE)
        agent = agent_of(bench, Role.BUILDER)
        assert (agent.status, agent.task) == ("working", "Do a")
        finish(bench, "a", FILE)
        agent = agent_of(bench, Role.BUILDER)
        assert (agent.status, agent.task) == ("idle", "")

    def test_an_agent_that_is_blocked_stays_blocked(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, status="blocked"))
        bench.did(HUMAN, lambda draft: fail_task(draft, task="a", reason="no"))
        assert agent_of(bench, Role.BUILDER).status == "blocked"


class TestDoneMeansShown:
    @pytest.mark.parametrize(
        "evidence",
        [
            (FILE,),
            (PASSED,),
            (Evidence(kind="url", ref="https://example.org/build/7"),),
            (Evidence(kind="commit", ref="1a2b3c4"),),
            (WORD, FILE),
            (PASSED, Evidence(kind="file", ref="a", digest="0" * 64)),
        ],
    )
    def test_it_is_done_where_something_shows_it(self, evidence: Sequence[Evidence]) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        task = finish(bench, "a", *evidence)
        assert (task.status, task.evidence, task.note) == ("done", tuple(evidence), "")

    @pytest.mark.parametrize(
        ("evidence", "why"),
        [
            ((), "an agent's word is no evidence"),
            ((WORD,), "an agent's word is no evidence"),
            ((WORD, WORD), "an agent's word is no evidence"),
            ((FILE, Evidence(kind="command", ref="pytest -q", exit_code=1)), "'pytest -q' ended with 1, not"),
            ((Evidence(kind="command", ref="pytest", exit_code=-9), PASSED), "'pytest' ended with -9"),
            ((Evidence(kind="command", ref="pytest -q"),), "'pytest -q' has no exit code"),
        ],
    )
    def test_otherwise_it_has_failed_and_says_why(self, evidence: Sequence[Evidence], why: str) -> None:
        bench = Bench()
        add(bench, new("a"), new("b", "a"))
        begin(bench, "a")
        task = finish(bench, "a", *evidence)
        assert task.status == "failed"
        assert why in task.note
        assert task.evidence == tuple(evidence)
        assert is_ready(bench) == []
        assert agent_of(bench, Role.BUILDER).status == "idle"

    @pytest.mark.parametrize(
        ("kind", "ref", "says"),
        [
            ("file", " ", r"evidence \(file\) is empty"),
            ("file", "x" * 8_001, "8,001 bytes"),
            ("url", "see the wiki", "'see the wiki' is no url"),
            ("url", "file:///etc/passwd", "is no url"),
            ("commit", "the last one", "'the last one' is no commit"),
            ("commit", "123456", "is no commit"),
        ],
    )
    def test_evidence_is_what_it_says(self, kind: Kind, ref: str, says: str) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        with pytest.raises(InputError, match=says):
            finish(bench, "a", Evidence(kind=kind, ref=ref))
        assert task_of(bench, "a").status == "running"

    def test_a_digest_is_one_and_there_is_not_too_much(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        with pytest.raises(InputError, match=r"'abc' is no digest of 'a\.py'"):
            finish(bench, "a", Evidence(kind="file", ref="a.py", digest="abc"))
        with pytest.raises(InputError, match="21 pieces of evidence; at most 20"):
            finish(bench, "a", *([FILE] * 21))

    def test_only_what_was_shown_is_progress(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        for evidence, idle_calls in ((WORD, 1), (FILE, 0)):
            begin(bench, "a")
            bench.did(
                SYSTEM,
                lambda draft: note_call(draft, role=Role.BUILDER, tool="read", arguments="", ok=True),
            )
            finish(bench, "a", evidence)
            assert agent_of(bench, Role.BUILDER).idle_calls == idle_calls


class TestMoving:
    def test_what_failed_may_be_tried_again_from_scratch(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        finish(bench, "a", WORD)
        again = begin(bench, "a")
        assert (again.status, again.attempts, again.evidence, again.note) == ("running", 2, (), "")
        assert finish(bench, "a", PASSED).status == "done"

    def test_what_is_parked_waits_until_it_is_assigned_anew(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        parked = bench.did(Role.BUILDER, lambda draft: park_task(draft, task="a", reason="no key yet"))
        assert (parked.status, parked.note) == ("parked", "no key yet")
        assert agent_of(bench, Role.BUILDER).status == "idle"
        with pytest.raises(InputError, match="a is parked: to begin it, it has to be pending or failed"):
            begin(bench, "a")
        back = bench.did(
            HUMAN, lambda draft: reassign(draft, task="a", role=Role.BUILDER, reason="the key came")
        )
        assert (back.status, back.role, back.note) == ("pending", Role.BUILDER, "")

    def test_reassigned_the_other_begins_it_anew(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        begin(bench, "a")
        task = bench.did(
            Role.DIRECTOR, lambda draft: reassign(draft, task="a", role=Role.REFACTORER, reason="stuck")
        )
        assert (task.role, task.status, task.attempts, task.since) == (Role.REFACTORER, "pending", 1, None)
        assert agent_of(bench, Role.BUILDER).status == "idle"
        assert agent_of(bench, Role.REFACTORER).status == "idle"
        with pytest.raises(InputError, match="task of the Refactorer"):
            begin(bench, "a", Role.BUILDER)
        assert begin(bench, "a", Role.REFACTORER).attempts == 2
        assert agent_of(bench, Role.REFACTORER).status == "working"

    def test_what_waits_for_the_agent_is_not_given_to_it_again(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        with pytest.raises(InputError, match="a is the Builder's already"):
            bench.did(HUMAN, lambda draft: reassign(draft, task="a", role=Role.BUILDER, reason="do it"))

    def test_what_is_done_stays_done(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        done(bench, "a")
        with pytest.raises(InputError, match="a is done"):
            begin(bench, "a")
        with pytest.raises(InputError, match="a is done"):
            finish(bench, "a", PASSED)
        for operation in closing("no"):
            with pytest.raises(InputError, match="a is done"):
                bench.did(HUMAN, operation)

    def test_what_runs_is_not_begun_twice_and_what_waits_is_not_finished(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        with pytest.raises(InputError, match="a is pending: to finish it, it has to be running") as caught:
            finish(bench, "a", PASSED)
        assert caught.value.hint == "begin it first"
        begin(bench, "a")
        with pytest.raises(InputError, match="a is running"):
            begin(bench, "a")

    def test_reasons_are_needed(self) -> None:
        bench = Bench()
        add(bench, new("a"))
        for operation in closing(" \n"):
            with pytest.raises(InputError, match="the reason is empty"):
                bench.did(HUMAN, operation)
