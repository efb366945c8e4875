"""How a reply may end: each ending other than a plain one is an error with its own name."""

from typing import Any

import pytest

from tests.fakes.behaviours import Behaviour, Blocked, Empty, NoEnd, Raw, Say
from tests.fakes.common import encode
from tests.providers.wires import (
    ANTHROPIC,
    CHAT,
    GEMINI,
    GROQ,
    LOCAL,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    WIRES,
    Wire,
    both_modes,
    every_wire,
    hurried,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio


async def failure(wire: Wire, stream: bool, behaviour: Behaviour) -> Any:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.enqueue(behaviour)
        result = await one(swarm)
    assert not result.ok
    assert result.text is None
    assert result.error is not None
    return result


@both_modes
@every_wire
async def test_a_reply_cut_at_the_bound_is_truncated(wire: Wire, stream: bool) -> None:
    result = await failure(wire, stream, Say(text="half of", finish="length"))
    assert (result.error.code, result.error.retryable) == ("truncated", False)
    assert result.usage.output_tokens == 20  # paid all the same
    assert (result.cost_pico == 0) is wire.cheap
    assert "max_tokens" in result.error.hint


@both_modes
@every_wire
async def test_an_empty_reply_is_no_answer(wire: Wire, stream: bool) -> None:
    result = await failure(wire, stream, Empty())
    assert (result.error.code, result.attempts) == ("empty_reply", 1)


@both_modes
@every_wire
async def test_a_reply_of_spaces_is_no_answer(wire: Wire, stream: bool) -> None:
    assert (await failure(wire, stream, Say(text=" \n "))).error.code == "empty_reply"


@both_modes
@pytest.mark.parametrize("wire", [w for w in WIRES if w is not OLLAMA], ids=lambda w: w.id)
async def test_a_blocked_prompt_says_so(wire: Wire, stream: bool) -> None:
    result = await failure(wire, stream, Blocked("SAFETY"))
    assert (result.error.code, result.error.retryable, result.attempts) == ("content_blocked", False, 1)
    assert result.error.hint
    if wire is GEMINI:
        assert "SAFETY" in result.error.message


@both_modes
@pytest.mark.parametrize("wire", [w for w in WIRES if w is not OLLAMA], ids=lambda w: w.id)
async def test_a_filtered_reply_says_so(wire: Wire, stream: bool) -> None:
    result = await failure(wire, stream, Say(text="half", finish="content_filter"))
    assert result.error.code == "content_blocked"


@both_modes
@pytest.mark.parametrize("wire", [*CHAT, GEMINI], ids=lambda w: w.id)
async def test_a_refusal_is_not_an_answer(wire: Wire, stream: bool) -> None:
    result = await failure(wire, stream, Say(text="I cannot do that", finish="refusal"))
    assert result.error.code == "content_blocked"
    if wire in CHAT:
        assert "I cannot do that" in result.error.message


@both_modes
@pytest.mark.parametrize(
    "reason", ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"]
)
async def test_each_of_geminis_filters_is_a_block(reason: str, stream: bool) -> None:
    result = await failure(GEMINI, stream, Say(text="", finish=reason))
    assert result.error.code == "content_blocked"
    assert reason in result.error.message


@both_modes
@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (GEMINI, "MALFORMED_FUNCTION_CALL"),
        (GEMINI, "OTHER"),
        (GEMINI, "NEVER_HEARD_OF"),
        (ANTHROPIC, "pause_turn"),
        (ANTHROPIC, "new_reason"),
        (OPENAI, "new_reason"),
        (OPENROUTER, "error"),
        (OLLAMA, "load"),
    ],
)
async def test_an_unknown_ending_is_named_and_no_answer(wire: Wire, reason: str, stream: bool) -> None:
    result = await failure(wire, stream, Say(text="text", finish=reason))
    assert result.error.code == "invalid_reply"
    assert reason in result.error.message


@both_modes
async def test_a_context_window_that_claude_ran_out_of_has_its_name(stream: bool) -> None:
    result = await failure(ANTHROPIC, stream, Say(text="half", finish="model_context_window_exceeded"))
    assert result.error.code == "context_overflow"


@pytest.mark.parametrize("pieces", [0, 1, 2])
@every_wire
async def test_a_stream_without_its_end_is_never_an_answer(wire: Wire, pieces: int) -> None:
    result = await failure(wire, True, NoEnd(pieces, of=Say(text="a reply of many words")))
    assert (result.error.code, result.error.retryable) == ("connection_failed", True)
    assert result.usage is None
    assert result.cost_pico == (0 if wire.cheap else None)


@every_wire
async def test_a_stream_without_its_end_is_asked_again(wire: Wire) -> None:
    limits = {"max_retries": 1}
    async with (
        hurried(wire) as clock,
        wire.make() as fake,
        swarm_on(wire, fake, stream=True, limits=limits, clock=clock) as swarm,
    ):
        fake.enqueue(NoEnd(1, of=Say(text="half and")), Say(text="whole"))
        result = await one(swarm)
    assert (result.text, result.attempts) == ("whole", 2)
    assert result.cost_pico == (
        0 if wire.cheap else None
    )  # the first may be billed, and nobody says how much


@both_modes
@every_wire
async def test_missing_usage_is_unknown_and_not_zero(wire: Wire, stream: bool) -> None:
    bodies: dict[str, Any] = {
        "gemini": {"candidates": [{"content": {"parts": [{"text": "ok"}]}, "finishReason": "STOP"}]},
        "anthropic": {"content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn"},
        "ollama": {"message": {"content": "ok"}, "done": True, "done_reason": "stop"},
    }
    body = bodies.get(wire.name, {"choices": [{"finish_reason": "stop", "message": {"content": "ok"}}]})
    raw = Raw(200, encode(body))
    if stream and wire is OLLAMA:
        raw = Raw(200, encode(body) + b"\n", "application/x-ndjson")
    if stream and wire is ANTHROPIC:
        return  # its SDK cannot read a stream without usage: see test_odd_parts
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.enqueue(raw)
        result = await one(swarm)
    assert result.text == "ok"  # a server that does not stream although it was asked to is understood
    assert result.usage is None
    assert result.cost_pico == (0 if wire.cheap else None)


@pytest.mark.parametrize("wire", [GROQ, LOCAL], ids=lambda w: w.id)
async def test_a_stream_without_usage_is_an_answer_of_unknown_cost(wire: Wire) -> None:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"delta": {"content": "ok"}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    ]
    body = b"".join(b"data: " + encode(chunk) + b"\n\n" for chunk in chunks)
    async with opened(wire, stream=True) as line:
        line.fake.enqueue(Raw(200, body, "text/event-stream"))
        reply = await line.ask("hi")
    assert (reply.text, reply.usage) == ("ok", None)
