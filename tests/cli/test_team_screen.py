"""What a run looks like on a screen: documents by hand, and the lines that follow from them."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from clawswarm.cli.team_layout import Section, arranged, fit, padded, wrapped
from clawswarm.cli.team_screen import screen, told
from clawswarm.cli.team_times import lasting
from clawswarm.config.team import Budget, TeamRules
from clawswarm.team import agents, checkpoints, emergencies, runs, tasks, voting
from clawswarm.team.overview import Overview, collect
from clawswarm.types.alarms import Alert, Receipt
from clawswarm.types.board import Evidence
from clawswarm.types.team import Channel, Level, Phase, Role
from tests.team.boards import Bench

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def seen(bench: Bench, *, later: float = 0) -> Overview:
    return collect(bench.board, "r1", now=bench.now + later)


def test_a_run_that_has_just_begun() -> None:
    assert screen(seen(Bench(), later=61)) == [
        "🐝 r1",
        "   Build it",
        "   Phase: planning for 1m 1s (opened 1m 1s ago)",
        "   Level: 0, breaker normal: normal operation",
        "",
        "   AGENT       STATUS   TRUST  INBOX  SEEN     WORKS ON",
        "   director    idle         -      0  -        -",
        "   architect   idle      7/10      0  -        -",
        "   scout       idle      7/10      0  -        -",
        "   builder     idle      7/10      0  -        -",
        "   refactorer  idle      7/10      0  -        -",
        "   inspector   idle      7/10      0  -        -",
        "   scribe      idle         -      0  -        -",
        "",
        "   Spend: $0.00 (no cap), 0 calls",
        "   Checkpoint: none yet",
    ]


def busy() -> Bench:
    """A run in its second hour."""
    bench = Bench(TeamRules(budget=Budget(max_run_spend=Decimal(5), expected_minutes={"execution": 240})))
    plan = [
        tasks.NewTask(id="design", title="Agree on the API", role=Role.ARCHITECT),
        tasks.NewTask(id="login", title="Build the page", role=Role.BUILDER, needs=("design",)),
    ]
    bench.did("director", lambda draft: tasks.add_tasks(draft, tasks=plan))
    bench.did("architect", lambda draft: tasks.begin_task(draft, task="design"))
    proof = [Evidence(kind="file", ref="api.md")]
    bench.did("architect", lambda draft: tasks.finish_task(draft, task="design", evidence=proof))
    bench.did("director", lambda draft: runs.move_phase(draft, to=Phase.EXECUTION, reason=""))
    bench.now += 3600
    bench.did("builder", lambda draft: tasks.begin_task(draft, task="login"))
    bench.did("builder", lambda draft: agents.report(draft, role=Role.BUILDER, sentence="half done"))
    bench.did("architect", lambda draft: voting.propose(draft, topic="REST?", options=["yes", "no"]))
    bench.did(
        "builder",
        lambda draft: agents.note_spend(
            draft, role=Role.BUILDER, input_tokens=1, output_tokens=1, cost_pico=None
        ),
    )
    bench.did(
        "scribe",
        lambda draft: checkpoints.take(
            draft, trigger="half way", summary="well", sentences={}, next_trigger="the review"
        ),
    )
    return bench


def test_a_run_in_full_swing() -> None:
    lines = screen(seen(busy(), later=5))
    assert lines[2] == "   Phase: execution for 1h of 4h (opened 1h ago)"
    assert "   builder     working   7/10      0  5s       Build the page: half done" in lines
    assert lines[-11:] == [
        "   Proposals that wait: 1",
        "   p9  REST?",
        "      round 1, 595 s left, not yet voted: Director, Architect, Scout, Builder, Refactorer, "
        "Inspector, Scribe",
        "",
        "   Tasks: 1 done, 1 running",
        "   ▶ login   builder     Build the page",
        "   ✓ design  architect   Agree on the API",
        "",
        "   Spend: at least $0.00 (cap $5.00), 1 call, 1 of unknown price",
        "   Checkpoint: c11, 5s ago: half way",
        "   Next: the review",
    ]


def alarmed(level: int = 2) -> Bench:
    bench = Bench()
    bench.did("inspector", lambda d: emergencies.raise_emergency(d, level=level, text="they\ncontradict"))
    return bench


def test_an_alarm_says_who_pauses_and_how_it_ends() -> None:
    bench = alarmed()
    lines = screen(seen(bench, later=5))
    start = lines.index("🚨 e2  level 2, alarm raised by hand, by inspector, 5s ago")
    assert lines[start + 1 : start + 3] == [
        "      they contradict",
        '      to end it: swarm team resolve e2 "what was done"',
    ]
    assert "   AGENT       STATUS   IS TO     TRUST  INBOX  SEEN     WORKS ON" in lines
    assert "   director    idle     continue      -      0  -        -" in lines
    assert "   builder     idle     pause      7/10      0  -        -" in lines
    bench.did("director", lambda draft: emergencies.attempt(draft, emergency="e2", what="a meeting"))
    lines = screen(seen(bench))
    assert "      being tried: a meeting" in lines
    assert "   Level: 2, breaker probing: " in "\n".join(lines)
    bench.did("director", lambda draft: emergencies.failed(draft, emergency="e2", reason="no"))
    assert "      1 failed attempt" in screen(seen(bench))


def test_nothing_claims_that_a_human_was_told_without_a_receipt() -> None:
    text = " ".join(" ".join(screen(seen(alarmed(3)))).split())
    assert "a human is needed: alarm raised by hand, level 3 nobody has been told yet" in text
    assert "took it" not in text


def alert(*receipts: Channel, wanted: tuple[Channel, ...] = ("file", "webhook"), **trouble: str) -> Alert:
    return Alert(
        id="a3",
        emergency="e2",
        level=Level.SYSTEM,
        at=0,
        title="",
        body="",
        wanted=wanted,
        receipts=tuple(Receipt(channel=each, at=0, detail="HTTP 200") for each in receipts),
        trouble=trouble,
    )


def test_a_receipt_of_the_file_alone_calls_nobody() -> None:
    assert told(None) == ["nobody has been told"]
    assert told(alert()) == ["nobody has been told yet"]
    assert told(alert("file", webhook="HTTP 503")) == ["nobody has been told yet", "webhook: HTTP 503"]
    first, second = told(alert("file", wanted=("file",)))
    assert (first, "team.alerts.webhook" in second) == ("nobody has been told yet", True)
    (line,) = told(alert("file", "webhook"))
    assert re.fullmatch(r"webhook took it at \d\d:\d\d:\d\d, HTTP 200", line)


def test_an_alert_that_waits_is_shown_after_its_emergency_is_over() -> None:
    bench = alarmed(3)
    bench.did("human", lambda draft: emergencies.resolve(draft, emergency="e2", reason="seen it"))
    assert "📣 a3, for e2: nobody has been told yet; the file" in "\n".join(screen(seen(bench)))


def test_a_run_that_waits_or_has_ended_says_why() -> None:
    bench = Bench()
    bench.did("human", lambda draft: runs.pause(draft, reason="let me look"))
    assert "   Run:   paused by Human: let me look" in screen(seen(bench))
    bench.did("human", lambda draft: runs.end(draft, reason="enough"))
    lines = screen(seen(bench, later=60))
    assert lines[2:4] == [
        "   Phase: planning (ended 1m ago, after 0s)",
        "   Run:   the run has ended: enough",
    ]
    assert not [line for line in lines if "to end it" in line]


@pytest.mark.parametrize("make", [busy, alarmed, lambda: alarmed(3)])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_screen_never_takes_more_room_than_there_is(make: Callable[[], Bench], width: int) -> None:
    bench = make()
    for room in range(1, 50):
        lines = screen(seen(bench), width=width, room=room)
        assert len(lines) <= room
        assert all(cell_len(line) <= width for line in lines)
        assert lines[0] == "🐝 r1"


@given(st.text(max_size=400))
def test_no_text_of_an_agent_steers_the_screen(text: str) -> None:
    bench = Bench()
    bench.did("builder", lambda d: agents.report(d, role=Role.BUILDER, status="working", task=text[:100]))
    bench.did("scout", lambda d: emergencies.raise_emergency(d, level=2, text=f"x{text}"))
    lines = screen(seen(bench), width=60, room=40)
    assert not [line for line in lines if CONTROLS.search(line)]
    assert len([line for line in lines if line.startswith(("🐝", "🚨"))]) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0s"), (0.9, "0s"), (7, "7s"), (60, "1m"), (307, "5m 7s"), (3600, "1h"), (3605, "1h"),
        (7500, "2h 5m"), (90_000, "1d 1h"), (86_400 * 3, "3d"),
    ],
)  # fmt: skip
def test_how_long_in_two_units_at_most(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


# The layout


def test_rows_of_low_rank_give_way_and_are_counted() -> None:
    alarms = Section(rows=[["! one", "!   more"], ["! two"]], rank=0)
    rows = Section(head=["tasks"], rows=[["  a"], ["  b"], ["  c"]], rank=1)
    past = Section(rows=[["x"], ["y"]], rank=2, tail=True)
    whole = ["! one", "!   more", "! two", "", "tasks", "  a", "  b", "  c", "", "x", "y"]
    assert arranged((alarms, rows, past), None) == whole
    assert arranged((alarms, rows, past), 11) == whole
    assert arranged((alarms, rows, past), 9) == [line for line in whole if line]
    assert arranged((alarms, rows, past), 8)[-2:] == ["  c", "y"]
    assert arranged((alarms, rows, past), 6) == [
        "! one",
        "!   more",
        "! two",
        "tasks",
        "  a",
        "  … and 2 more",
    ]
    assert arranged((alarms, rows, past), 3) == ["! one", "… and 1 more", "tasks"]
    assert arranged((), 3) == []


@given(st.text(), st.integers(2, 60))
def test_what_is_fitted_fits(text: str, width: int) -> None:
    line = " ".join(text.split())
    assert cell_len(fit(line, width)) <= width
    assert cell_len(padded(line, width)) == width


@given(st.text(alphabet="ab 東京🐝", max_size=300), st.integers(24, 80), st.integers(1, 4))
def test_what_is_wrapped_fits(text: str, width: int, most: int) -> None:
    lines = wrapped(" ".join(text.split()), width, first="   ", most=most)
    assert 1 <= len(lines) <= most
    assert all(cell_len(line) <= width for line in lines)
    if most > 1 and text.isascii():
        assert " ".join(" ".join(lines).split()).rstrip("…").rstrip() in " ".join(text.split())


def test_a_wrapped_text_that_is_cut_says_so() -> None:
    assert wrapped("one two three four five six seven", 20, first="- ", then="  ", most=2) == [
        "- one two three four",
        "  five six seven",
    ]
    assert (
        wrapped("one two three four five six seven eight", 20, first="- ", then="  ", most=2)[-1][-1] == "…"
    )
    assert wrapped("", 20, first="- ") == ["-"]
