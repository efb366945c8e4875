"""`swarm research` as a user runs it: what comes out, and what fails."""

import json
import stat
from collections.abc import AsyncGenerator

import pytest

from clawswarm.types import wire
from tests.cli.conftest import Inside
from tests.cli.research_world import NAMES, World, open_world
from tests.cli.shell import Shell
from tests.fakes.behaviours import Refuse

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

KEYS = ["topic", "depth", "search", "subjects", "comparison", "stats", "report"]


@pytest.fixture
async def world(shell: Shell) -> AsyncGenerator[World]:
    async with open_world(shell) as world:
        yield world


# ---- what comes out


async def test_the_report_is_on_standard_output_and_plain_lines_beside_it(world: World) -> None:
    ran = await world.run(*NAMES, "--topic", "ferries")
    assert ran.status == 0
    assert ran.out.startswith("# Research: ferries\n")
    places = [ran.out.index(f"## {name}\n") for name in NAMES]
    assert places == sorted(places)
    assert "They differ." in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert world.search.queries[0].endswith("ferries")
    lines = ran.err.splitlines()
    assert lines[:4] == [
        "🐝 Swarm initializing...",
        "   4 phases, up to 3 workers",
        "   openai, gpt-6-luna; pages found by searxng",
        "   Phase 1: Search (3 tasks)",
    ]
    assert [line.split("(")[0].strip() for line in lines[4:11:2]] == [
        f"Phase {number}: {name}" for number, name in enumerate(("Search", "Fetch", "Analyze", "Compare"), 1)
    ]
    assert lines[11:13] == ["🐝 Swarm complete ✓", "   10/10 tasks (100% success)"]
    assert "   3 of 6 claims verified" in lines
    assert lines[-1].startswith("   💰 $0.0")


async def test_json_is_one_document_with_the_subjects_in_order(world: World) -> None:
    ran = await world.run(*NAMES, "--json", "--depth", "quick", "--quiet")
    document = ran.json
    assert (ran.status, ran.err) == (0, "")
    assert list(document) == KEYS
    assert (document["depth"], document["comparison"]) == ("quick", "They differ.")
    assert [subject["subject"] for subject in document["subjects"]] == list(NAMES)
    assert [claim["verified"] for claim in document["subjects"][2]["claims"]] == [True, False]
    assert wire.research_result(document).as_json() == document


async def test_ndjson_is_the_events_one_a_line(world: World) -> None:
    ran = await world.run(*NAMES, "--ndjson")
    names = [event["event"] for event in ran.events]
    three = ["phase", "progress", "progress", "progress"]
    assert names == ["start", *three, *three, *three, "phase", "progress", "complete"]
    assert [event["phase"] for event in ran.events if event["event"] == "phase"] == [
        "search",
        "fetch",
        "analyze",
        "compare",
    ]
    assert ran.events[-1]["results"] == [f"About {name}." for name in NAMES]
    for event in ran.events:
        read = wire.research_event(event)
        assert read is not None
        assert read.as_json() == event


@pytest.mark.parametrize("name", ["report.md", "report.json", "report.ndjson"])
async def test_the_output_file_gets_the_form_of_its_name(world: World, name: str) -> None:
    kept = world.shell.file(name, "yesterday")
    kept.chmod(0o640)
    ran = await world.run("OpenAI", "--topic", "ferries", "-o", name)
    assert (ran.status, ran.out) == (0, "")
    text = kept.read_text(encoding="utf-8")
    match kept.suffix:
        case ".json":
            assert list(json.loads(text)) == KEYS
        case ".ndjson":
            assert json.loads(text.splitlines()[-1])["event"] == "complete"
        case _:
            assert text.startswith("# Research: ferries\n\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert not list(world.shell.home.glob(f".{name}*"))


async def test_subjects_come_from_arguments_and_from_a_file_each_once(world: World) -> None:
    path = world.shell.file("subjects.txt", "\ufeffAnthropic\r\n\n  Mistral  \nOpenAI\n")
    ran = await world.run("OpenAI", "-f", path, "--json", "-q")
    assert [subject["subject"] for subject in ran.json["subjects"]] == ["OpenAI", "Anthropic", "Mistral"]
    ran = await world.run("-f", "-", "--json", "-q", stdin=b"Mistral\n")
    assert [subject["subject"] for subject in ran.json["subjects"]] == ["Mistral"]


# ---- what fails


async def test_a_subject_that_fails_keeps_its_place(world: World) -> None:
    world.fails_for("Anthropic", Refuse(400, "not this one"))
    ran = await world.run(*NAMES, "--json")
    assert ran.status == 1
    assert [subject["ok"] for subject in ran.json["subjects"]] == [True, False, True]
    assert ran.json["subjects"][1]["error"]["code"] == "bad_request"
    assert "🐝 Swarm complete, 1 of 3 subjects failed\n" in ran.err
    assert "   Phase 3: Analyze (3 tasks) ✓ 2 ✗ 1 " in ran.err
    assert "   ✗ Anthropic: bad_request: openai answered 400: not this one\n" in ran.err


async def test_a_research_that_comes_to_nothing_is_a_report_all_the_same(world: World) -> None:
    world.search.answers.clear()
    ran = await world.run("OpenAI", "Anthropic")
    assert ran.status == 1
    assert ran.out.count("searxng found no page about") >= 2
    assert "   Phase 2: Fetch (0 tasks) - nothing is left to do\n" in ran.err
    assert "🐝 Swarm complete, 2 of 2 subjects failed\n   0/2 tasks (0% success)\n" in ran.err
    assert world.model.calls == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "there are no subjects"),
        (("OpenAI", ""), "subject 2 is empty"),
        (("OpenAI", "--depth", "profound"), "'depth' must be one of quick, standard, deep"),
        (("x" * 501,), "longer than 500 characters"),
        (("OpenAI", "--topic", "x" * 501), "the topic is longer than 500 characters"),
        (tuple(f"s{number}" for number in range(101)), "101 subjects are too many"),
        (("OpenAI", "--provider", "nobody"), "unknown provider 'nobody'"),
        (("OpenAI", "-o", "no/such/folder/r.md"), "no/such/folder/r.md cannot be written"),
        (("-f", "none.txt"), "the file of subjects none.txt cannot be read: No such file"),
        (("-f", "/dev/null"), "/dev/null holds no subjects"),
        (("-f", "/dev/zero"), "/dev/zero is too large for a list of subjects"),
        (("-f", "latin.txt"), "latin.txt, line 2: not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_usage_is_refused_before_anything_is_sent(
    inside: Inside, arguments: tuple[str, ...], words: str
) -> None:
    inside.file("latin.txt", b"OpenAI\nCaf\xe9\n")
    ran = inside.run("research", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err
    assert inside.nothing_was_sent


def test_what_is_not_configured_is_status_three_in_words_and_data(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = inside.file("report.json", "yesterday")
    ran = inside.run("research", "OpenAI", "-p", "groq", "-o", "report.json")
    assert ran.status == 3
    assert "GROQ_API_KEY" in ran.err
    assert kept.read_text(encoding="utf-8") == "yesterday"
    monkeypatch.setenv("SWARM__RESEARCH__SEARCH", "brave")
    ran = inside.run("research", "OpenAI", "--json", "-q")
    assert (ran.status, ran.json["error"]["code"]) == (3, "not_configured")
    assert "BRAVE_API_KEY" in ran.json["error"]["hint"]
    assert inside.nothing_was_sent
