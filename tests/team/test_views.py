"""The files that show a run: the guide's layout to the byte, and nothing in them that an agent forged."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clawswarm.config.team import Budget, TeamRules
from clawswarm.team.agents import note_spend, report
from clawswarm.team.checkpoints import take
from clawswarm.team.emergencies import attempt, failed, raise_emergency, resolve
from clawswarm.team.overview import collect
from clawswarm.team.runs import end, move_phase, pause
from clawswarm.team.tasks import NewTask, add_tasks, begin_task, finish_task
from clawswarm.team.trusting import adjust
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.team.views import VIEWS
from clawswarm.team.voting import decide, propose, vote
from clawswarm.types.alarms import Alert, Emergency, Receipt
from clawswarm.types.board import Evidence
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.team import HUMAN, SYSTEM, AgentStatus, Level, Phase, Role
from tests.team.boards import Bench
from tests.team.looks import decided, look, write

GUIDE = """\
# ~/clawd/memory/team-state.md

## Current Phase: 2 - Execution
## Last Checkpoint: 2026-01-28 03:45:00

### Agent Status
| Agent | Status | Current Task | Trust |
|-------|--------|--------------|-------|
| Director | Active | Monitoring | N/A |
| Architect | Idle | - | 8/10 |
| Scout | Working | Researching API patterns | 7/10 |
| Builder | Working | Implementing auth module | 9/10 |
| Refactorer | Idle | - | 8/10 |
| Inspector | Idle | - | 9/10 |
| Scribe | Active | Maintaining state | N/A |

### Pending Decisions
- [ ] Choice between REST vs GraphQL (awaiting Scout research)

### Blockers
- None currently

### Next Checkpoint Trigger
- Builder completes auth module
"""
"""The operations guide's own example, section 3."""

MOMENT = datetime(2026, 1, 28, 3, 45, tzinfo=UTC).timestamp()

STATE, PIPELINE, EMERGENCY, DECISIONS = (
    VIEWS[name] for name in ("team-state.md", "pipeline-state.md", "emergency.md", "decisions.md")
)


def checkpoint(
    bench: Bench, *blockers: str, next_trigger: str = "", summary: str = "All is well"
) -> Checkpoint:
    return bench.did(
        "scribe",
        lambda d: take(
            d,
            trigger="a milestone",
            summary=summary,
            sentences={Role.BUILDER: "half of it stands"},
            blockers=blockers,
            next_trigger=next_trigger,
        ),
    )


def ask(bench: Bench, topic: str = "REST or GraphQL?", waits_for: str = "") -> Proposal:
    return bench.did(
        "architect", lambda d: propose(d, topic=topic, options=["REST", "GraphQL"], waits_for=waits_for)
    )


def alarm(bench: Bench, level: int, text: str, human: str | None = None) -> Emergency:
    return bench.did("inspector", lambda d: raise_emergency(d, level=level, text=text, human=human))


def test_the_guides_example_comes_out_to_the_byte() -> None:
    bench = Bench()
    bench.now = MOMENT
    bench.did("director", lambda d: move_phase(d, to=Phase.EXECUTION, reason="the plan stands"))
    doing: dict[Role, tuple[AgentStatus, str]] = {
        Role.DIRECTOR: ("active", "Monitoring"),
        Role.SCOUT: ("working", "Researching API patterns"),
        Role.BUILDER: ("working", "Implementing auth module"),
        Role.SCRIBE: ("active", "Maintaining state"),
    }
    for role, (status, task) in doing.items():
        bench.did(
            role,
            lambda d, role=role, status=status, task=task: report(d, role=role, status=status, task=task),
        )
    for role, delta in ((Role.ARCHITECT, 1), (Role.BUILDER, 2), (Role.REFACTORER, 1), (Role.INSPECTOR, 2)):
        bench.did(
            "director", lambda d, role=role, delta=delta: adjust(d, role=role, delta=delta, reason="good")
        )
    ask(bench, "Choice between REST vs GraphQL", waits_for="Scout research")
    checkpoint(bench, next_trigger="Builder completes auth module")
    bench.now += 100
    assert STATE(look(bench)) == GUIDE


class TestTeamState:
    def test_a_new_run_waits_for_everything(self) -> None:
        lines = STATE(look(Bench())).splitlines()
        assert lines[2:4] == ["## Current Phase: 1 - Planning", "## Last Checkpoint: none yet"]
        assert "| Builder | Idle | - | 7/10 |" in lines
        assert lines[-1] == "- None set"
        assert lines.count("- None currently") == 2

    def test_an_open_vote_says_whom_it_waits_for(self) -> None:
        bench = Bench()
        bench.now = MOMENT
        proposal = ask(bench)
        assert "- [ ] REST or GraphQL? (awaiting all votes until 2026-01-28 03:55:00)" in STATE(look(bench))
        for role in Role:
            if role not in (Role.SCOUT, Role.SCRIBE):
                bench.did(role, lambda d, role=role: vote(d, proposal=proposal.id, role=role, option="REST"))
        assert "(awaiting the votes of Scout, Scribe until 2026-01-28 03:55:00)" in STATE(look(bench))

    def test_blockers_are_emergencies_and_what_the_checkpoint_named(self) -> None:
        bench = Bench()
        checkpoint(bench, "the API key is missing")
        alarm(bench, 2, "two designs")
        state = STATE(look(bench))
        assert (
            "- Emergency e3, level 2, alarm raised by hand: two designs\n- the API key is missing\n" in state
        )
        assert "| Builder | Idle (paused) |" in state
        assert "| Director | Idle |" in state

    def test_a_paused_run_and_an_ended_one_say_why(self) -> None:
        bench = Bench()
        bench.did(HUMAN, lambda d: pause(d, reason="lunch"))
        assert "- The run is paused by Human: lunch" in STATE(look(bench))
        bench.did(HUMAN, lambda d: end(d, reason="enough"))
        assert "- The run has ended: enough" in STATE(look(bench))
        assert "(paused)" not in STATE(look(bench))

    def test_many_blockers_are_counted(self) -> None:
        bench = Bench()
        for number in range(60):
            alarm(bench, 1, f"trouble {number}")
        state = STATE(look(bench))
        assert state.count("- Emergency e") == 50
        assert "- and 10 more\n" in state


class TestPipelineState:
    def test_tasks_are_listed_by_status(self) -> None:
        bench = Bench()
        tasks = [
            NewTask(id="plan", title="Plan it", role=Role.ARCHITECT),
            NewTask(id="auth", title="Auth | module", role=Role.BUILDER, needs=("plan",)),
        ]
        bench.did("director", lambda d: add_tasks(d, tasks=tasks))
        bench.did("architect", lambda d: begin_task(d, task="plan"))
        proof = [Evidence(kind="command", ref="pytest -q", exit_code=0)]
        bench.did("architect", lambda d: finish_task(d, task="plan", evidence=proof))
        view = PIPELINE(look(bench))
        assert "- Tasks: 2, open: 1\n- Pending: 1\n- Done: 1\n" in view
        pending, done = view.split("### Pending")[1], view.split("### Done")[1]
        assert "| auth | Auth \\| module | Builder | plan | 0 | - | - |" in pending
        assert "| plan | Plan it | Architect | - | 1 | command pytest -q (exit 0) |" in done
        assert "### Failed" not in view

    def test_spend_stands_beside_its_caps(self) -> None:
        bench = Bench(TeamRules(budget=Budget(max_run_spend=Decimal(5), max_hours=8)))
        opened = datetime.fromtimestamp(bench.now + 8 * 3600, UTC).strftime("%Y-%m-%d %H:%M:%S")
        for cost in (1_500_000_000_000, None):
            bench.did(
                SYSTEM,
                lambda d, cost=cost: note_spend(
                    d, role=Role.BUILDER, input_tokens=1000, output_tokens=10, cost_pico=cost
                ),
            )
        view = PIPELINE(look(bench))
        assert "- Cost: $1.50, 1 call unknown (at most $5.00)\n" in view
        assert f"(until {opened})" in view
        assert "| Builder | 2 | 2,000 | 20 | $1.50, 1 call unknown |" in view
        assert "| All | 2 | 2,000 | 20 |" in view

    def test_without_a_known_price_the_cost_is_unknown(self) -> None:
        bench = Bench()
        bench.did(
            SYSTEM,
            lambda d: note_spend(d, role=Role.SCOUT, input_tokens=1, output_tokens=1, cost_pico=None),
        )
        assert "- Cost: unknown (no cap)" in PIPELINE(look(bench))

    def test_it_says_who_is_paused_and_why(self) -> None:
        bench = Bench()
        assert "## Level: 0\n" in PIPELINE(look(bench))
        assert "- Paused: nobody\n" in PIPELINE(look(bench))
        alarm(bench, 2, "two designs")
        view = PIPELINE(look(bench))
        assert "## Level: 2\n" in view
        assert "- Circuit breaker: paused\n" in view
        assert "- Paused: Architect, Scout, Builder, Refactorer, Inspector, Scribe\n" in view
        assert "two designs" in view


class TestEmergency:
    def test_without_one_it_says_how_to_raise_one(self) -> None:
        view = EMERGENCY(look(Bench()))
        assert "## Current Level: 0\n- No emergency\n" in view
        assert "swarm team emergency" in view

    def test_an_open_one_is_a_message_in_the_guides_format(self) -> None:
        bench = Bench()
        bench.now = MOMENT
        raised = alarm(bench, 2, "Password hashing uses MD5.\n# Not a heading")
        bench.did("director", lambda d: attempt(d, emergency=raised.id, what="bcrypt"))
        bench.did("director", lambda d: failed(d, emergency=raised.id, reason="it does not build"))
        view = EMERGENCY(look(bench))
        assert "## Current Level: 2\n" in view
        assert (
            "FROM: Inspector\nTO: Director\nTYPE: ALERT\nPRIORITY: EMERGENCY\n"
            "TIMESTAMP: 2026-01-28T03:45:00Z\n\n"
            "### Content\n> Password hashing uses MD5.\n> \\# Not a heading\n\n### Context\n"
        ) in view
        assert "- Attempt 1 by Director, 2026-01-28 03:45:00, it failed: bcrypt\n" in view
        assert f"swarm team resolve {raised.id}" in view.split("### Expected Response")[1]
        assert "- Human: not needed yet\n" in view

    @pytest.mark.parametrize(
        ("receipts", "told"),
        [
            ((), False),
            ((Receipt(channel="file", at=MOMENT, detail="ALERT-1.md"),), False),
            ((Receipt(channel="webhook", at=MOMENT, detail="200 OK"),), True),
        ],
    )
    def test_a_human_was_told_only_with_a_receipt(self, receipts: tuple[Receipt, ...], *, told: bool) -> None:
        bench = Bench()
        raised = alarm(bench, 3, "the disk is full")
        alert = next(iter(bench.board.all(Alert)))
        trouble = {} if told else {"webhook": "connection refused"}
        write(bench, replace(alert, receipts=receipts, wanted=("file", "webhook"), trouble=trouble))
        view = EMERGENCY(look(bench))
        assert (f"- Human: told (alert {alert.id})" in view) is told
        assert ("nobody can be said to have been told yet" in view) is not told
        assert ("- Not received: webhook: connection refused" in view) is not told
        assert "TO: Human\n" in view
        assert raised.id in view

    def test_without_an_alert_nobody_was_told(self) -> None:
        bench = Bench()
        alarm(bench, 2, "two designs")
        raised = next(iter(bench.board.all(Emergency)))
        write(bench, replace(raised, level=Level.ABORT))
        assert "nobody can be said to have been told" in EMERGENCY(look(bench))

    def test_what_is_resolved_is_shown_for_a_while(self) -> None:
        bench = Bench()
        for number in range(25):
            raised = alarm(bench, 2, f"trouble {number}")
            bench.did("director", lambda d, raised=raised: resolve(d, emergency=raised.id, reason="talked"))
        view = EMERGENCY(look(bench))
        assert "- No emergency\n" in view
        assert view.count("  - Resolved by Director, ") == 20
        assert view.index("trouble 24") < view.index("trouble 23")
        assert "5 earlier ones: `swarm team log --kind emergency_resolved`" in view


class TestDecisions:
    def test_without_any(self) -> None:
        assert "## Decisions: 0\n- None yet\n" in DECISIONS(look(Bench()))

    def test_a_forced_one_names_who_and_keeps_the_dissent(self) -> None:
        bench = Bench()
        proposal = ask(bench)
        bench.did(
            "scout",
            lambda d: vote(d, proposal=proposal.id, role=Role.SCOUT, option="GraphQL", reason="fewer\ncalls"),
        )
        bench.did("director", lambda d: decide(d, proposal=proposal.id, option="REST", reason="we know it"))
        view = DECISIONS(look(bench))
        assert (
            "- Topic: REST or GraphQL?\n- Decision: REST\n- How: forced by Director\n- Reason: we know it\n"
            in view
        )
        assert "- Flags: forced\n- Dissent:\n  - Scout for GraphQL: fewer calls\n" in view

    def test_a_unanimous_one_without_evidence_is_flagged(self) -> None:
        bench = Bench()
        proposal = bench.did(
            "architect",
            lambda d: propose(
                d, topic="Ship?", options=["yes", "no"], electorate=[Role.SCOUT], needs_evidence=True
            ),
        )
        bench.did("scout", lambda d: vote(d, proposal=proposal.id, role=Role.SCOUT, option="yes"))
        view = DECISIONS(look(bench))
        assert "- How: unanimous\n" in view
        assert "- Flags: unproven" in view
        assert "- Dissent: none\n" in view

    def test_the_newest_is_last_and_earlier_ones_are_counted(self) -> None:
        bench = Bench()
        made = [decided(f"p{number}", at=MOMENT + number) for number in range(510)]
        for start in range(0, len(made), 100):
            write(bench, *made[start : start + 100])
        view = DECISIONS(look(bench))
        assert (
            "## Decisions: 510\n10 earlier ones are left out: `swarm team log --kind proposal_decided`\n"
            in view
        )
        assert view.count("\n### p") == 500
        assert view.rindex("### p509:") > view.rindex("### p508:")


def test_a_checkpoint_follows_the_guides_agenda() -> None:
    bench = Bench()
    bench.now = MOMENT
    made = checkpoint(bench, "the API key is missing", next_trigger="tests pass", summary="One.\n\nTwo.")
    page = checkpoint_page(made)
    assert page.startswith(f"# Checkpoint {made.id}: 2026-01-28 03:45:00\n")
    assert "## 1. State\n> One.\n>\n> Two.\n" in page
    assert "| Builder | half of it stands |\n" in page
    assert "| Scout | - |\n" in page
    assert "## 3. Blockers\n- the API key is missing\n" in page
    assert "## 4. Decision: Continue\n" in page
    assert page.endswith("## 5. Next Checkpoint Trigger\n- tests pass\n")


def test_views_do_not_change_while_nothing_happens() -> None:
    bench = Bench()
    ask(bench)
    alarm(bench, 3, "the disk is full")
    before = look(bench)
    later = collect(bench.board, "r1", now=bench.now + 3600)
    assert [view(before) for view in VIEWS.values()] == [view(later) for view in VIEWS.values()]
