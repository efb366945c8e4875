"""Checkpoints: what they say, what they hold, and what goes back when one is restored."""

from collections.abc import Sequence
from typing import cast

import pytest

from clawswarm.errors import InputError, NotFound
from clawswarm.team.agents import note_spend, report, restart
from clawswarm.team.checkpoints import restore, take
from clawswarm.team.documents import KINDS
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.messages import send
from clawswarm.team.reviews import find
from clawswarm.team.runs import move_phase, pause
from clawswarm.team.tasks import NewTask, add_tasks, begin_task, finish_task
from clawswarm.team.trusting import adjust
from clawswarm.team.voting import close_due, propose, vote
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.board import Agent, Evidence, Finding, Message, Run, Spend, Task, TrustChange
from clawswarm.types.meetings import Checkpoint, Proposal, Snapshot
from clawswarm.types.team import (
    HUMAN,
    SYSTEM,
    CheckpointDecision,
    MessageType,
    Phase,
    Role,
    Severity,
)
from tests.team.boards import Bench

RESTORED = {"run", "agent", "task", "proposal", "trust"}
FILE = Evidence(kind="file", ref="a.py")


def taking(
    *,
    trigger: str = "auth is done",
    summary: str = "All is well.",
    sentences: dict[Role, str] | None = None,
    blockers: Sequence[str] = (),
    decision: str = "continue",
    next_trigger: str = "the review",
    commit: str | None = None,
) -> Checkpoint:
    """On a board of its own, by the Scribe."""
    return checkpoint(
        Bench(), trigger, summary, sentences or {}, blockers, decision, next_trigger, commit=commit
    )


def checkpoint(
    bench: Bench,
    trigger: str = "auth is done",
    summary: str = "All is well.",
    sentences: dict[Role, str] | None = None,
    blockers: Sequence[str] = (),
    decision: str = "continue",
    next_trigger: str = "the review",
    *,
    commit: str | None = None,
    by: str = Role.SCRIBE,
) -> Checkpoint:
    return bench.did(
        by,
        lambda draft: take(
            draft,
            trigger=trigger,
            summary=summary,
            sentences=sentences or {},
            blockers=blockers,
            decision=cast("CheckpointDecision", decision),
            next_trigger=next_trigger,
            commit=commit,
        ),
    )


def back(bench: Bench, to: Checkpoint, by: str = Role.DIRECTOR) -> Checkpoint:
    return bench.did(by, lambda draft: restore(draft, checkpoint=to.id, reason="the redesign led nowhere"))


def run_of(bench: Bench) -> Run:
    run = bench.board.get(Run, "r1")
    assert run is not None
    return run


def agent_of(bench: Bench, role: Role) -> Agent:
    agent = bench.board.get(Agent, role.value)
    assert agent is not None
    return agent


def task_of(bench: Bench, id_: str) -> Task:
    task = bench.board.get(Task, id_)
    assert task is not None
    return task


def add(bench: Bench, *ids: str) -> None:
    new = [NewTask(id=id_, title=id_, role=Role.BUILDER) for id_ in ids]
    bench.did(HUMAN, lambda draft: add_tasks(draft, tasks=new))


def begin(bench: Bench, task: str) -> None:
    bench.did(HUMAN, lambda draft: begin_task(draft, task=task))


def finish(bench: Bench, task: str) -> None:
    bench.did(HUMAN, lambda draft: finish_task(draft, task=task, evidence=[FILE]))


def move(bench: Bench, *phases: Phase) -> None:
    for phase in phases:
        bench.did(HUMAN, lambda draft, phase=phase: move_phase(draft, to=phase, reason="on"))


def ask(bench: Bench) -> Proposal:
    return bench.did(Role.SCOUT, lambda draft: propose(draft, topic="Which?", options=["a", "b"], minutes=10))


class TestTaking:
    def test_it_is_the_guides_agenda(self) -> None:
        bench = Bench()
        move(bench, Phase.EXECUTION)
        bench.did(Role.SCOUT, lambda draft: report(draft, role=Role.SCOUT, sentence="the API is found"))
        bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, sentence="old news"))
        seq = bench.seq
        found = checkpoint(
            bench,
            sentences={Role.BUILDER: "auth\nworks ", Role.INSPECTOR: " "},
            blockers=["no key\nfor mail"],
            decision="revise",
            commit="1a2b3c4",
        )
        assert found == Checkpoint(
            id=f"c{seq + 1}",
            at=bench.now,
            by="scribe",
            seq=seq,
            phase=Phase.EXECUTION,
            trigger="auth is done",
            summary="All is well.",
            sentences={Role.SCOUT: "the API is found", Role.BUILDER: "auth works"},
            blockers=("no key for mail",),
            decision="revise",
            next_trigger="the review",
            commit="1a2b3c4",
        )
        run = run_of(bench)
        assert (run.last_checkpoint, run.next_trigger) == (found.id, "the review")

    def test_the_board_as_it_was_lies_beside_it(self) -> None:
        bench = Bench()
        add(bench, "a", "b")
        begin(bench, "a")
        ask(bench)
        bench.did(HUMAN, lambda draft: adjust(draft, role=Role.SCOUT, delta=-1, reason="late"))
        bench.did(HUMAN, lambda draft: send(draft, to="all", type=MessageType.STATUS, content="hello"))
        found = checkpoint(bench)
        snapshot = bench.board.get(Snapshot, found.id)
        assert snapshot is not None
        assert set(snapshot.documents) == RESTORED
        bodies = bench.board.bodies()
        kept = {(kind, id_): body for kind, each in snapshot.documents.items() for id_, body in each.items()}
        scribe = ("agent", "scribe")
        assert {place: body for place, body in kept.items() if place != scribe} == {
            place: body for place, body in bodies.items() if place[0] in RESTORED and place != scribe
        }

    @pytest.mark.parametrize("by", [Role.DIRECTOR, Role.SCRIBE, HUMAN, SYSTEM])
    def test_the_director_the_scribe_and_a_human_take_them(self, by: str) -> None:
        assert checkpoint(Bench(), by=by).by == by

    @pytest.mark.parametrize("by", [Role.BUILDER, Role.ARCHITECT])
    def test_nobody_else_does(self, by: str) -> None:
        with pytest.raises(InputError, match="may not take a checkpoint") as caught:
            checkpoint(Bench(), by=by)
        assert caught.value.hint == "who may: Scribe, Director, Human, System"

    def test_a_decision_is_one_of_three(self) -> None:
        for decision in ("continue", "revise", "escalate"):
            assert taking(decision=decision).decision == decision
        with pytest.raises(InputError, match="no decision 'wait'") as caught:
            taking(decision="wait")
        assert "continue, revise, escalate" in (caught.value.hint or "")

    def test_escalating_is_left_to_those_who_read_it(self) -> None:
        bench = Bench()
        checkpoint(bench, decision="escalate")
        assert bench.board.all(Emergency) == []

    def test_texts_have_a_size(self) -> None:
        assert taking(sentences={Role.SCOUT: "é" * 150}).sentences == {Role.SCOUT: "é" * 150}
        with pytest.raises(InputError, match="the sentence of scout has 302 bytes; at most 300"):
            taking(sentences={Role.SCOUT: "é" * 151})
        with pytest.raises(InputError, match="the trigger is empty"):
            taking(trigger=" ")
        with pytest.raises(InputError, match="the summary is empty"):
            taking(summary=" ")
        with pytest.raises(InputError, match="10,001 bytes"):
            taking(summary="x" * 10_001)
        with pytest.raises(InputError, match="a blocker is empty"):
            taking(blockers=["x", ""])
        with pytest.raises(InputError, match="51 blockers"):
            taking(blockers=["x"] * 51)
        with pytest.raises(InputError, match="'HEAD' is no commit"):
            taking(commit="HEAD")


class TestRestoring:
    def test_nothing_happened_since_then_nothing_changes(self) -> None:
        bench = Bench()
        add(bench, "a")
        found = checkpoint(bench)
        before = bench.board.bodies()
        back(bench, found, HUMAN)
        assert bench.board.bodies() == before

    def test_tasks_go_back_and_what_ran_is_begun_anew(self) -> None:
        bench = Bench()
        add(bench, "old", "ran", "waits")
        begin(bench, "old")
        finish(bench, "old")
        begin(bench, "ran")
        found = checkpoint(bench)
        finish(bench, "ran")
        begin(bench, "waits")
        add(bench, "new")
        back(bench, found)
        assert {task.id: task.status for task in bench.board.all(Task)} == {
            "old": "done",
            "ran": "pending",
            "waits": "pending",
        }
        assert (task_of(bench, "ran").attempts, task_of(bench, "waits").attempts) == (1, 0)
        assert task_of(bench, "ran").evidence == ()
        add(bench, "new")

    def test_agents_go_back_but_not_their_lives(self) -> None:
        bench = Bench()
        bench.did(
            Role.BUILDER,
            lambda d: report(d, role=Role.BUILDER, status="working", task="t", sentence="s"),
        )
        bench.did(Role.SCOUT, lambda d: report(d, role=Role.SCOUT, status="blocked", task="t", sentence="s"))
        found = checkpoint(bench)
        bench.now += 60
        bench.did(HUMAN, lambda draft: restart(draft, role=Role.BUILDER, reason="stuck"))
        bench.did(Role.SCOUT, lambda draft: report(draft, role=Role.SCOUT, status="active", sentence="new"))
        back(bench, found)
        builder, scout = agent_of(bench, Role.BUILDER), agent_of(bench, Role.SCOUT)
        assert (builder.status, builder.task, builder.sentence, builder.life) == ("idle", "", "s", 1)
        assert (scout.status, scout.task, scout.sentence, scout.seen) == ("blocked", "t", "s", bench.now)

    def test_trust_goes_back_with_its_history(self) -> None:
        bench = Bench()

        def change(delta: int) -> TrustChange:
            return bench.did(HUMAN, lambda d: adjust(d, role=Role.SCOUT, delta=delta, reason="because"))

        first = change(+1)
        found = checkpoint(bench)
        later = change(-3)
        latest = checkpoint(bench)
        back(bench, found)
        assert agent_of(bench, Role.SCOUT).trust == 8
        assert bench.board.all(TrustChange) == [first]
        back(bench, latest)
        assert agent_of(bench, Role.SCOUT).trust == 5
        assert {each.id for each in bench.board.all(TrustChange)} == {first.id, later.id}

    def test_votes_go_back_and_their_rounds_stay_open_as_long(self) -> None:
        bench = Bench(settle=[close_due])
        asked = ask(bench)
        bench.now += 60
        bench.did(Role.SCOUT, lambda draft: vote(draft, proposal=asked.id, role=Role.SCOUT, option="a"))
        found = checkpoint(bench)
        bench.now += 7200
        later = ask(bench)
        closed = bench.board.get(Proposal, asked.id)
        assert closed is not None
        assert closed.decision is not None
        back(bench, found)
        again = bench.board.get(Proposal, asked.id)
        assert again is not None
        assert (again.status, again.decision, again.rounds, set(again.votes)) == (
            "voting",
            None,
            (),
            {Role.SCOUT},
        )
        assert again.deadline == bench.now + 540
        assert bench.board.get(Proposal, later.id) is None

    def test_the_phase_goes_back_and_has_lasted_as_long_as_then(self) -> None:
        bench = Bench()
        move(bench, Phase.EXECUTION)
        bench.now += 100
        found = checkpoint(bench, next_trigger="the login page")
        bench.now += 5000
        move(bench, Phase.REVIEW, Phase.ITERATION)
        checkpoint(bench, next_trigger="another")
        back(bench, found)
        run = run_of(bench)
        assert (run.phase, run.since, run.next_trigger) == (
            Phase.EXECUTION,
            bench.now - 100,
            "the login page",
        )
        assert (run.last_checkpoint, run.round) == (found.id, 1)

    def test_a_review_that_is_taken_up_again_is_a_round_of_its_own(self) -> None:
        """Findings stay: those of the review that was left are not counted in the one that comes."""
        bench = Bench()
        move(bench, Phase.EXECUTION, Phase.REVIEW)
        found = checkpoint(bench)
        move(bench, Phase.ITERATION, Phase.REVIEW)
        bench.did(
            Role.INSPECTOR,
            lambda draft: find(draft, role=Role.INSPECTOR, severity=Severity.CRITICAL, text="md5"),
        )
        back(bench, found)
        rounds = {finding.round for finding in bench.board.all(Finding)}
        assert rounds == {2}
        assert (run_of(bench).phase, run_of(bench).round) == (Phase.REVIEW, 3)

    def test_what_happened_stays(self) -> None:
        bench = Bench()
        found = checkpoint(bench)
        bench.did(HUMAN, lambda draft: send(draft, to="all", type=MessageType.STATUS, content="hello"))
        bench.did(Role.SCOUT, lambda draft: raise_emergency(draft, level=3, text="out of disk"))
        bench.did(
            SYSTEM,
            lambda d: note_spend(d, role=Role.SCOUT, input_tokens=1, output_tokens=1, cost_pico=9),
        )
        bench.did(
            Role.INSPECTOR,
            lambda d: find(d, role=Role.INSPECTOR, severity=Severity.MINOR, text="a typo"),
        )
        later = checkpoint(bench)
        bench.did(HUMAN, lambda draft: pause(draft, reason="look"))
        before = {place: body for place, body in bench.board.bodies().items() if place[0] not in RESTORED}
        back(bench, found)
        after = {place: body for place, body in bench.board.bodies().items() if place[0] not in RESTORED}
        assert after == before
        for kind in (Message, Emergency, Alert, Spend, Finding):
            assert bench.board.all(kind)
        assert bench.board.get(Checkpoint, later.id) is not None
        assert (run_of(bench).status, run_of(bench).paused_by) == ("paused", HUMAN)

    def test_it_can_be_undone_from_a_checkpoint_that_was_taken_before(self) -> None:
        bench = Bench()
        add(bench, "a")
        found = checkpoint(bench)
        begin(bench, "a")
        finish(bench, "a")
        add(bench, "b")
        latest = checkpoint(bench)
        back(bench, found)
        assert [task.id for task in bench.board.all(Task)] == ["a"]
        back(bench, latest)
        assert {task.id: task.status for task in bench.board.all(Task)} == {"a": "done", "b": "pending"}

    @pytest.mark.parametrize("by", [Role.DIRECTOR, HUMAN, SYSTEM])
    def test_those_who_lead_restore(self, by: str) -> None:
        bench = Bench()
        found = checkpoint(bench)
        assert back(bench, found, by) == found

    @pytest.mark.parametrize("by", [Role.SCRIBE, Role.BUILDER])
    def test_nobody_else_restores(self, by: str) -> None:
        bench = Bench()
        found = checkpoint(bench)
        with pytest.raises(InputError, match="may not restore a checkpoint"):
            back(bench, found, by)

    def test_an_unknown_one_names_those_that_are_there(self) -> None:
        bench = Bench()

        def restoring(draft: Draft) -> Checkpoint:
            return restore(draft, checkpoint="c99", reason="back")

        with pytest.raises(NotFound, match="no checkpoint 'c99'") as caught:
            bench.did(HUMAN, restoring)
        assert caught.value.hint == "none was taken yet"
        first, second = checkpoint(bench), checkpoint(bench)
        with pytest.raises(NotFound) as caught:
            bench.did(HUMAN, restoring)
        assert caught.value.hint == f"there are: {first.id}, {second.id}"

    def test_a_reason_is_needed(self) -> None:
        bench = Bench()
        found = checkpoint(bench)
        with pytest.raises(InputError, match="the reason is empty"):
            bench.did(HUMAN, lambda draft: restore(draft, checkpoint=found.id, reason=" "))

    def test_the_journal_says_what_was_dropped(self) -> None:
        bench = Bench()
        found = checkpoint(bench)
        add(bench, "a")
        events: list[dict[str, object]] = []

        def restoring(draft: Draft) -> Checkpoint:
            value = restore(draft, checkpoint=found.id, reason="start over")
            events.extend(event.as_json() for event in draft.events)
            return value

        bench.did(HUMAN, restoring)
        assert [event["kind"] for event in events] == ["checkpoint_restored"]
        assert events[0]["facts"] == {"seq": found.seq, "reason": "start over", "dropped": ["task a"]}


def test_every_kind_of_document_either_goes_back_or_stays() -> None:
    stays = {"message", "delivery", "finding", "checkpoint", "snapshot", "emergency", "alert", "spend"}
    assert {kind.KIND for kind in KINDS} == RESTORED | stays
