"""The fake of Gemini's search: what it refuses, and what it says about the pages it used."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.fakes.behaviours import Say
from tests.fakes.gemini import FakeGemini
from tests.fakes.gemini_search import Searching

pytestmark = pytest.mark.anyio

SEARCH: list[Any] = [{"googleSearch": {}}]
FUNCTION = {"functionDeclarations": [{"name": "f"}]}
AS_JSON = {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(headers={"x-goog-api-key": "test-key"}) as client:
        yield client


async def ask(http: httpx2.AsyncClient, server: FakeGemini, model: str, **fields: Any) -> httpx2.Response:
    body = {"contents": [{"parts": [{"text": "why?"}]}], **fields}
    return await http.post(f"{server.url}/v1beta/models/{model}:generateContent", json=body)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.5-flash-lite"])
async def test_search_goes_alone_on_older_models(http: httpx2.AsyncClient, model: str) -> None:
    status = 400 if "2.5" in model else 200
    async with FakeGemini() as server:
        assert (await ask(http, server, model, tools=SEARCH)).status_code == 200
        assert (await ask(http, server, model, tools=[*SEARCH, FUNCTION])).status_code == status
        assert (await ask(http, server, model, tools=SEARCH, generationConfig=AS_JSON)).status_code == status


@pytest.mark.parametrize("tool", [{"googleSearch": {"depth": 3}}, {"googleSearch": True}, {"webSearch": {}}])
async def test_a_search_that_google_does_not_know_is_refused(http: httpx2.AsyncClient, tool: Any) -> None:
    async with FakeGemini() as server:
        assert (await ask(http, server, "gemini-3.5-flash-lite", tools=[tool])).status_code == 400
        assert (
            await ask(http, server, "gemini-3.5-flash-lite", tools=[{"google_search": {}}])
        ).status_code == 200


async def test_places_count_bytes_and_a_zero_is_left_out(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        server.searching = Searching(("a", "b"), (("http://x.example/1", "x"), ("http://y.example/2", "y")))
        server.enqueue(Say(text="Tromsø ist schön. Ja."))
        answer = (await ask(http, server, "gemini-3.5-flash-lite", tools=SEARCH)).json()
    found = answer["candidates"][0]["groundingMetadata"]
    assert found["webSearchQueries"] == ["a", "b"]
    first, second = found["groundingSupports"]
    assert first["segment"] == {"endIndex": 19, "text": "Tromsø ist schön."}
    assert second["segment"] == {"startIndex": 19, "endIndex": 23, "text": " Ja."}
    assert (first["groundingChunkIndices"], second["groundingChunkIndices"]) == ([0], [1])


async def test_a_model_that_does_not_search_says_nothing_about_it(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        server.searching = Searching(())
        answer = (await ask(http, server, "gemini-3.5-flash-lite", tools=SEARCH)).json()
        assert "groundingMetadata" not in answer["candidates"][0]
        answer = (await ask(http, server, "gemini-3.5-flash-lite")).json()
        assert "groundingMetadata" not in answer["candidates"][0]
