"""Each subject keeps its place, its answer and its error, whatever happens to it or to others."""

import random
import tempfile
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawswarm.types.research import ResearchResult
from tests.fakes.behaviours import Behaviour, Blocked, Held, Raw, Refuse, Say
from tests.research.support import (
    Question,
    World,
    a_world,
    course,
    reads,
    say,
    words,
)

pytestmark = pytest.mark.anyio


def keeps_places(result: ResearchResult, *subjects: str) -> None:
    assert [(each.index, each.subject) for each in result.subjects] == list(enumerate(subjects))


async def test_who_fails_in_a_phase_keeps_place_and_error(world: World) -> None:
    """One is not found, one cannot be read, one is refused by the model, one has a broken answer."""
    world.knows("Good", words("Good"))
    world.finds("Dead", world.site.url("/dead"), world.site.url("/gone"))
    world.knows("Refused", words("Refused"))
    world.knows("Broken", words("Broken"))
    world.knows("Fine", words("Fine"))

    def answer(question: Question) -> Behaviour:
        if question.compares:
            return Say(text="They differ.")
        match question.subject:
            case "Refused":
                return Refuse(400, "no such thing")
            case "Broken":
                return Say(text='{"summary": "half')
            case _:
                return reads(question)

    world.answer = answer
    names = ("Lost", "Good", "Dead", "Refused", "Broken", "Fine")
    found = await world.research(*names)
    keeps_places(found.result, *names)
    assert [each.ok for each in found.result.subjects] == [False, True, False, False, False, True]
    codes = {index: found.error(index).code for index in (0, 2, 3, 4)}
    assert codes == {0: "nothing_found", 2: "nothing_found", 3: "bad_request", 4: "invalid_output"}
    assert found.error(0).message == "searxng found no page about 'Lost'"
    assert "the site answered 404" in found.error(2).message
    dead = found.result.subjects[2]
    assert [(source.url, source.fetched) for source in dead.sources] == [
        (world.site.url("/dead"), False),
        (world.site.url("/gone"), False),
    ]
    assert {step.index for step in found.steps("fetch")} == {1, 2, 3, 4, 5}
    assert {step.index for step in found.steps("analyze")} == {1, 3, 4, 5}
    assert [
        step.index for phase in ("search", "fetch", "analyze") for step in found.steps(phase) if not step.ok
    ][:2] == [0, 2]
    numbers = [source.number for each in found.result.subjects for source in each.sources]
    assert numbers == list(range(1, len(numbers) + 1))
    assert found.result.comparison == "They differ."
    compared = world.questions[-1].text
    assert "Good" in compared
    assert "Broken" not in compared
    assert "✗ searxng found no page about" in found.result.report
    assert "- Dead: nothing, for the reason above" in found.result.report


async def test_all_fail_and_there_is_a_result(world: World) -> None:
    found = await world.research("A-one", "B-two")
    assert found.phases == [("search", 1, 4, 2), ("fetch", 2, 4, 0), ("analyze", 3, 4, 0)]
    keeps_places(found.result, "A-one", "B-two")
    assert (found.result.stats.successful, found.result.stats.failed) == (0, 2)
    assert found.result.comparison is None
    assert found.result.stats.cost_pico == 0
    assert not world.model.calls
    assert "## Sources" not in found.result.report


async def test_where_one_is_left_nothing_is_compared(world: World) -> None:
    world.knows("Good", words("Good"))
    found = await world.research("Good", "Lost")
    assert found.result.comparison is None
    assert "compare" not in [phase for phase, *_ in found.phases]


async def test_a_comparison_that_fails_leaves_the_subjects(world: World) -> None:
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    world.answer = lambda question: Blocked() if question.compares else reads(question)
    found = await world.research("Aurora", "Borealis")
    (step,) = found.steps("compare")
    assert not step.ok
    assert "blocked" in step.detail
    assert found.result.comparison is None
    assert found.result.stats.successful == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "auth_failed"), (403, "permission_denied"), (404, "provider_failed"), (429, "rate_limited")],
)
async def test_a_search_that_is_refused_fails_its_subject(world: World, status: int, code: str) -> None:
    refusal = Refuse(status, "not today", retry_after=60)
    world.knows("Good", words("Good"))
    world.search.respond = lambda seen: refusal if "Bad" in seen.query["q"] else Say()
    found = await world.research("Bad", "Good")
    assert [each.ok for each in found.result.subjects] == [False, True]
    assert found.error(0).code == code
    assert "search by searxng" in found.error(0).message
    assert found.error(0).hint or status == 429


async def test_a_search_that_answers_nonsense_fails_its_subject(world: World) -> None:
    world.search.enqueue(Raw(200, b"[]"))
    found = await world.research("Bad")
    assert found.error(0).code == "invalid_reply"


NAMES = [f"Firm-{number:02d}" for number in range(20)]


@settings(max_examples=12)
@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(NAMES), max_size=6))
def test_answers_in_any_order_are_never_credited_to_another(chance: random.Random, bad: set[str]) -> None:
    """Answers name the subject that they were asked about; they come in an order that nobody foresees."""
    anyio.run(_one_order, chance, bad)


async def _one_order(chance: random.Random, bad: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with a_world(Path(folder)) as world:
            gates = {name: anyio.Event() for name in NAMES}
            for number, name in enumerate(NAMES):
                world.knows(name, words(name, number))

            def answer(question: Question) -> Behaviour:
                if question.compares:
                    return Say(text="They differ.")
                name = question.subject
                then = (
                    Refuse(400, f"no {name}")
                    if name in bad
                    else say(name, [(f"{name}!", question.pages[0][:40], 1)])
                )
                return Held(gates[name], then)

            world.answer = answer
            results: list[ResearchResult] = []
            async with world.open() as swarm, anyio.create_task_group() as group:

                async def run() -> None:
                    results.append((await course(swarm, *NAMES)).result)

                group.start_soon(run)
                await world.model.wait_in_flight(len(NAMES))
                for name in chance.sample(NAMES, len(NAMES)):
                    gates[name].set()
                    await anyio.lowlevel.checkpoint()
            (result,) = results
    keeps_places(result, *NAMES)
    for each in result.subjects:
        assert each.ok == (each.subject not in bad)
        if each.ok:
            assert each.analysis == f"About {each.subject}."
            assert [claim.text for claim in each.claims] == [f"{each.subject}!"]
            assert all(each.subject.lower() in source.url for source in each.sources)
        else:
            assert each.error is not None
            assert each.subject in each.error.message
