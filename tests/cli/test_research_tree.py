"""What a research shows: hand-made events, and the lines that follow from them."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.cli.research_course import ResearchCourse
from clawswarm.cli.research_summary import how_far, summary
from clawswarm.cli.research_tree import plain, tree
from clawswarm.cli.screen import LONGEST, json_on_screen, on_screen, one_line
from clawswarm.types.research import (
    PhaseName,
    PhaseStarted,
    ResearchComplete,
    ResearchEvent,
    ResearchResult,
    ResearchStarted,
    ResearchStats,
    Source,
    StepFinished,
    SubjectResult,
)
from clawswarm.types.result import Failure
from tests.clock import FakeClock

NAMES = ("OpenAI", "Anthropic", "Google")
STARTED = ResearchStarted(
    total=3,
    phases=("search", "fetch", "analyze", "compare"),
    workers=3,
    provider="openai",
    model="gpt-6-luna",
    search="searxng",
)
STATS = ResearchStats(
    total=3,
    successful=3,
    failed=0,
    total_duration_ms=6240,
    model_calls=4,
    pages_fetched=9,
    claims=12,
    verified_claims=11,
    speedup=4.13,
    input_tokens=100,
    output_tokens=50,
    cost_pico=12_300_000_000,
)
HEADING = [
    "🐝 Swarm initializing...",
    "   4 phases, up to 3 workers",
    "   openai, gpt-6-luna; pages found by searxng",
]
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def phase(name: PhaseName, total: int = 3) -> PhaseStarted:
    return PhaseStarted(phase=name, number=STARTED.phases.index(name) + 1, of=4, total=total)


def step(name: PhaseName, index: int, detail: str = "3 pages found", *, ok: bool = True) -> StepFinished:
    return StepFinished(
        phase=name, index=index, subject=NAMES[index % 3], ok=ok, duration_ms=1200, detail=detail
    )


def result(*subjects: SubjectResult, stats: ResearchStats = STATS) -> ResearchResult:
    return ResearchResult(
        topic="", depth="quick", search="searxng", subjects=subjects, comparison=None, stats=stats, report=""
    )


SEARCHED = (STARTED, phase("search"), *(step("search", index) for index in range(3)))


def course(clock: FakeClock, *events: ResearchEvent, subjects: tuple[str, ...] = NAMES) -> ResearchCourse:
    made = ResearchCourse(subjects, clock)
    for event in events:
        made.take(event)
    return made


def test_before_anything_has_happened_there_is_a_title(clock: FakeClock) -> None:
    assert tree(course(clock)) == HEADING[:1]
    assert tree(course(clock, STARTED)) == HEADING


def test_a_phase_shows_each_subject_and_how_its_step_ended(clock: FakeClock) -> None:
    trouble = step("search", 2, "searxng found no page", ok=False)
    made = course(clock, STARTED, phase("search"), step("search", 0), trouble)
    assert tree(made) == [
        *HEADING,
        "",
        "   Phase 1: Search (3 tasks) 2 done, 1 failed, 0ms",
        "   ├─ Worker 1: OpenAI ✓ 3 pages found (1.2s)",
        "   ├─ Worker 2: Anthropic...",
        "   └─ Worker 3: Google ✗ searxng found no page (1.2s)",
    ]


def test_phases_that_are_over_collapse_and_failed_subjects_take_no_further_part(
    clock: FakeClock,
) -> None:
    made = course(clock, *SEARCHED[:2])
    clock.advance(2.5)
    for event in (*SEARCHED[2:], phase("fetch"), step("fetch", 0), step("fetch", 1, "404", ok=False)):
        made.take(event)
    clock.advance(1)
    for event in (step("fetch", 2), phase("analyze", 2)):
        made.take(event)
    clock.advance(0.25)
    assert tree(made)[4:] == [
        "   Phase 1: Search (3 tasks) ✓ 2.5s",
        "   Phase 2: Fetch (3 tasks) ✓ 2 ✗ 1 1.0s",
        "   Phase 3: Analyze (2 tasks) 0 done, 250ms",
        "   ├─ Worker 1: OpenAI...",
        "   └─ Worker 3: Google...",
    ]


def test_the_comparison_is_about_all_subjects(clock: FakeClock) -> None:
    made = course(clock, *SEARCHED, phase("compare", 1))
    assert tree(made)[-2:] == ["   Phase 4: Compare (1 task) 0 done, 0ms", "   └─ Worker 1: all subjects..."]


def test_a_phase_without_tasks_is_over_at_once(clock: FakeClock) -> None:
    made = course(clock, *SEARCHED, phase("analyze", 0))
    assert tree(made)[-1] == "   Phase 3: Analyze (0 tasks) - nothing is left to do"
    assert plain(made, phase("analyze", 0)) == tree(made)[-1:]


def test_more_subjects_than_workers_have_numbers_of_their_own(clock: FakeClock) -> None:
    made = course(clock, replace(STARTED, workers=2), phase("search"), step("search", 1))
    assert tree(made)[-3:] == [
        "   ├─ 1. OpenAI...",
        "   ├─ 2. Anthropic ✓ 3 pages found (1.2s)",
        "   └─ 3. Google...",
    ]


@pytest.mark.parametrize("room", range(1, 30))
def test_a_tree_never_takes_more_lines_than_there_are(clock: FakeClock, room: int) -> None:
    many = tuple(f"S{number}" for number in range(50))
    made = course(clock, STARTED, phase("search", 50), subjects=many)
    for index in range(25):
        made.take(step("search", index))
    lines = tree(made, room)
    assert len(lines) <= room
    if room >= 9:
        assert lines[0] == HEADING[0]
        assert "   ├─ 26. S25..." in lines  # what goes on is shown first
        hidden = 50 - (room - 5 - 1)
        assert lines[-1] == f"   └─ … and {hidden} more, 25 of them done"


def test_without_a_terminal_there_is_a_line_for_each_phase_and_one_for_its_end(clock: FakeClock) -> None:
    events = (*SEARCHED, phase("fetch", 2), step("fetch", 0, ok=False), step("fetch", 1))
    made = course(clock)
    lines: list[str] = []
    for event in events:
        made.take(event)
        lines += plain(made, event)
    assert lines == [
        *HEADING,
        "   Phase 1: Search (3 tasks)",
        "   Phase 1: Search (3 tasks) ✓ 0ms",
        "   Phase 2: Fetch (2 tasks)",
        "   Phase 2: Fetch (2 tasks) ✓ 1 ✗ 1 0ms",
    ]


def ended(clock: FakeClock, events: Iterable[ResearchEvent], whole: ResearchResult) -> list[str]:
    return summary(course(clock, *events, ResearchComplete(result=whole)), whole)


def test_the_summary_says_what_is_known(clock: FakeClock) -> None:
    assert ended(clock, SEARCHED, result()) == [
        "🐝 Swarm complete ✓",
        "   3/3 tasks (100% success)",
        "   6.2s total",
        "   ⚡ 4.1x faster than sequential",
        "   11 of 12 claims verified",
        "   💰 $0.0123",
    ]


@pytest.mark.parametrize("speedup", [None, 0.8, 1.04])
def test_what_is_not_known_is_not_claimed(clock: FakeClock, speedup: float | None) -> None:
    stats = replace(STATS, speedup=speedup, cost_pico=None, claims=0, verified_claims=0)
    assert ended(clock, (STARTED,), result(stats=stats)) == [
        "🐝 Swarm complete ✓",
        "   6.2s total",
        "   💰 unknown",
    ]


def test_the_summary_names_what_failed_and_what_is_suspicious(clock: FakeClock) -> None:
    error = Failure(code="nothing_found", message="no page\x1b[2J about it", hint="try\nanother")
    source = Source(number=1, url="u", title="t", fetched=True, suspicious=("ignore all",))
    lines = ended(
        clock,
        (*SEARCHED[:4], step("search", 2, ok=False)),
        result(
            SubjectResult(index=0, subject="OpenAI", ok=True, sources=(source,)),
            SubjectResult(index=1, subject="Anth\x1b]0;x\x07ropic", ok=False, error=error),
            stats=replace(STATS, successful=2, failed=1),
        ),
    )
    assert lines[:2] == ["🐝 Swarm complete, 1 of 3 subjects failed", "   2/3 tasks (66% success)"]
    assert "   ⚠️  1 page holds what looks like orders to a model; the report names it" in lines
    assert lines[-3:] == ["   ✗ Anthropic: nothing_found: no page about it", "     try", "     another"]


def test_how_far_it_came(clock: FakeClock) -> None:
    assert how_far(course(clock, STARTED)) == "before the first phase"
    made = course(clock, *SEARCHED, phase("fetch"), step("fetch", 0))
    assert how_far(made) == "in phase 2 of 4 (fetch) with 1 of 3 tasks done"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;cGF5bG9hZA==\x07x", "x"),
        ("\x1b]0;never closed, never hidden", "0;never closed, never hidden"),
        ("\x9b2Jx\x9d0;t\x9cy", "xy"),
        ("\x1bPq data\x1b\\x", "x"),
        ("\x1bcx", "x"),
        ("left\u202eright", "leftright"),
        ("a\rb\x85c\u2028d", "a\nb\nc\nd"),
        ("half \ud83d", "half \N{REPLACEMENT CHARACTER}"),
        ("tab\tand\nline, 東京, é, 🐝", "tab\tand\nline, 東京, é, 🐝"),
    ],
)
def test_text_of_strangers_fills_the_screen_with_words_only(text: str, shown: str) -> None:
    assert on_screen(text) == shown


@given(st.text(alphabet=st.one_of(st.sampled_from("\x1b[]\x07\\;0m\x9b\x9c\x90\n"), st.characters())))
def test_no_text_whatever_controls_the_screen(text: str) -> None:
    assert not CONTROLS.search(on_screen(text))
    assert len(line := one_line(text)) <= LONGEST
    assert "\n" not in line


@given(st.text())
def test_json_on_the_screen_means_the_same(text: str) -> None:
    shown = json_on_screen(json.dumps({"t": text}, ensure_ascii="\\ud" in json.dumps(text)).encode())
    assert json.loads(shown) == {"t": text}
    assert not CONTROLS.search(shown.decode())
