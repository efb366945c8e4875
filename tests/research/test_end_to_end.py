"""A whole research over real HTTP: what it tells, what it finds, and who it asks at once."""

from pathlib import Path

import anyio
import pytest

from clawswarm.types.research import Claim, Source
from clawswarm.web.search import AT_ONCE
from tests.fakes.behaviours import Held, Say
from tests.fakes.search import FakeBrave, FakeOllamaSearch, FakeSearch, FakeSearXNG
from tests.fakes.site import article
from tests.research.support import PLAIN, World, a_world, course_of, request_of, say, words

pytestmark = pytest.mark.anyio

SERVICES: dict[type[FakeSearch], str] = {
    FakeSearXNG: "searxng",
    FakeBrave: "brave",
    FakeOllamaSearch: "ollama",
}
FOUR = [("search", 1, 4, 2), ("fetch", 2, 4, 2), ("analyze", 3, 4, 2), ("compare", 4, 4, 1)]


@pytest.mark.parametrize("make", SERVICES)
async def test_a_research_finds_reads_checks_and_compares(make: type[FakeSearch], tmp_path: Path) -> None:
    async with a_world(tmp_path, make()) as world:
        built = "The Aurora was built in Tromsø in 1987 and carries four hundred passengers."
        found = world.site.page("/aurora", article("The Aurora", built, words("Aurora")))
        world.finds("Aurora", found)
        (second,) = world.knows("Borealis", words("Borealis"))
        world.answer = lambda question: (
            Say(text="Aurora is **older**.\n\n# Sources")
            if question.compares
            else say(
                question.subject,
                [(f"{question.subject} is known.", question.pages[0].strip()[:40].rsplit(" ", 1)[0], 1)],
                not_found=["its owner"],
            )
        )
        course = await world.research("Aurora", "Borealis", topic="ferries")

    assert course.phases == FOUR
    assert [(step.index, step.subject, step.ok) for step in course.steps("compare")] == [
        (None, "all subjects", True)
    ]
    for phase in ("search", "fetch", "analyze"):
        assert sorted((step.index, step.subject, step.ok) for step in course.steps(phase)) == [
            (0, "Aurora", True),
            (1, "Borealis", True),
        ]
    assert [event.event for event in course.events].count("complete") == 1
    assert [event.event for event in course.events] == [
        "start",
        *["phase", "progress", "progress"] * 3,
        "phase",
        "progress",
        "complete",
    ]
    start = course.started
    assert (start.total, start.workers, start.phases) == (2, 2, ("search", "fetch", "analyze", "compare"))
    service = SERVICES[make]
    assert (start.search, start.provider) == (service, "openai")
    assert [phase for phase, *_ in course.phases] == list(start.phases)

    result = course.result
    assert (result.topic, result.depth, result.search) == ("ferries", "quick", service)
    assert [(each.index, each.subject, each.ok, each.analysis) for each in result.subjects] == [
        (0, "Aurora", True, "About Aurora."),
        (1, "Borealis", True, "About Borealis."),
    ]
    assert result.subjects[0].sources == (Source(number=1, url=found, title="The Aurora", fetched=True),)
    assert result.subjects[1].sources == (
        Source(number=2, url=second, title="Borealis, page 0", fetched=True),
    )
    assert [claim.verified for each in result.subjects for claim in each.claims] == [True, True]
    assert [claim.source for each in result.subjects for claim in each.claims] == [1, 2]
    assert (result.stats.claims, result.stats.verified_claims, result.stats.pages_fetched) == (2, 2, 2)
    assert (result.stats.total, result.stats.successful, result.stats.failed) == (2, 2, 0)
    assert result.stats.model_calls == 3
    assert result.stats.cost_pico == (2 * 100 + 10) * 10**6 + (2 * 20 + 20) * 2 * 10**6

    assert sorted(world.search.queries) == ["Aurora ferries", "Borealis ferries"]
    assert "# Research: ferries" in result.report
    assert "## Aurora\n" in result.report
    assert "Aurora is \\*\\*older\\*\\*.\n\n\\# Sources\n" in result.report
    assert f"- [1] [The Aurora](<{found}>)\n- [2] [" in result.report
    assert "- Aurora: its owner" in result.report


async def test_one_subject_is_not_compared(world: World) -> None:
    world.knows("Solo", words("Solo"))
    course = await world.research("Solo")
    assert [phase for phase, *_ in course.phases] == ["search", "fetch", "analyze"]
    assert course.result.comparison is None
    assert len(world.model.calls) == 1


async def test_all_subjects_are_under_way_at_once_in_each_phase(world: World) -> None:
    """Every response is held until all of a phase have been asked for."""
    names = [f"Firm-{number:02d}" for number in range(12)]
    found, pages, answers = anyio.Event(), anyio.Event(), anyio.Event()
    world.search.respond = lambda _: Held(found)
    for name in names:
        world.site.page(f"/{name}", words(name), kind=PLAIN, until=pages)
        world.finds(name, world.site.url(f"/{name}", host=f"{name.lower()}.example"))
    world.answer = lambda question: (
        Say(text="They differ.") if question.compares else Held(answers, say(question.subject))
    )
    courses: list[object] = []
    async with world.named() as (swarm, web), anyio.create_task_group() as group:

        async def run() -> None:
            courses.append(await course_of(swarm, web, request_of(*names)))

        group.start_soon(run)
        await world.search.wait_in_flight(AT_ONCE)  # a service is asked no faster
        assert not world.site.requests
        found.set()
        await world.site.wait_until(lambda: world.site.in_flight == len(names))
        assert not world.model.calls
        pages.set()
        await world.model.wait_in_flight(len(names))
        answers.set()
    assert world.search.peak == AT_ONCE
    assert world.site.peak == world.model.peak == len(names)
    assert len(courses) == 1


async def test_pages_and_searches_do_not_wait_for_slots_of_the_provider(world: World) -> None:
    """A local model that answers one question at a time does not make the web slow."""
    world.sections["limits"] = {"max_concurrent_api": 1}
    names = ["Firm-0", "Firm-1", "Firm-2"]
    pages = anyio.Event()
    for name in names:
        world.site.page(f"/{name}", words(name), kind=PLAIN, until=pages)
        world.finds(name, world.site.url(f"/{name}", host=f"{name.lower()}.example"))
    async with world.named() as (swarm, web), anyio.create_task_group() as group:
        group.start_soon(course_of, swarm, web, request_of(*names))
        await world.site.wait_until(lambda: world.site.in_flight == len(names))
        pages.set()
    assert world.model.peak == 1
    assert len(world.asked) == 3


async def test_no_more_at_once_than_was_asked_for(world: World) -> None:
    names = [f"Firm-{number}" for number in range(5)]
    for name in names:
        world.knows(name, words(name), host=f"{name.lower()}.example")
    async with world.named() as (swarm, web):
        course = await course_of(swarm, web, request_of(*names, concurrency=2))
    assert course.started.workers == 2
    assert world.search.peak <= 2
    assert world.site.peak <= 2
    assert world.model.peak <= 2
    assert course.result.stats.successful == 5


@pytest.mark.parametrize(
    ("depth", "searches", "pages"), [("quick", 1, 2), ("standard", 2, 4), ("deep", 3, 8)]
)
async def test_depth_decides_how_much_is_searched_and_read(
    world: World, depth: str, searches: int, pages: int
) -> None:
    world.knows("Depth", *(words("Depth", number) for number in range(12)))
    course = await world.research("Depth", topic="x", depth=depth)
    assert len(world.search.queries) == searches
    assert world.search.queries[0] == "Depth x"
    assert len(world.site.requests) == course.result.stats.pages_fetched == pages
    assert [source.number for source in course.result.subjects[0].sources] == list(range(1, pages + 1))
    assert len(world.questions[0].pages) == pages


async def test_the_configured_number_of_pages_is_read(world: World) -> None:
    world.sections["research"] = {"max_pages": 1}
    world.knows("Few", words("Few", 0), words("Few", 1))
    course = await world.research("Few", depth="deep")
    assert course.result.stats.pages_fetched == 1


async def test_the_model_gets_nothing_but_the_texts_of_pages(world: World) -> None:
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    await world.research("Aurora", "Borealis", topic="age")
    for question in world.questions:
        assert "tools" not in question.seen.json
        assert "snippet" not in question.text
        assert "never follow" in question.system
    first = next(question for question in world.questions if question.subject == "Aurora")
    assert first.pages == [words("Aurora")]
    assert "Borealis" not in first.text


async def test_claims_are_data_with_their_page(world: World) -> None:
    world.knows("Aurora", words("Aurora", 1), words("Aurora", 2))
    course = await world.research("Aurora")
    assert course.result.subjects[0].claims == tuple(
        Claim(
            text=f"Aurora by page {number}",
            quote=f"Aurora was founded in the year {1900 + number} and",
            source=number,
            verified=True,
        )
        for number in (1, 2)
    )
