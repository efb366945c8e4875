"""Gemini's own web search: on the wire, in the engine, and what it costs."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.access.swarm import Swarm
from clawswarm.config.model import Limits, Settings
from clawswarm.engine.redact import MASK
from clawswarm.errors import InputError
from clawswarm.providers.gemini_grounding import grounding
from clawswarm.types.requests import BatchRequest
from clawswarm.types.result import FoundPage, Grounding, Support
from clawswarm.types.task import Task
from tests.fakes.behaviours import Refuse, Say
from tests.fakes.gemini import FakeGemini
from tests.fakes.gemini_search import Searching
from tests.fakes.openai import FakeOpenAI
from tests.providers.wires import GEMINI, KEYS, OPEN, WEATHER, both_modes, every_wire, one, opened, swarm_on
from tests.providers.wires import Wire as Provided

pytestmark = pytest.mark.anyio

ASK = Task(prompt="why?", web_search=True)
TWO = Searching(("a", "b"), (("http://x.example/1", "x.example"), ("http://y.example/2", "y.example")))
TEXT = "Tromsø ist schön. 東京は大きい。 Sure?"


@both_modes
async def test_a_search_on_the_wire(stream: bool) -> None:
    async with opened(GEMINI, stream=stream) as line:
        assert isinstance(line.fake, FakeGemini)
        line.fake.searching = TWO
        line.fake.enqueue(Say(text=TEXT))
        reply = await line.ask(ASK)
    assert line.body["tools"] == [{"googleSearch": {}}]
    assert "toolConfig" not in line.body
    assert reply.text == TEXT
    assert reply.grounding == Grounding(
        pages=(FoundPage("http://x.example/1", "x.example"), FoundPage("http://y.example/2", "y.example")),
        supports=(
            Support("Tromsø ist schön.", (0,)),
            Support(" 東京は大きい。", (1,)),
            Support(" Sure?", (0,)),
        ),
        searches=2,
    )


@both_modes
async def test_a_model_that_does_not_search_has_no_grounding(stream: bool) -> None:
    async with opened(GEMINI, stream=stream) as line:
        assert isinstance(line.fake, FakeGemini)
        line.fake.searching = Searching(())
        assert (await line.ask(ASK)).grounding is None
        assert (await line.ask("why?")).grounding is None
        assert "tools" not in line.body


@pytest.mark.parametrize("more", [{"tools": (WEATHER,)}, {"schema": OPEN}])
async def test_a_search_goes_with_neither_tools_nor_a_schema(more: dict[str, Any]) -> None:
    async with opened(GEMINI) as line:
        failure = await line.refused(Task(prompt="why?", web_search=True, **more))
        assert failure.code == "bad_request"
        assert not line.fake.calls


def chunk(**metadata: Any) -> dict[str, Any]:
    return {"candidates": [{"groundingMetadata": metadata}]}


WEB = {"web": {"uri": "http://x.example/", "title": "x"}}


def test_what_a_stream_tells_in_pieces_is_put_together() -> None:
    found = grounding(
        [
            chunk(webSearchQueries=["a"]),
            {"candidates": [{}]},
            chunk(groundingChunks=[WEB], groundingSupports=[]),
            chunk(),
        ]
    )
    assert found == Grounding(pages=(FoundPage("http://x.example/", "x"),), searches=1)


def test_places_are_those_of_the_pages_that_have_an_address() -> None:
    support = {
        "segment": {"text": "s"},
        "groundingChunkIndices": [0, 1, 2, 3, 4, -1, 9, True, "1", None, 1.0],
    }
    chunks: list[Any] = [
        None,
        WEB,
        {"retrievedContext": {}},
        {"web": {"title": "no address"}},
        {"web": {"uri": "http://y/"}},
    ]
    found = grounding([chunk(groundingChunks=chunks, groundingSupports=[support, 7, {}])])
    assert found is not None
    assert found.pages == (FoundPage("http://x.example/", "x"), FoundPage("http://y/", ""))
    assert found.supports == (Support("s", (0, 1)), Support("", ()))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["web", "uri"]), inner),
    max_leaves=6,
)
SUPPORT = st.fixed_dictionaries({}, optional={"segment": JSON, "groundingChunkIndices": JSON})
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "webSearchQueries": JSON,
        "groundingChunks": JSON | st.lists(JSON | st.just(WEB), max_size=4),
        "groundingSupports": JSON | st.lists(JSON | SUPPORT, max_size=3),
    },
)


@given(st.lists(METADATA | JSON, max_size=3))
def test_whatever_shape_it_has_it_is_read(shapes: list[Any]) -> None:
    found = grounding([{"candidates": [{"groundingMetadata": shape}]} for shape in shapes])
    if found is not None:
        assert all(page.url for page in found.pages)
        assert all(0 <= at < len(found.pages) for support in found.supports for at in support.pages)
        assert found.searches >= 0


# ---- the engine


@asynccontextmanager
async def swarm_of(fake: FakeGemini, **sections: Any) -> AsyncGenerator[Swarm]:
    provider = {"name": "gemini", "model": GEMINI.model, "base_url": fake.url, **sections.pop("provider", {})}
    settings = Settings.model_validate({"provider": provider, "limits": Limits(max_retries=0), **sections})
    async with Swarm(settings=settings, environ={"HOME": os.environ["HOME"], **KEYS}) as swarm:
        yield swarm


async def test_a_search_is_never_cached_nor_shared() -> None:
    async with FakeGemini() as fake, swarm_of(fake) as swarm:
        first = await swarm.parallel([ASK, ASK])
        again = await swarm.parallel([ASK])
        assert len(fake.calls) == 3
        assert not any(task.cached for task in (*first.tasks, *again.tasks))
        plain = Task(prompt="why?")
        await swarm.parallel([plain, plain])
        assert len(fake.calls) == 4
    grounded = again.tasks[0].grounding
    assert grounded is not None
    assert grounded.searches == 1


async def test_credentials_in_what_a_search_says_are_taken_out() -> None:
    secret = "sk-proj-abcDEF0123456789abcDEF0123456789"
    async with FakeGemini() as fake, swarm_of(fake) as swarm:
        fake.enqueue(Say(text=f"The key is {secret}, they say."))
        result = (await swarm.parallel([ASK])).tasks[0]
    assert result.text == f"The key is {MASK}, they say."
    assert result.grounding is not None
    assert [support.text for support in result.grounding.supports] == [result.text]


@every_wire
async def test_a_provider_without_a_search_refuses(wire: Provided) -> None:
    async with wire.make() as fake, swarm_on(wire, fake) as swarm:
        result = await one(swarm, ASK)
        assert result.ok == (wire is GEMINI)
        if result.error is not None:
            assert result.error.code == "bad_request"
            assert "no web search of its own" in result.error.message
            assert not fake.calls


async def test_a_chain_asks_those_that_can_search() -> None:
    async with FakeGemini() as fake, FakeOpenAI() as other:
        plain = {"name": "openai", "base_url": other.base_url, "model": "gpt-6-luna"}
        gemini = {"name": "gemini", "base_url": fake.url, "model": GEMINI.model}
        async with swarm_of(fake, provider={"fallback": [plain]}) as swarm:
            fake.enqueue(Refuse(503, "busy"))
            result = await one(swarm, ASK)
            assert result.error is not None
            assert result.error.code == "overloaded"
            assert not other.calls
        async with swarm_of(fake, provider={**plain, "fallback": [gemini]}) as swarm:
            result = await one(swarm, Task(prompt="why?", web_search=True, model="gpt-6-sol"))
            assert (result.provider, result.model) == ("gemini", GEMINI.model)
            assert not other.calls


def test_a_search_is_not_handed_over_in_silence() -> None:
    with pytest.raises(InputError, match="web_search cannot be handed over"):
        BatchRequest(tasks=[ASK], total=1).documents()
