"""A research through the daemon's HTTP API and through the Python API: as in this process."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
import pytest

import clawswarm
import clawswarm.sync
from clawswarm.access.presence import Presence
from clawswarm.access.remote import RemoteSwarm, open_remote
from clawswarm.errors import InputError, SwarmError
from clawswarm.types import wire
from clawswarm.types.research import ResearchComplete, ResearchEvent, ResearchResult, StepFinished
from tests.daemon.served import TOKEN, Served, serve
from tests.fakes.behaviours import Hang
from tests.research.support import Course, World, request_of, words

pytestmark = pytest.mark.anyio

BODY = {"subjects": ["Aurora", "Borealis", "Lost"], "topic": "age", "depth": "quick"}


@pytest.fixture
async def served(world: World) -> AsyncGenerator[Served]:
    """The daemon's application in a world with two subjects."""
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis", 1), words("Borealis", 2))
    async with serve(world.settings, home=world.home) as served:
        yield served


@asynccontextmanager
async def remote(served: Served) -> AsyncGenerator[RemoteSwarm]:
    presence = Presence(pid=1, port=served.port, version="0", started=0, workers=1, settings="")
    async with open_remote(presence, TOKEN) as swarm:
        yield swarm


def timeless(event: Any) -> Any:
    """An event without what differs from one run to the next."""
    match event:
        case StepFinished():
            return replace(event, duration_ms=0)
        case ResearchComplete():
            return replace(event, result=without_times(event.result))
        case _:
            return event


def without_times(result: ResearchResult) -> ResearchResult:
    stats = replace(result.stats, total_duration_ms=0, speedup=None)
    report = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "now", result.report)
    return replace(result, stats=stats, report=report)


def sorted_steps(events: list[ResearchEvent]) -> list[Any]:
    """The events, those of a phase in order of subjects."""
    places = {"search": 1, "fetch": 2, "analyze": 3, "compare": 4}

    def place(event: ResearchEvent) -> tuple[int, int]:
        match event.event:
            case "start":
                return (0, 0)
            case "complete":
                return (9, 0)
            case "phase":
                return (places[event.phase], -1)
            case "progress":
                return (places[event.phase], event.index or 0)

    return [timeless(event) for event in sorted(events, key=place)]


async def test_the_same_events_and_the_same_result_as_in_this_process(world: World, served: Served) -> None:
    answer = await served.ask("POST", "/research", BODY)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    documents = [document for document in answer.events if document["event"] != "heartbeat"]
    over_http = [event for document in documents if (event := wire.research_event(document))]
    here = await world.research("Aurora", "Borealis", "Lost", topic="age")
    through: list[ResearchEvent] = []

    async def emit(event: ResearchEvent) -> None:
        through.append(event)

    async with remote(served) as swarm:
        await swarm.research(request_of("Aurora", "Borealis", "Lost", topic="age"), emit)
    assert sorted_steps(over_http) == sorted_steps(through) == sorted_steps(here.events)
    assert [event.event for event in over_http] == [event.event for event in here.events]
    last = documents[-1]
    assert last["results"] == ["About Aurora.", "About Borealis.", None]
    assert last["cost"] == last["stats"]["cost_usd"]
    assert Course(over_http).result.report.startswith("# Research: age\n")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subjects": []},
        {"subjects": "Aurora"},
        {"subjects": [""]},
        {"subjects": [" "]},
        {"subjects": ["x" * 501]},
        {"subjects": [f"s{number}" for number in range(101)]},
        {"subjects": ["a"], "depth": "endless"},
        {"subjects": ["a"], "topic": "x" * 501},
        {"subjects": ["a"], "prompts": ["b"]},
        {"subjects": ["a"], "max_spend": -1},
        {"subjects": ["a"], "concurrency": 0},
    ],
)
async def test_what_cannot_be_researched_is_refused_before_the_first_byte(
    world: World, served: Served, body: Any
) -> None:
    answer = await served.ask("POST", "/research", body)
    assert answer.status == 422
    assert answer.code
    assert (await served.ask("POST", "/jobs", {"kind": "research", **body})).status == 422
    assert not world.search.calls


async def test_a_search_that_is_not_set_up_is_a_conflict_with_a_hint(world: World) -> None:
    world.sections["research"] = {"search": "brave"}
    async with serve(world.settings, home=world.home) as served:
        for path, body in (("/research", BODY), ("/jobs", {"kind": "research", **BODY})):
            answer = await served.ask("POST", path, body)
            assert answer.status == 409
            assert answer.code == "not_configured"
            assert "BRAVE_API_KEY" in answer.json["error"]["hint"]
        async with remote(served) as swarm:
            with pytest.raises(SwarmError, match="no key for search by brave"):
                await swarm.research(request_of("Aurora"), _unheard)


async def _unheard(_: object) -> None:
    """Nobody listens."""


async def test_who_leaves_calls_the_research_off(world: World, served: Served) -> None:
    world.answer = lambda _: Hang()
    async with served.stream("/research", BODY) as lines:
        assert (await lines.next())["event"] == "start"
        assert (await lines.next())["phase"] == "search"
        await world.model.wait_in_flight(2)
    await world.model.wait_left(2)
    await served.quiet()
    assert world.model.in_flight == 0


async def test_a_job_over_http_has_subjects_and_a_report(served: Served) -> None:
    answer = await served.ask("POST", "/jobs", {"kind": "research", **BODY})
    assert answer.status == 202
    page = (await served.ask("GET", f"/jobs/{answer.json['job_id']}?wait=4")).json
    assert (page["kind"], page["status"], page["done"], page["failed"]) == ("research", "complete", 3, 1)
    assert page["results"] == ["About Aurora.", "About Borealis.", None]
    assert [subject["subject"] for subject in page["subjects"]] == BODY["subjects"]
    assert page["next_offset"] is None
    assert page["comparison"] == "They differ."
    assert page["report"].startswith("# Research: age\n")
    assert page["stats"]["total"] == 3
    async with remote(served) as swarm:
        assert (await swarm.job(answer.json["job_id"])).as_json() == page


# ---- the Python API


async def test_research_in_python(world: World) -> None:
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    where: dict[str, Any] = {"settings": world.settings, "environ": world.environ}
    result = await clawswarm.research(["Aurora", "Borealis"], "age", depth="quick", swarm=where)
    blocking = await anyio.to_thread.run_sync(
        lambda: clawswarm.sync.research(["Aurora", "Borealis"], "age", depth="quick", swarm=where)
    )
    assert without_times(result) == without_times(blocking)
    assert [subject.analysis for subject in result.subjects] == ["About Aurora.", "About Borealis."]
    assert result.report.startswith("# Research: age\n")
    async with clawswarm.Swarm(**where) as swarm:
        again = await swarm.research(["Borealis", "Aurora"], depth="quick")
        with pytest.raises(InputError, match="there are no subjects"):
            await swarm.research([])
        with pytest.raises(InputError, match="subject 0 is no text"):
            await swarm.research([""])
    assert [subject.subject for subject in again.subjects] == ["Borealis", "Aurora"]


async def test_a_swarm_with_a_loop_of_its_own_researches_twice(world: World) -> None:
    world.knows("Aurora", words("Aurora"))

    def both() -> list[ResearchResult]:
        with clawswarm.sync.Swarm(settings=world.settings, environ=world.environ) as swarm:
            return [swarm.research(["Aurora"], depth="quick"), swarm.research(["Aurora"], depth="quick")]

    first, second = await anyio.to_thread.run_sync(both)
    assert without_times(first) == without_times(second)
    assert first.subjects[0].ok
