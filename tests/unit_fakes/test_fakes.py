"""The fake servers behave as the providers' recorded facts say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import anyio.lowlevel
import httpx2
import pytest
from anthropic import APIStatusError, AsyncAnthropic, OverloadedError, RateLimitError
from anthropic.types import Message

from tests.fakes.anthropic import FakeAnthropic, anthropic_429, anthropic_overloaded
from tests.fakes.behaviours import (
    Blocked,
    Call,
    Cut,
    Drip,
    Empty,
    Hang,
    Held,
    NoEnd,
    Raw,
    Refuse,
    Say,
    Stall,
    StreamError,
)
from tests.fakes.common import minimal_instance
from tests.fakes.gemini import FakeGemini, gemini_429
from tests.fakes.ollama import FakeOllama, ollama_busy
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai_rules import Flavour

pytestmark = pytest.mark.anyio

KEY = "test-key"
HI: list[dict[str, Any]] = [{"role": "user", "content": "hi there"}]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["n", "tags"],
    "additionalProperties": False,
}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        yield client


async def ask(
    http: httpx2.AsyncClient, server: FakeOpenAI, key: str | None = KEY, **fields: Any
) -> httpx2.Response:
    body = {"model": server.models[0], "messages": HI, **fields}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return await http.post(f"{server.base_url}/chat/completions", json=body, headers=headers)


async def gem(
    http: httpx2.AsyncClient, server: FakeGemini, verb: str = "generateContent", **fields: Any
) -> httpx2.Response:
    model = fields.pop("model", "gemini-3.5-flash-lite")
    body = {"contents": [{"role": "user", "parts": [{"text": "hi there"}]}], **fields}
    url = f"{server.base_url}/v1beta/models/{model}:{verb}"
    return await http.post(url, json=body, headers={"x-goog-api-key": KEY})


async def chat(http: httpx2.AsyncClient, server: FakeOllama, **fields: Any) -> httpx2.Response:
    body = {"model": "qwen3:32b", "messages": HI, "stream": False, **fields}
    return await http.post(f"{server.base_url}/api/chat", json=body)


def claude(server: FakeAnthropic) -> AsyncAnthropic:
    return AsyncAnthropic(
        api_key=KEY,
        base_url=server.base_url,
        max_retries=0,
        http_client=httpx2.AsyncClient(trust_env=False),
    )


def events(text: str) -> list[Any]:
    lines = [line for line in text.splitlines() if line.startswith("data: ") and line != "data: [DONE]"]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_an_openai_answer_echoes_the_prompt_and_counts_tokens(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI() as server:
        server.rate_headers["x-ratelimit-remaining-requests"] = "7"
        server.enqueue(Say(cached_tokens=4, thinking_tokens=5))
        answer = await ask(http, server)
        body = answer.json()
        assert body["choices"][0]["message"]["content"] == "echo: hi there"
        assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 4
        assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5
        assert answer.headers["x-ratelimit-remaining-requests"] == "7"
        assert server.calls[0].json["model"] == "gpt-6-luna"
        assert server.calls[0].headers["authorization"] == "Bearer test-key"


async def test_openai_refuses_what_the_reasoning_models_refuse(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI() as server:
        refused = await ask(http, server, max_tokens=5)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "unsupported_parameter"
        assert "Use 'max_completion_tokens' instead." in refused.json()["error"]["message"]
        assert (await ask(http, server, temperature=0.2)).status_code == 400
        assert (await ask(http, server, temperature=0.2, reasoning_effort="none")).status_code == 200
        assert (await ask(http, server, tools=[TOOL])).status_code == 400
        assert (await ask(http, server, tools=[TOOL], reasoning_effort="none")).status_code == 200
        assert (await ask(http, server, model="gpt-4o-mini", max_tokens=5)).status_code == 200
        assert (await ask(http, server, num_ctx=5)).json()["error"]["code"] == "unknown_parameter"
        gone = await ask(http, server, model="gpt-3")
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_bad_key_is_refused_and_repeated_only_when_asked(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI() as server:
        refused = await ask(http, server, key="sk-secret-123456")
        assert refused.json()["error"]["code"] == "invalid_api_key"
        assert "sk-s" in refused.text
        assert "sk-secret-123456" not in refused.text
        server.echo_key = True
        assert "sk-secret-123456" in (await ask(http, server, key="sk-secret-123456")).text
        assert (await ask(http, server, key=None)).status_code == 401


async def test_openai_schemas_must_be_strict_and_are_honoured(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI() as server:
        wanted = {"name": "Answer", "strict": True, "schema": SCHEMA}
        answer = await ask(http, server, response_format={"type": "json_schema", "json_schema": wanted})
        assert json.loads(answer.json()["choices"][0]["message"]["content"]) == {"n": 0, "tags": []}
        wanted["schema"] = {**SCHEMA, "required": ["n"]}
        refused = await ask(http, server, response_format={"type": "json_schema", "json_schema": wanted})
        assert refused.status_code == 400
        assert "Missing 'tags'" in refused.json()["error"]["message"]


@pytest.mark.parametrize("flavour", ["openai", "groq", "openrouter", "local"])
async def test_each_flavour_streams_text_calls_and_usage(http: httpx2.AsyncClient, flavour: Flavour) -> None:
    async with FakeOpenAI(flavour) as server:
        server.enqueue(Say(text="one two", tool_calls=(Call("f", {"n": 1}),), thinking="hm", cost=0.5))
        answer = await ask(http, server, stream=True, stream_options={"include_usage": True})
        assert answer.text.endswith("data: [DONE]\n\n")
        chunks = events(answer.text)
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        assert "".join(c["delta"].get("content") or "" for c in choices) == "one two"
        calls = [call for c in choices for call in c["delta"].get("tool_calls", [])]
        assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"n": 1}
        assert choices[-1]["finish_reason"] == "tool_calls"
        assert chunks[-1]["usage"]["completion_tokens"] == 20
        if flavour == "groq":
            assert chunks[-2]["x_groq"]["usage"]["prompt_tokens"] == 10
        if flavour == "openrouter":
            assert ": OPENROUTER PROCESSING" in answer.text
            assert chunks[-1]["usage"]["cost"] == 0.5
        if flavour == "local":
            assert any(c["delta"].get("reasoning_content") == "hm" for c in choices)


async def test_streams_fail_each_in_the_flavours_own_way(http: httpx2.AsyncClient) -> None:
    error = StreamError(after_chunks=2, message="broke", code=429)
    async with FakeOpenAI("openrouter") as server:
        server.enqueue(error, error)
        streamed = await ask(http, server, stream=True)
        assert streamed.status_code == 200
        assert events(streamed.text)[-1]["error"]["code"] == 429
        assert events(streamed.text)[-1]["choices"][0]["finish_reason"] == "error"
        whole = await ask(http, server)
        assert (whole.status_code, whole.json()["error"]["message"]) == (200, "broke")
    async with FakeOpenAI("groq") as server:
        server.enqueue(error, NoEnd(after_chunks=2))
        assert events((await ask(http, server, stream=True)).text)[-1]["x_groq"]["error"] == "broke"
        unfinished = await ask(http, server, stream=True)
        assert "[DONE]" not in unfinished.text
        assert len(events(unfinished.text)) == 2


async def test_a_local_server_tells_its_slots(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI("local", total_slots=3) as server:
        props = (await http.get(f"{server.url}/props")).json()
        assert props["total_slots"] == 3
        assert (await http.get(f"{server.url}/health")).json() == {"status": "ok"}
        assert (await ask(http, server, key=None, model="anything")).status_code == 200
        assert len(server.calls) == 1
        assert len(server.seen) == 3


async def test_slots_serve_in_order_of_arrival(http: httpx2.AsyncClient) -> None:
    gates = [anyio.Event() for _ in range(5)]
    async with FakeOllama(num_parallel=2) as server, anyio.create_task_group() as tasks:
        server.enqueue(*map(Held, gates))
        for number in range(5):
            tasks.start_soon(chat, http, server)
            await server.wait_calls(number + 1)
        await server.wait_until(lambda: server.serving == 2)
        assert server.in_flight == 5
        for number, gate in enumerate(gates):
            gate.set()
            await server.wait_in_flight(4 - number)
    assert (server.peak, server.serving_peak) == (5, 2)


@pytest.mark.parametrize("behaviour", [Hang(), Stall(0), Stall(2), Drip(0.04)])
async def test_a_client_that_leaves_is_noticed(
    http: httpx2.AsyncClient, behaviour: Hang | Stall | Drip
) -> None:
    async with FakeOllama() as server, anyio.create_task_group() as tasks:
        server.enqueue(behaviour)
        with anyio.CancelScope() as scope:

            async def leave() -> None:
                await server.wait_until(lambda: server.serving == 1)
                scope.cancel()

            tasks.start_soon(leave)
            await chat(http, server, stream=True)
        await server.wait_left(1)
        assert (server.left, server.in_flight) == (1, 0)
        assert (await chat(http, server)).status_code == 200


async def test_a_queued_client_that_leaves_frees_no_slot_twice(http: httpx2.AsyncClient) -> None:
    gate = anyio.Event()
    async with FakeOllama() as server, anyio.create_task_group() as tasks:
        server.enqueue(Held(gate))
        tasks.start_soon(chat, http, server)
        await server.wait_calls(1)
        with anyio.CancelScope() as scope:

            async def leave() -> None:
                await server.wait_calls(2)
                scope.cancel()

            tasks.start_soon(leave)
            await chat(http, server)
        await server.wait_left(1)
        gate.set()
        await server.wait_in_flight(0)
        assert server.serving_peak == 1


@pytest.mark.parametrize("after", [0, 25])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_cut_answer_is_a_broken_connection(
    http: httpx2.AsyncClient, after: int, stream: bool
) -> None:
    async with FakeOpenAI() as server:
        got = b""

        async def read() -> None:
            nonlocal got
            body = {"model": "gpt-6-luna", "messages": HI, "stream": stream}
            headers = {"Authorization": f"Bearer {KEY}"}
            url = f"{server.base_url}/chat/completions"
            async with http.stream("POST", url, json=body, headers=headers) as answer:
                assert answer.status_code == 200
                async for piece in answer.aiter_raw():
                    got += piece

        server.enqueue(Cut(after))
        with pytest.raises(httpx2.RemoteProtocolError):
            await read()
        assert len(got) == after
        assert server.left == 0


async def test_drip_raw_empty_and_refusals(http: httpx2.AsyncClient) -> None:
    async with FakeOpenAI() as server:
        quota = Refuse(429, "no money", code="insufficient_quota", retry_after=2)
        server.enqueue(Drip(), Raw(502, b"<html>", "text/html"), Empty(), quota, Blocked())
        assert (await ask(http, server)).json()["choices"][0]["message"]["content"] == "echo: hi there"
        assert (await ask(http, server)).text == "<html>"
        assert (await ask(http, server)).json()["choices"][0]["message"]["content"] == ""
        refused = await ask(http, server)
        assert refused.headers["retry-after"] == "2"
        assert refused.json()["error"]["type"] == "insufficient_quota"
        assert (await ask(http, server)).json()["choices"][0]["finish_reason"] == "content_filter"
        server.respond = lambda seen: Say(text=str(len(seen.json["messages"])))
        assert (await ask(http, server)).json()["choices"][0]["message"]["content"] == "1"


async def test_gemini_counts_thoughts_apart_and_omits_zeros(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        server.enqueue(Say(text="yes", thinking="hm", thinking_tokens=15, cached_tokens=3))
        config = {"thinkingConfig": {"thinking_level": "LOW", "includeThoughts": True}}
        body = (await gem(http, server, generation_config=config)).json()
        assert body["candidates"][0]["content"]["parts"] == [{"text": "hm", "thought": True}, {"text": "yes"}]
        assert body["usageMetadata"] == {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 3,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 15,
            "totalTokenCount": 30,
        }


async def test_gemini_refuses_keys_models_and_fields_in_its_words(http: httpx2.AsyncClient) -> None:
    async with FakeGemini(key="AQ.other") as server:
        bad = (await gem(http, server)).json()["error"]
        assert (bad["code"], bad["details"][0]["reason"]) == (400, "API_KEY_INVALID")
        server.key = KEY
        gone = await gem(http, server, model="gemini-2.0-flash")
        assert gone.status_code == 404
        assert "Call ModelService.ListModels" in gone.json()["error"]["message"]
        for model, config in (
            ("gemini-3.8-flash", {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}),
            ("gemini-3.8-flash", {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}}),
            ("gemini-2.5-flash", {"thinkingConfig": {"thinkingLevel": "LOW"}}),
            ("gemini-3.8-flash", {"responseJsonSchema": SCHEMA}),
            ("gemini-3.8-flash", {"max_tokens": 5}),
        ):
            assert (await gem(http, server, model=model, generationConfig=config)).status_code == 400
        url = f"{server.url}/v1beta/models/gemini-3.5-flash-lite:generateContent?key={KEY}"
        twice = await http.post(url, json={}, headers={"x-goog-api-key": KEY})
        assert "Multiple authentication credentials" in twice.text


async def test_gemini_streams_as_events_or_as_one_array(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        failing = StreamError(after_chunks=1, type="UNAVAILABLE")
        quota = gemini_429(46.6, per="day")
        server.enqueue(Say(text="a b"), Say(text="a b"), failing, failing, quota)
        streamed = events((await gem(http, server, "streamGenerateContent?alt=sse")).text)
        listed = (await gem(http, server, "streamGenerateContent")).json()
        for chunks in (streamed, listed):
            parts = [p for chunk in chunks for p in chunk["candidates"][0]["content"]["parts"]]
            assert "".join(part["text"] for part in parts) == "a b"
            assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
            assert chunks[-1]["usageMetadata"]["candidatesTokenCount"] == 20
        assert (await gem(http, server, "streamGenerateContent")).json()[-1]["error"]["code"] == 503
        broken = events((await gem(http, server, "streamGenerateContent?alt=sse")).text)
        assert broken[-1]["error"]["status"] == "UNAVAILABLE"
        refused = await gem(http, server, "streamGenerateContent")
        details = refused.json()[0]["error"]["details"]
        assert "PerDay" in details[0]["violations"][0]["quotaId"]
        assert details[-1]["retryDelay"] == "46.6s"
        assert "retry-after" not in refused.headers


async def test_gemini_says_blocked_cut_short_and_grounded(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        server.enqueue(Blocked(), Say(text="", finish="length"), Say(text="äh"))
        blocked = (await gem(http, server)).json()
        assert blocked["promptFeedback"]["blockReason"] == "SAFETY"
        assert "candidates" not in blocked
        candidate = (await gem(http, server)).json()["candidates"][0]
        assert candidate == {"index": 0, "finishReason": "MAX_TOKENS"}
        grounded = (await gem(http, server, tools=[{"googleSearch": {}}])).json()["candidates"][0]
        assert grounded["groundingMetadata"]["groundingSupports"][0]["segment"]["endIndex"] == 3


async def test_gemini_wants_its_thought_signature_back(http: httpx2.AsyncClient) -> None:
    async with FakeGemini() as server:
        server.enqueue(Say(tool_calls=(Call("f", {"n": 1}),)))
        asked = {"role": "user", "parts": [{"text": "hi"}]}
        turn = (await gem(http, server)).json()["candidates"][0]["content"]
        reply = {"functionResponse": {"id": "call_1", "name": "f", "response": {"result": 2}}}
        answer = {"role": "user", "parts": [reply]}
        kept = (await gem(http, server, contents=[asked, turn, answer])).json()
        assert kept["candidates"][0]["finishReason"] == "STOP"
        del turn["parts"][0]["thoughtSignature"]
        lost = (await gem(http, server, contents=[asked, turn, answer])).json()
        assert lost["candidates"][0]["finishReason"] == "MISSING_THOUGHT_SIGNATURE"


async def test_ollama_streams_lines_and_thinks_unless_told_not_to(http: httpx2.AsyncClient) -> None:
    async with FakeOllama() as server:
        answer = await http.post(f"{server.url}/api/chat", json={"model": "qwen3:32b", "messages": HI})
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert lines[0]["message"]["thinking"]
        assert "".join(line["message"]["content"] for line in lines) == "echo: hi there"
        assert (lines[-1]["done_reason"], lines[-1]["prompt_eval_count"]) == ("stop", 2)
        server.enqueue(Say(output_tokens=0), StreamError(after_chunks=1, message="crash"))
        silent = (await chat(http, server, think=False)).json()
        assert "thinking" not in silent["message"]
        assert "eval_count" not in silent
        broken = await chat(http, server, stream=True)
        assert json.loads(broken.text.splitlines()[-1]) == {"error": "crash"}


async def test_ollama_cuts_long_prompts_and_reloads_for_another_context(http: httpx2.AsyncClient) -> None:
    async with FakeOllama(num_ctx_default=5) as server:
        long = [{"role": "user", "content": "word " * 50}]
        assert (await chat(http, server, messages=long)).json()["prompt_eval_count"] == 5
        assert (await chat(http, server, messages=long, truncate=False)).status_code == 400
        assert server.reloads == 0
        whole = await chat(http, server, messages=long, options={"num_ctx": 64}, keep_alive="9m")
        assert whole.json()["prompt_eval_count"] == 50
        assert (server.reloads, server.keep_alive) == (1, {"qwen3:32b": "9m"})
        running = (await http.get(f"{server.url}/api/ps")).json()["models"]
        assert running[0]["context_length"] == 64
        unloaded = await chat(http, server, messages=[], keep_alive=0)
        assert unloaded.json()["done_reason"] == "unload"
        assert server.loaded == {}


async def test_ollama_refuses_in_its_words(http: httpx2.AsyncClient) -> None:
    async with FakeOllama() as server:
        gone = await chat(http, server, model="nope")
        assert (gone.status_code, gone.json()) == (404, {"error": "model 'nope' not found"})
        thinker = await chat(http, server, model="gemma:2b", think=True)
        assert thinker.json()["error"] == '"gemma:2b" does not support thinking'
        assert "does not support tools" in (await chat(http, server, model="gemma:2b", tools=[TOOL])).text
        wrong = await chat(http, server, options={"num_ctx": "8"})
        assert wrong.json()["error"] == 'option "num_ctx" must be of type integer'
        call = {"function": {"name": "f", "arguments": "{}"}}
        turn = {"role": "assistant", "content": "", "tool_calls": [call]}
        assert "cannot unmarshal string" in (await chat(http, server, messages=[*HI, turn])).text
        server.enqueue(ollama_busy(), Say(tool_calls=(Call("f", {"n": 1}),)))
        busy = await chat(http, server)
        assert busy.status_code == 503
        assert "again.  maximum" in busy.json()["error"]
        called = (await chat(http, server, tools=[TOOL])).json()["message"]["tool_calls"]
        assert called[0]["function"]["arguments"] == {"n": 1}
        shaped = (await chat(http, server, format=SCHEMA)).json()["message"]["content"]
        assert json.loads(shaped) == {"n": 0, "tags": []}
        cloud = await chat(http, server, model="gpt-oss:120b-cloud")
        assert cloud.json()["remote_model"] == "gpt-oss:120b"


async def test_ollama_refuses_when_too_many_wait_for_a_load(http: httpx2.AsyncClient) -> None:
    async with FakeOllama(max_queue=1, load_seconds=0.05) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(chat, http, server)
        await server.wait_calls(1)
        assert (await chat(http, server)).status_code == 503


async def test_the_anthropic_sdk_reads_answers_and_streams() -> None:
    async with FakeAnthropic() as server, claude(server) as client:
        server.enqueue(
            Say(text="one two", cached_tokens=4, thinking="hm", thinking_tokens=5),
            Say(text="one two", cached_tokens=4, thinking="hm", tool_calls=(Call("f", {"n": 1}, "toolu_1"),)),
        )
        request: Any = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": HI}
        whole = cast("Message", await client.messages.create(**request))
        assert [block.type for block in whole.content] == ["thinking", "text"]
        assert (whole.usage.input_tokens, whole.usage.cache_read_input_tokens) == (6, 4)
        async with client.messages.stream(**request) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        assert text == "one two"
        assert [block.type for block in final.content] == ["thinking", "text", "tool_use"]
        assert final.content[-1].model_dump()["input"] == {"n": 1}
        assert (final.stop_reason, final.usage.output_tokens) == ("tool_use", 20)
        assert server.calls[0].headers["anthropic-version"] == "2026-10-21"
        assert server.calls[0].bearer == KEY


async def test_the_anthropic_sdk_sees_the_errors_by_type() -> None:
    async with FakeAnthropic() as server, claude(server) as client:
        request: Any = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": HI}
        server.enqueue(anthropic_429(30), anthropic_overloaded(), StreamError(after_chunks=4))
        with pytest.raises(RateLimitError) as limited:
            await client.messages.create(**request)
        assert limited.value.response.headers["retry-after"] == "30"
        with pytest.raises(OverloadedError):
            await client.messages.create(**request)
        with pytest.raises(APIStatusError) as broken:
            async with client.messages.stream(**request) as stream:
                await stream.get_final_message()
        assert (broken.value.status_code, broken.value.type) == (200, "overloaded_error")


async def test_anthropic_refuses_what_its_models_refuse(http: httpx2.AsyncClient) -> None:
    async with FakeAnthropic() as server:
        headers = {"x-api-key": KEY, "anthropic-version": "2026-10-21"}

        async def status(model: str = "claude-sonnet-5-5", **fields: Any) -> int:
            body = {"model": model, "max_tokens": 100, "messages": HI, **fields}
            return (await http.post(f"{server.url}/v1/messages", json=body, headers=headers)).status_code

        tools = [{"name": "f", "input_schema": SCHEMA}]
        form = {"type": "json_schema", "schema": SCHEMA}
        assert await status() == 200
        assert await status(output_config={"format": form, "effort": "low"}) == 200
        assert await status("claude-haiku-5-5", tools=tools, tool_choice={"type": "any"}) == 200
        assert await status(temperature=1) == 400
        assert await status(max_tokens=None) == 400
        assert await status(thinking={"type": "disabled"}) == 400
        assert await status(tools=tools, tool_choice={"type": "any"}) == 400
        form["schema"] = {"type": "object", "properties": {}}
        assert await status(output_config={"format": form}) == 400
        assert await status("claude-3-haiku-20240307") == 404
        del headers["anthropic-version"]
        assert await status() == 400
        headers["x-api-key"] = "wrong"
        assert await status() == 401
        assert server.calls[-1].number == 11


async def test_the_smallest_instance_follows_references_and_bounds() -> None:
    await anyio.lowlevel.checkpoint()
    schema = {
        "type": "OBJECT",
        "properties": {
            "one": {"$ref": "#/$defs/One"},
            "many": {"type": "array", "items": {"type": "number", "minimum": 3}, "minItems": 2},
            "maybe": {"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]},
        },
        "required": ["one", "many", "maybe"],
        "$defs": {"One": {"enum": ["first", "second"]}},
    }
    assert minimal_instance(schema) == {"one": "first", "many": [3, 3], "maybe": "xx"}
