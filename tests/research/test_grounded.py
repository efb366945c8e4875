"""A research with Gemini's own search: one phase for three, sources kept, and nothing called verified."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.config.model import Settings
from clawswarm.types.money import to_pico
from clawswarm.types.research import ResearchResult, Source
from tests.fakes.behaviours import Hang, Held, Refuse, Say
from tests.fakes.common import objects, text_of
from tests.fakes.gemini import FakeGemini
from tests.fakes.gemini_search import Searching
from tests.fakes.search import FakeSearXNG, Result
from tests.fakes.site import FakeSite
from tests.fakes.wire import Seen
from tests.research.support import PATIENCE, PLAIN, course, request_of, say

pytestmark = pytest.mark.anyio

UNREAD = "found by the provider's own search, not read here"
PAGES = Searching(
    ("a", "b"),
    (
        ("https://redirect.example/1", "x.example"),
        ("https://redirect.example/2", "[y](http://evil.example/)"),
    ),
)


@asynccontextmanager
async def gemini(home: Path, fake: FakeGemini, **sections: Any) -> AsyncGenerator[LocalSwarm]:
    provider = {"name": "gemini", "base_url": fake.url, "max_tokens": 1000}
    limits = {"max_retries": 0, "max_nodes": 32, "max_concurrent_api": 32}
    settings = Settings.model_validate({"provider": provider, "limits": limits, **sections})
    environ = {"HOME": str(home), "GEMINI_API_KEY": "test-key"}
    with anyio.fail_after(PATIENCE):
        async with open_local(settings, environ) as swarm:
            yield swarm


def asked(seen: Seen) -> str:
    return text_of(objects(objects(seen.json["contents"])[-1]["parts"]))


def searches(seen: Seen) -> bool:
    return "tools" in seen.json


def speaks(seen: Seen) -> Say:
    """Two sentences about the subject that was asked about."""
    if not searches(seen):
        return Say(text="They differ.")
    name = asked(seen).split("'")[1]
    return Say(text=f"{name} is old. {name} is large.")


@pytest.fixture
async def fake() -> AsyncGenerator[FakeGemini]:
    async with FakeGemini() as fake:
        fake.searching = PAGES
        fake.respond = speaks
        yield fake


async def test_one_phase_stands_for_three(tmp_path: Path, fake: FakeGemini) -> None:
    async with gemini(tmp_path, fake) as swarm:
        found = await course(swarm, "Aurora", "Borealis", topic="age")
    assert found.phases == [("search", 1, 2, 2), ("compare", 2, 2, 1)]
    assert (found.started.search, found.started.phases) == ("gemini", ("search", "compare"))
    assert sorted(step.index or 0 for step in found.steps("search")) == [0, 1]
    result = found.result
    assert result.search == "gemini"
    assert [each.analysis for each in result.subjects] == [
        "Aurora is old. Aurora is large.",
        "Borealis is old. Borealis is large.",
    ]
    for each in result.subjects:
        first, second = each.sources
        assert first == Source(
            number=first.number,
            url="https://redirect.example/1",
            title="x.example",
            fetched=False,
            trouble=UNREAD,
        )
        assert [(claim.text, claim.quote, claim.source, claim.verified) for claim in each.claims] == [
            (f"{each.subject} is old.", None, first.number, False),
            (f"{each.subject} is large.", None, second.number, False),
        ]
    numbers = [source.number for each in result.subjects for source in each.sources]
    assert sorted(numbers) == [1, 2, 3, 4]
    assert (result.stats.pages_fetched, result.stats.claims, result.stats.verified_claims) == (0, 4, 0)
    assert result.comparison == "They differ."
    assert result.stats.cost_pico is not None
    assert result.stats.cost_pico > 4 * to_pico("0.014")


async def test_the_report_says_that_nothing_was_checked(tmp_path: Path, fake: FakeGemini) -> None:
    async with gemini(tmp_path, fake) as swarm:
        report = (await course(swarm, "Aurora")).result.report
    assert "*Grounded by Google Search: the pages were not read here, so no quote was checked.*" in report
    assert "pages found by Google Search · 0 of 2 claims verified" in report
    assert report.count("⚠️ *unverified:*") == 2
    assert f"- [1] [x.example](<https://redirect.example/1>) (not read: {UNREAD})" in report
    assert "[\\[y\\](http\\://evil.example/)](<https://redirect.example/2>)" in report


async def test_the_search_has_no_other_tools_and_the_comparison_none(
    tmp_path: Path, fake: FakeGemini
) -> None:
    async with gemini(tmp_path, fake) as swarm:
        await course(swarm, "Aurora", "Borealis")
    assert [seen.json["tools"] for seen in fake.calls if searches(seen)] == [[{"googleSearch": {}}]] * 2
    compared = next(seen for seen in fake.calls if not searches(seen))
    assert "(unverified) Aurora is old." in asked(compared)
    assert "Subject: Aurora" in asked(compared)


async def test_all_search_at_once_and_keep_their_places(tmp_path: Path, fake: FakeGemini) -> None:
    names = [f"Firm-{number:02d}" for number in range(10)]
    gate = anyio.Event()
    fake.respond = lambda seen: (
        Held(gate, Refuse(400, "no") if "Firm-03" in asked(seen) else speaks(seen))
        if searches(seen)
        else speaks(seen)
    )
    results: list[ResearchResult] = []
    async with gemini(tmp_path, fake) as swarm, anyio.create_task_group() as group:
        group.start_soon(_open_when, fake, len(names), gate)
        results.append((await course(swarm, *names)).result)
    (result,) = results
    assert [(each.index, each.subject) for each in result.subjects] == list(enumerate(names))
    for each in result.subjects:
        assert each.ok == (each.subject != "Firm-03")
        if each.ok:
            assert each.analysis == f"{each.subject} is old. {each.subject} is large."
    numbers = sorted(source.number for each in result.subjects for source in each.sources)
    assert numbers == list(range(1, 19))


async def _open_when(fake: FakeGemini, count: int, gate: anyio.Event) -> None:
    await fake.wait_in_flight(count)
    gate.set()


async def test_a_search_that_finds_nothing_says_so(tmp_path: Path, fake: FakeGemini) -> None:
    fake.searching = Searching(())
    async with gemini(tmp_path, fake) as swarm:
        result = (await course(swarm, "Aurora")).result
    (subject,) = result.subjects
    assert (subject.ok, subject.sources, subject.claims) == (True, (), ())
    assert subject.not_found == ("the provider's search named no source for this",)
    assert "- Aurora: the provider's search named no source for this" in result.report


async def test_a_grounded_research_is_asked_anew_each_time(tmp_path: Path, fake: FakeGemini) -> None:
    async with gemini(tmp_path, fake) as swarm:
        await course(swarm, "Aurora")
        await course(swarm, "Aurora")
    assert len(fake.calls) == 2


async def test_a_cap_holds_for_searches(tmp_path: Path, fake: FakeGemini) -> None:
    async with gemini(tmp_path, fake) as swarm:
        result = (await course(swarm, *(f"Firm-{number}" for number in range(8)), max_spend=0.25)).result
    assert result.stats.cost_pico is not None
    assert result.stats.cost_pico <= to_pico("0.25")
    assert 0 < result.stats.successful < 8
    assert {each.error.code for each in result.subjects if each.error} == {"budget_exceeded"}


async def test_called_off_while_google_searches(tmp_path: Path, fake: FakeGemini) -> None:
    fake.respond = lambda _: Hang()
    async with gemini(tmp_path, fake) as swarm, anyio.create_task_group() as group:
        group.start_soon(course, swarm, "Aurora", "Borealis")
        await fake.wait_in_flight(2)
        group.cancel_scope.cancel()
    await fake.wait_left(2)


async def test_another_service_may_be_asked_although_gemini_answers(tmp_path: Path, fake: FakeGemini) -> None:
    """Then pages are read here, and Gemini is asked without a search."""
    text = "Aurora was founded in the year 1900 and is still at work today."
    fake.respond = lambda _: say("Aurora", [("old", "was founded in the year 1900", 1)])
    async with FakeSearXNG() as search, FakeSite() as site:
        url = site.page("/aurora", text, kind=PLAIN)
        search.answers["Aurora"] = [Result("Aurora", url)]
        own = {"search": "searxng", "searxng_url": search.base_url, "allow_loopback": True}
        async with gemini(tmp_path, fake, research=own) as swarm:
            found = await course(swarm, "Aurora")
    assert found.started.phases == ("search", "fetch", "analyze")
    assert [claim.verified for claim in found.result.subjects[0].claims] == [True]
    assert not any(searches(seen) for seen in fake.calls)


async def test_as_a_job_it_is_kept_as_well(tmp_path: Path, fake: FakeGemini) -> None:
    async with gemini(tmp_path, fake) as swarm, swarm.working_on_jobs():
        job = await swarm.submit(request_of("Aurora", "Borealis"))
        page = await swarm.job(job.id, wait=PATIENCE)
    assert page.job.successful == 2
    assert page.whole is not None
    assert page.whole["search"] == "gemini"
    assert [len(item["sources"]) for item in page.items] == [2, 2]
