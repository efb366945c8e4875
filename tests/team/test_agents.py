"""Agents: what they report, what their calls count, a fresh start, and what they spend."""

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import InputError
from clawswarm.team.agents import note_call, note_spend, report, restart
from clawswarm.team.draft import Draft
from clawswarm.team.tasks import NewTask, add_tasks, begin_task
from clawswarm.types.board import Agent, Spend, Task
from clawswarm.types.team import HUMAN, SYSTEM, AgentStatus, Role
from tests.team.boards import Bench

Call = tuple[str, str | None, bool]
"""Arguments, error and whether something changed."""


def agent_of(bench: Bench, role: Role) -> Agent:
    agent = bench.board.get(Agent, role.value)
    assert agent is not None
    return agent


def call(
    bench: Bench, *, tool: str = "read", arguments: str = "a", error: str | None = None, changed: bool = False
) -> Agent:
    return bench.did(
        Role.BUILDER,
        lambda draft: note_call(
            draft,
            role=Role.BUILDER,
            tool=tool,
            arguments=arguments,
            ok=error is None,
            error=error or "",
            changed=changed,
        ),
    )


class TestReporting:
    def test_what_is_not_said_stays(self) -> None:
        bench = Bench()
        first = bench.did(
            Role.BUILDER,
            lambda d: report(d, role=Role.BUILDER, status="working", task="auth", sentence="half\nway"),
        )
        assert (first.status, first.task, first.sentence) == ("working", "auth", "half way")
        bench.now += 9
        second = bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, status="blocked"))
        assert (second.status, second.task, second.sentence) == ("blocked", "auth", "half way")
        assert second.seen == bench.now
        third = bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, task="", sentence=""))
        assert (third.status, third.task, third.sentence) == ("blocked", "", "")

    def test_saying_nothing_is_a_sign_of_life(self) -> None:
        bench = Bench()
        bench.now += 9
        agent = bench.did(Role.SCOUT, lambda draft: report(draft, role=Role.SCOUT))
        assert agent.seen == bench.now
        assert agent.status == "idle"

    @pytest.mark.parametrize("by", [Role.BUILDER, Role.DIRECTOR, HUMAN, SYSTEM])
    def test_an_agent_and_those_who_lead_report_for_it(self, by: str) -> None:
        agent = Bench().did(by, lambda draft: report(draft, role=Role.BUILDER, status="working"))
        assert agent.status == "working"

    @pytest.mark.parametrize("by", [Role.SCOUT, Role.SCRIBE, Role.INSPECTOR])
    def test_nobody_reports_for_another(self, by: str) -> None:
        with pytest.raises(InputError, match="may not report for the Builder") as caught:
            Bench().did(by, lambda draft: report(draft, role=Role.BUILDER, status="working"))
        assert caught.value.hint == "who may: Builder, Director, Human, System"

    def test_a_status_is_one_of_five(self) -> None:
        with pytest.raises(InputError, match="no status 'asleep'") as caught:
            Bench().did(
                Role.BUILDER,
                lambda draft: report(draft, role=Role.BUILDER, status=cast("AgentStatus", "asleep")),
            )
        assert "idle, working, active, blocked, stopped" in (caught.value.hint or "")

    def test_a_sentence_has_500_bytes(self) -> None:
        bench = Bench()
        bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, sentence="x" * 500))
        with pytest.raises(InputError, match="501 bytes; at most 500"):
            bench.did(Role.BUILDER, lambda draft: report(draft, role=Role.BUILDER, sentence="x" * 501))

    def test_a_report_is_no_progress(self) -> None:
        bench = Bench()
        call(bench)
        agent = bench.did(Role.BUILDER, lambda d: report(d, role=Role.BUILDER, sentence="all done, really"))
        assert agent.idle_calls == 1


class TestCalls:
    def test_calls_without_change_are_counted_in_a_row(self) -> None:
        bench = Bench()
        counts = [call(bench, arguments=str(n)).idle_calls for n in range(3)]
        assert counts == [1, 2, 3]
        assert call(bench, changed=True).idle_calls == 0
        assert call(bench).idle_calls == 1

    def test_the_same_call_is_counted_in_a_row(self) -> None:
        bench = Bench()
        same = [call(bench, tool=tool, arguments=arguments).same_calls for tool, arguments in (
            ("read", "a"), ("read", "a"), ("read", "b"), ("write", "b"), ("write", "b"), ("write", "b"),
        )]  # fmt: skip
        assert same == [1, 2, 1, 1, 2, 3]

    def test_only_a_digest_of_the_arguments_is_kept(self) -> None:
        bench = Bench()
        agent = call(bench, arguments="password=hunter2")
        assert "hunter2" not in str(bench.board.bodies())
        assert agent.last_call.startswith("read ")
        assert len(agent.last_call.split()[1]) == 64

    def test_arguments_may_be_anything(self) -> None:
        assert call(Bench(), arguments="\ud800" + "x" * 10**6).same_calls == 1

    def test_the_same_error_is_counted_until_a_call_succeeds(self) -> None:
        bench = Bench()
        errors = [
            call(bench, error=error).same_errors for error in ("no file", "no  file\n", "other", "other")
        ]
        assert errors == [1, 2, 1, 2]
        agent = call(bench)
        assert (agent.same_errors, agent.last_error) == (0, "")
        assert call(bench, error="other").same_errors == 1

    def test_a_failure_without_words_is_a_failure(self) -> None:
        bench = Bench()
        assert [call(bench, error="").same_errors for _ in range(3)] == [1, 2, 3]

    def test_a_long_error_is_cut_and_not_refused(self) -> None:
        assert len(call(Bench(), error="x" * 10**6).last_error) == 500

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "e", "f", None]), st.booleans())))
    def test_the_counters_are_those_of_the_last_calls(
        self, calls: list[tuple[str, str | None, bool]]
    ) -> None:
        bench = Bench()
        for arguments, error, changed in calls:
            call(bench, arguments=arguments, error=error, changed=changed)
        agent = agent_of(bench, Role.BUILDER)

        def last(keep: Callable[[Call], bool]) -> int:
            """How many of the last calls, from the end on, satisfy `keep`."""
            return next((n for n, each in enumerate(reversed(calls)) if not keep(each)), len(calls))

        assert agent.idle_calls == last(lambda each: not each[2])
        assert agent.same_calls == last(lambda each: each[0] == calls[-1][0])
        assert agent.same_errors == last(lambda each: each[1] is not None and each[1] == calls[-1][1])

    def test_a_call_counts_for_the_agent_whoever_notes_it(self) -> None:
        bench = Bench()
        bench.now += 7
        agent = bench.did(
            SYSTEM, lambda draft: note_call(draft, role=Role.SCOUT, tool="search", arguments="", ok=True)
        )
        assert (agent.role, agent.idle_calls, agent.seen) == (Role.SCOUT, 1, bench.now)

    def test_a_call_has_a_tool_and_takes_no_negative_time(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="the tool's name is empty"):
            call(bench, tool="\x00")
        with pytest.raises(InputError, match="-1 ms"):
            bench.did(
                SYSTEM,
                lambda d: note_call(d, role=Role.SCOUT, tool="s", arguments="", ok=True, duration_ms=-1),
            )
        with pytest.raises(InputError, match="may not note calls of the Builder"):
            bench.did(Role.SCOUT, lambda d: note_call(d, role=Role.BUILDER, tool="s", arguments="", ok=True))


class TestRestart:
    def test_nothing_counts_against_it_any_more(self) -> None:
        bench = Bench()
        for _ in range(2):
            call(bench, error="no")
        bench.did(Role.BUILDER, lambda d: report(d, role=Role.BUILDER, status="working", sentence="stuck"))
        before = agent_of(bench, Role.BUILDER)
        agent = bench.did(Role.DIRECTOR, lambda draft: restart(draft, role=Role.BUILDER, reason="stuck"))
        assert agent == Agent(role=Role.BUILDER, trust=before.trust, life=1, seen=before.seen)
        assert bench.did(HUMAN, lambda d: restart(d, role=Role.BUILDER, reason="again")).life == 2

    def test_its_running_tasks_are_to_be_begun_anew(self) -> None:
        bench = Bench()
        new = [
            NewTask(id=id_, title=id_, role=role)
            for id_, role in (("a", Role.BUILDER), ("b", Role.BUILDER), ("c", Role.SCOUT))
        ]
        bench.did(HUMAN, lambda draft: add_tasks(draft, tasks=new))
        for task in ("a", "c"):
            bench.did(HUMAN, lambda draft, task=task: begin_task(draft, task=task))
        bench.did(HUMAN, lambda draft: restart(draft, role=Role.BUILDER, reason="stuck"))
        assert {task.id: task.status for task in bench.board.all(Task)} == {
            "a": "pending",
            "b": "pending",
            "c": "running",
        }
        assert bench.did(Role.BUILDER, lambda draft: begin_task(draft, task="a")).attempts == 2

    @pytest.mark.parametrize("by", [Role.BUILDER, Role.SCOUT])
    def test_only_those_who_lead_restart(self, by: str) -> None:
        with pytest.raises(InputError, match="may not restart an agent"):
            Bench().did(by, lambda draft: restart(draft, role=Role.BUILDER, reason="stuck"))


class TestSpending:
    def test_it_adds_up_and_unknown_prices_are_not_nothing(self) -> None:
        bench = Bench()

        def spend(cost: int | None) -> Spend:
            def noting(draft: Draft) -> Spend:
                return note_spend(draft, role=Role.SCOUT, input_tokens=10, output_tokens=3, cost_pico=cost)

            return bench.did(Role.SCOUT, noting)

        assert spend(7) == Spend(role=Role.SCOUT, calls=1, input_tokens=10, output_tokens=3, cost_pico=7)
        assert spend(None) == Spend(
            role=Role.SCOUT, calls=2, input_tokens=20, output_tokens=6, cost_pico=7, unknown=1
        )
        assert spend(0).unknown == 1

    @pytest.mark.parametrize(("tokens", "cost"), [((-1, 0), 0), ((0, -1), 0), ((0, 0), -1)])
    def test_money_is_not_unspent(self, tokens: tuple[int, int], cost: int) -> None:
        with pytest.raises(InputError, match="less than nothing"):
            Bench().did(
                SYSTEM,
                lambda d: note_spend(
                    d, role=Role.SCOUT, input_tokens=tokens[0], output_tokens=tokens[1], cost_pico=cost
                ),
            )

    def test_nobody_spends_in_anothers_name(self) -> None:
        with pytest.raises(InputError, match="may not note what the Scout spends"):
            Bench().did(
                Role.BUILDER,
                lambda d: note_spend(d, role=Role.SCOUT, input_tokens=0, output_tokens=0, cost_pico=0),
            )
