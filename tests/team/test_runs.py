"""A run from its opening to its end: phases, pauses, and who may do what."""

import pytest

from clawswarm.config.team import TeamRules, Trust, Votes
from clawswarm.errors import InputError
from clawswarm.store.board import Head
from clawswarm.team.agents import report
from clawswarm.team.documents import Replayed
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import attempt, failed, raise_emergency, resolve
from clawswarm.team.runs import end, move_phase, open_run, pause, resume
from clawswarm.team.tasks import NewTask, add_tasks, begin_task
from clawswarm.types.board import Agent, Run, Task
from clawswarm.types.team import HUMAN, SYSTEM, Phase, Role
from tests.team.boards import Bench

WORKERS = [role.value for role in Role if role is not Role.DIRECTOR]


def run_of(bench: Bench) -> Run:
    run = bench.board.get(Run, "r1")
    assert run is not None
    return run


def statuses(bench: Bench) -> dict[str, str]:
    return {agent.id: agent.status for agent in bench.board.all(Agent)}


def move(bench: Bench, to: Phase, by: str = Role.DIRECTOR, reason: str = "") -> Run:
    return bench.did(by, lambda draft: move_phase(draft, to=to, reason=reason))


class TestOpening:
    def test_a_run_begins_in_planning_with_the_seven(self) -> None:
        bench = Bench()
        run = run_of(bench)
        assert (run.goal, run.phase, run.round, run.status, run.opened, run.since) == (
            "Build it",
            Phase.PLANNING,
            0,
            "open",
            bench.now,
            bench.now,
        )
        agents = {agent.role: agent for agent in bench.board.all(Agent)}
        assert set(agents) == set(Role)
        assert {agent.status for agent in agents.values()} == {"idle"}

    def test_all_but_director_and_scribe_carry_the_trust_that_is_configured(self) -> None:
        bench = Bench(TeamRules(trust=Trust(start=5)))
        trust = {agent.role: agent.trust for agent in bench.board.all(Agent)}
        assert trust == {role: None if role in (Role.DIRECTOR, Role.SCRIBE) else 5 for role in Role}

    def test_it_keeps_the_rules_it_was_opened_with(self) -> None:
        rules = TeamRules(message_kb=2, votes=Votes(max_rounds=2))
        assert run_of(Bench(rules)).rules == rules

    @pytest.mark.parametrize(
        ("goal", "says"),
        [("", "the goal is empty"), ("\u200b ", "the goal is empty"), ("x" * 10_001, "10,001 bytes")],
    )
    def test_a_run_has_a_goal_of_a_size(self, goal: str, says: str) -> None:
        draft = Draft(Replayed(), Head("r1", 0, 1.0, None), actor=HUMAN, now=1.0)
        with pytest.raises(InputError, match=says):
            open_run(draft, run_id="r1", goal=goal, rules=TeamRules())
        assert draft.events == []

    def test_the_first_event_says_the_goal_in_one_line(self) -> None:
        draft = Draft(Replayed(), Head("r1", 0, 1.0, None), actor=HUMAN, now=1.0)
        run = open_run(
            draft, run_id="r1", goal="Build\x1b it\nwell", rules=TeamRules(), channels=["file", "webhook"]
        )
        assert (run.goal, run.channels) == ("Build it\nwell", ("file", "webhook"))
        assert [(event.kind, event.says) for event in draft.events] == [
            ("run_opened", "a run is opened: Build it well")
        ]


class TestPausing:
    @pytest.mark.parametrize("by", [*Role, HUMAN, SYSTEM])
    def test_anybody_may_pause_it(self, by: str) -> None:
        bench = Bench()
        run = bench.did(by, lambda draft: pause(draft, reason="look\nfirst"))
        assert (run.status, run.paused_by, run.note) == ("paused", by, "look\nfirst")
        assert run.open

    @pytest.mark.parametrize("by", [HUMAN, Role.DIRECTOR, Role.BUILDER])
    def test_who_paused_it_the_director_and_a_human_resume_it(self, by: str) -> None:
        bench = Bench()
        bench.did(Role.BUILDER, lambda draft: pause(draft, reason="wait"))
        run = bench.did(by, lambda draft: resume(draft, reason="seen"))
        assert (run.status, run.paused_by, run.note) == ("open", None, "")

    @pytest.mark.parametrize("by", [SYSTEM, Role.SCOUT, Role.SCRIBE])
    def test_nobody_else_does(self, by: str) -> None:
        bench = Bench()
        bench.did(Role.BUILDER, lambda draft: pause(draft, reason="wait"))
        with pytest.raises(InputError, match="paused by Builder: wait") as caught:
            bench.did(by, lambda draft: resume(draft, reason="seen"))
        assert caught.value.hint == "who may: Builder, Director, Human"

    def test_what_a_human_paused_only_a_human_resumes(self) -> None:
        bench = Bench()
        bench.did(HUMAN, lambda draft: pause(draft, reason="wait"))
        with pytest.raises(InputError, match="paused by Human: wait") as caught:
            bench.did(Role.DIRECTOR, lambda draft: resume(draft, reason="seen"))
        assert caught.value.hint == "who may: Human"

    def test_a_pause_does_not_count_as_silence(self) -> None:
        bench = Bench()
        bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, status="working"))
        bench.did(HUMAN, lambda draft: pause(draft, reason="wait"))
        bench.now += 3600
        bench.did(HUMAN, lambda draft: resume(draft, reason="seen"))
        builder = bench.board.get(Agent, Role.BUILDER)
        assert builder is not None
        assert builder.seen == bench.now

    def test_a_human_takes_an_agents_pause_over_and_nobody_pauses_twice(self) -> None:
        bench = Bench()
        bench.did(Role.BUILDER, lambda draft: pause(draft, reason="wait"))
        with pytest.raises(InputError, match="paused by Builder"):
            bench.did(Role.DIRECTOR, lambda draft: pause(draft, reason="wait"))
        assert bench.did(HUMAN, lambda draft: pause(draft, reason="mine")).paused_by == HUMAN
        for by in (HUMAN, Role.BUILDER):
            with pytest.raises(InputError, match="paused by Human: mine"):
                bench.did(by, lambda draft: pause(draft, reason="again"))
        with pytest.raises(InputError, match="Human: mine"):
            bench.did(Role.BUILDER, lambda draft: resume(draft, reason="go"))

    def test_what_is_not_paused_is_not_resumed(self) -> None:
        with pytest.raises(InputError, match="the run is not paused"):
            Bench().did(HUMAN, lambda draft: resume(draft, reason="go"))

    def test_reasons_are_needed(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="the reason is empty"):
            bench.did(HUMAN, lambda draft: pause(draft, reason=" "))
        bench.did(HUMAN, lambda draft: pause(draft, reason="look"))
        with pytest.raises(InputError, match="the reason is empty"):
            bench.did(HUMAN, lambda draft: resume(draft, reason=" "))


class TestEnding:
    def test_working_agents_stop_and_running_tasks_stay_undone(self) -> None:
        bench = Bench()
        bench.did(HUMAN, lambda d: add_tasks(d, tasks=[NewTask(id="a", title="A", role=Role.BUILDER)]))
        bench.did(Role.BUILDER, lambda draft: begin_task(draft, task="a"))
        bench.did(Role.SCRIBE, lambda draft: report(draft, role=Role.SCRIBE, status="active"))
        bench.did(Role.SCOUT, lambda draft: report(draft, role=Role.SCOUT, status="blocked"))
        bench.now += 60
        run = bench.did(HUMAN, lambda draft: end(draft, reason="enough"))
        assert (run.status, run.ended, run.note, run.open) == ("ended", bench.now, "enough", False)
        stopped = {role for role, status in statuses(bench).items() if status == "stopped"}
        assert stopped == {"builder", "scribe", "scout"}
        task = bench.board.get(Task, "a")
        assert task is not None
        assert task.status == "running"

    @pytest.mark.parametrize("by", WORKERS)
    def test_those_who_do_not_lead_do_not_end_it(self, by: str) -> None:
        with pytest.raises(InputError, match="may not end the run") as caught:
            Bench().did(by, lambda draft: end(draft, reason="tired"))
        assert caught.value.hint == "who may: Director, Human, System"


class TestPhases:
    def test_each_review_is_a_round_of_its_own(self) -> None:
        bench = Bench()
        course = [Phase.EXECUTION, Phase.REVIEW, Phase.ITERATION, Phase.REVIEW, Phase.DONE]
        rounds: list[int] = []
        for phase in course:
            bench.now += 60
            run = move(bench, phase)
            assert (run.phase, run.since) == (phase, bench.now)
            rounds.append(run.round)
        assert rounds == [0, 1, 1, 2, 2]

    def test_a_move_that_is_none_names_those_that_are(self) -> None:
        with pytest.raises(InputError, match="planning does not lead to review") as caught:
            move(Bench(), Phase.REVIEW)
        assert caught.value.hint == "it may move to: execution"

    @pytest.mark.parametrize("by", WORKERS)
    def test_agents_do_not_move_it(self, by: str) -> None:
        with pytest.raises(InputError, match="phases are moved by the Director") as caught:
            move(Bench(), Phase.EXECUTION, by)
        assert caught.value.hint == "who moves a run: Director, Human, System"

    def test_going_back_needs_a_reason(self) -> None:
        bench = Bench()
        move(bench, Phase.EXECUTION)
        with pytest.raises(InputError, match="needs a reason"):
            move(bench, Phase.PLANNING, reason=" \u200b")
        assert move(bench, Phase.PLANNING, reason="the design is wrong").phase is Phase.PLANNING

    def test_nothing_moves_while_it_is_paused(self) -> None:
        bench = Bench()
        bench.did(HUMAN, lambda draft: pause(draft, reason="look"))
        with pytest.raises(InputError, match="paused by Human: look; no phase begins"):
            move(bench, Phase.EXECUTION)

    def test_nothing_moves_while_an_emergency_is_open_and_nobody_tries_to_resolve_it(self) -> None:
        bench = Bench()
        emergency = bench.did(Role.SCOUT, lambda d: raise_emergency(d, level=2, text="two outputs differ"))
        with pytest.raises(InputError, match="emergency") as caught:
            move(bench, Phase.EXECUTION)
        assert emergency.id in caught.value.message
        assert "two outputs differ" in caught.value.message
        bench.did(Role.DIRECTOR, lambda d: attempt(d, emergency=emergency.id, what="compare them"))
        assert move(bench, Phase.EXECUTION).phase is Phase.EXECUTION
        bench.did(Role.DIRECTOR, lambda d: failed(d, emergency=emergency.id, reason="they still differ"))
        with pytest.raises(InputError, match=emergency.id):
            move(bench, Phase.REVIEW)
        bench.did(Role.DIRECTOR, lambda d: resolve(d, emergency=emergency.id, reason="one was old"))
        assert move(bench, Phase.REVIEW).phase is Phase.REVIEW

    def test_an_emergency_of_one_agent_keeps_no_phase(self) -> None:
        bench = Bench()
        bench.did(Role.SCOUT, lambda draft: raise_emergency(draft, level=1, text="stuck"))
        assert move(bench, Phase.EXECUTION).phase is Phase.EXECUTION

    def test_who_moves_it_was_seen(self) -> None:
        bench = Bench()
        bench.now += 5
        move(bench, Phase.EXECUTION)
        seen = {agent.role: agent.seen for agent in bench.board.all(Agent)}
        assert seen[Role.DIRECTOR] == bench.now
        assert seen[Role.BUILDER] is None
