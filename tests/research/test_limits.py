"""Money, time, secrets and memory of a research: one cap, closed sockets, no leaks, nothing asked twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm.engine.redact import MASK
from clawswarm.errors import ConfigError, InputError, NotConfigured, StoreError
from clawswarm.modes.research_plan import ANALYSIS
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import Claim, Source, SubjectResult
from clawswarm.types.task import Task
from tests.engine.test_redact import SECRETS
from tests.fakes.behaviours import Hang, Refuse, Say
from tests.fakes.search import FakeBrave
from tests.research.support import World, a_world, course, course_of, reads, request_of, say, words

pytestmark = pytest.mark.anyio

SECRET = SECRETS["OpenAI"]
PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


async def called_off(world: World, until: Any, *subjects: str) -> None:
    """A research that is cancelled once `until` returns."""
    async with world.open() as swarm, anyio.create_task_group() as group:
        group.start_soon(course, swarm, *subjects)
        await until()
        group.cancel_scope.cancel()


async def test_called_off_while_it_searches(world: World) -> None:
    world.search.respond = lambda _: Hang()
    await called_off(world, lambda: world.search.wait_in_flight(2), "Aurora", "Borealis")
    await world.search.wait_left(2)
    assert not world.site.requests


async def test_called_off_while_it_reads(world: World) -> None:
    for name in ("Aurora", "Borealis"):
        world.finds(name, world.site.silent(f"/{name}"))
    await called_off(
        world, lambda: world.site.wait_until(lambda: world.site.in_flight == 2), "Aurora", "Borealis"
    )
    await world.site.wait_closed()
    assert not world.model.calls


@pytest.mark.parametrize("compares", [False, True])
async def test_called_off_while_the_model_thinks(world: World, compares: bool) -> None:
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    world.answer = lambda question: Hang() if question.compares is compares else reads(question)
    await called_off(world, lambda: world.model.wait_calls(3 if compares else 2), "Aurora", "Borealis")
    await world.model.wait_left(1 if compares else 2)
    assert world.model.in_flight == 0


# ---- money


ROOM = 1_100 * 10**6
"""Picodollars for what is reserved for a model whose way of counting has not been seen."""


async def bound_of(world: World, subject: str) -> int:
    """What the analysis of a subject may cost at most; found by asking for it."""
    async with world.open() as swarm:
        await course(swarm, subject)
        question = world.questions[-1]
        task = Task(prompt=question.text, system=question.system, schema=ANALYSIS)
        return swarm.engine.worst_cost(task)


async def test_one_cap_holds_over_all_phases(world: World) -> None:
    """Alone, the comparison would fit; after two dear analyses it does not."""
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    spent = 2_000 * 10**6 + 900 * 2 * 10**6
    world.answer = lambda question: (
        Say(text="They differ.")
        if question.compares
        else replace(say(question.subject), input_tokens=2_000, output_tokens=900)
    )
    cap = spent + await bound_of(world, "Borealis") + ROOM
    found = await world.research("Aurora", "Borealis", max_spend=cap / 10**12, concurrency=1)
    assert found.result.stats.successful == 2
    assert found.result.comparison is None
    assert "no room for a call" in found.steps("compare")[0].detail
    assert found.result.stats.cost_pico == 2 * spent
    found = await world.research("Aurora", "Borealis", max_spend=(cap + spent) / 10**12)
    assert found.result.comparison == "They differ."


async def test_an_analysis_that_the_cap_refuses_fails_its_subject_only(world: World) -> None:
    world.knows("Short", words("Short"))
    world.knows("Long", words("Long") + " padding" * 300)
    world.knows("Small", words("Small"))
    cap = await bound_of(world, "Short") + ROOM + 500 * 10**6  # none for a long prompt
    found = await world.research("Short", "Long", "Small", max_spend=cap / 10**12, concurrency=1)
    assert [each.ok for each in found.result.subjects] == [True, False, True]
    assert found.error(1).code == "budget_exceeded"
    assert found.result.subjects[1].sources[0].fetched
    assert "no room for a call" in found.result.report


async def test_without_money_nothing_is_sent(world: World) -> None:
    world.knows("Aurora", words("Aurora"))
    found = await world.research("Aurora", max_spend=0)
    assert found.error(0).code == "budget_exceeded"
    assert not world.model.calls


# ---- secrets


@pytest.mark.parametrize("name", sorted(SECRETS))
async def test_credentials_in_what_the_model_says_are_taken_out(world: World, name: str) -> None:
    secret = SECRETS[name]
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    world.answer = lambda question: (
        Say(text=f"The key {secret} differs.")
        if question.compares
        else say(
            question.subject, [(f"It is {secret}", f"the {secret}", 1)], not_found=[secret], summary=secret
        )
    )
    found = await world.research("Aurora", "Borealis")
    assert [each.analysis for each in found.result.subjects] == [MASK, MASK]
    for text in (str(found.result.as_json()), found.result.report, str(found.events)):
        assert secret not in text
        assert secret.splitlines()[0] not in text
    assert f"The key {MASK} differs." == found.result.comparison


async def test_credentials_in_escaped_letters_are_taken_out_as_well(world: World) -> None:
    """JSON may spell any letter otherwise."""
    world.sections["cache"] = {"enabled": True}
    world.knows("Aurora", words("Aurora"))
    spelled = "".join(f"\\u{ord(character):04x}" for character in SECRET)
    text = f'{{"summary": "it is {spelled}", "claims": [], "not_found": ["\\u0073k-{SECRET[3:]}"]}}'
    world.answer = lambda _: Say(text=text)
    for _ in range(2):
        found = await world.research("Aurora")
        subject = found.result.subjects[0]
        assert (subject.analysis, subject.not_found) == (f"it is {MASK}", (MASK,))
    assert len(world.model.calls) == 1
    kept = [file.read_bytes() for file in (world.home / "memory").glob("swarm.db*")]
    assert MASK.encode() in b"".join(kept)
    assert SECRET.encode() not in b"".join(kept)


async def test_the_key_of_a_search_service_stays_out_of_errors(tmp_path: Path) -> None:
    async with a_world(tmp_path, FakeBrave()) as world:
        world.search.enqueue(Refuse(403, f"the key {world.search.key} has no plan"))
        found = await world.research("Aurora")
    assert f"the key {MASK} has no plan" in found.error(0).message
    assert str(world.search.key) not in str(found.events)


# ---- cache


async def test_the_same_research_asks_the_model_once(world: World) -> None:
    world.sections["cache"] = {"enabled": True}
    world.knows("Aurora", words("Aurora"))
    world.knows("Borealis", words("Borealis"))
    first = await world.research("Aurora", "Borealis")
    again = await world.research("Aurora", "Borealis")
    assert len(world.model.calls) == 3
    assert again.result.stats.model_calls == 0
    assert again.result.stats.cost_pico == 0
    assert [each.claims for each in again.result.subjects] == [each.claims for each in first.result.subjects]
    assert again.result.comparison == first.result.comparison
    world.site.page("/aurora/0", words("Aurora", 7), kind="text/plain")
    await world.research("Aurora", "Borealis")
    assert world.asked.count("Aurora") == 2
    assert world.asked.count("Borealis") == 1
    await world.research("Aurora", "Borealis", cache=False)
    assert world.asked.count("Borealis") == 2


# ---- what is kept from before


def known(index: int, name: str, number: int) -> SubjectResult:
    return SubjectResult(
        index=index,
        subject=name,
        ok=True,
        analysis=f"{name}, from before.",
        claims=(Claim(text="old", quote="old quote", source=number, verified=True),),
        sources=(Source(number=number, url="http://a.example/", title="Old", fetched=True),),
        cost_pico=7,
    )


async def test_subjects_from_before_are_compared_and_not_asked_about(world: World) -> None:
    for name in ("Aurora", "Borealis", "Calypso"):
        world.knows(name, words(name))
    world.finds("Dead", world.site.url("/dead"))
    began: list[int] = []
    kept: list[SubjectResult] = []

    async def begin(index: int) -> None:
        began.append(index)

    async def keep(result: SubjectResult) -> None:
        kept.append(result)

    names = ("Aurora", "Borealis", "Calypso", "Dead", "Lost")
    async with world.open() as swarm, world.named() as (_, web):
        found = await course_of(
            swarm, web, request_of(*names), done={1: known(1, "Borealis", 5)}, keep=keep, begin=begin
        )
    subjects = found.result.subjects
    assert subjects[1] == known(1, "Borealis", 5)
    assert sorted(began) == [0, 2, 3, 4]
    assert sorted(world.asked) == ["Aurora", "Calypso"]
    assert sorted(kept, key=lambda each: each.index) == [subjects[index] for index in (0, 2, 3, 4)]
    assert subjects[3].sources
    numbers = [source.number for each in subjects for source in each.sources]
    assert len(numbers) == len(set(numbers))
    assert min(source.number for source in subjects[0].sources) == 6
    assert "Borealis, from before." in world.questions[-1].text
    assert found.started.total == 5
    assert found.phases[0] == ("search", 1, 4, 4)


async def test_everything_from_before_is_only_compared(world: World) -> None:
    done = {0: known(0, "Aurora", 1), 1: known(1, "Borealis", 2)}
    async with world.named() as (swarm, web):
        found = await course_of(swarm, web, request_of("Aurora", "Borealis"), done=done)
    assert found.result.subjects == (done[0], done[1])
    assert found.result.comparison == "They differ."
    assert not world.search.calls
    assert len(world.model.calls) == 1


async def test_a_store_that_fails_is_no_fault_of_a_subject(world: World) -> None:
    """Whoever keeps the results has to know; the subject must not end up as "nothing found"."""

    async def begin(_: int) -> None:
        raise StoreError("the disk is full")

    async with world.named() as (swarm, web):
        with pytest.raises(StoreError, match="the disk is full"):
            await course_of(swarm, web, request_of("Aurora", "Borealis"), begin=begin)


# ---- what is refused before anything is done


async def test_a_search_that_is_not_set_up_is_refused_before_the_first_event(world: World) -> None:
    world.sections["research"] = {"search": "brave"}
    async with world.open() as swarm:
        with pytest.raises(NotConfigured, match="no key for search by brave"):
            await course(swarm, "Aurora")
    world.sections["research"] = {"search": "gemini"}
    async with world.open() as swarm:
        with pytest.raises(ConfigError, match="only Gemini asks its own search"):
            await course(swarm, "Aurora")


async def test_half_of_a_character_is_refused(world: World) -> None:
    async with world.open() as swarm:
        with pytest.raises(InputError, match="lone surrogate"):
            await swarm.research(ResearchRequest(subjects=("a\ud800",)), _nobody)


async def _nobody(_: object) -> None:
    """Nobody listens."""
