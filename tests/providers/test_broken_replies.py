"""Replies that are cut, garbled, or errors inside a 200: never an answer, never a crash."""

from typing import Any

import pytest

from clawswarm.types.result import TaskResult
from tests.fakes.behaviours import Behaviour, Cut, Raw, Say, StreamError
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    GROQ,
    LOCAL,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    Wire,
    both_modes,
    every_wire,
    hurried,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio

LONG = Say(text="a reply of rather long words, extraordinarily so: " + "w" * 60 + " " + "v" * 400)


async def result_of(wire: Wire, stream: bool, *behaviours: Behaviour, **limits: Any) -> TaskResult:
    async with (
        hurried(wire) as clock,
        wire.make() as fake,
        swarm_on(wire, fake, stream=stream, limits=limits, clock=clock) as swarm,
    ):
        fake.enqueue(*behaviours)
        return await one(swarm)


@both_modes
@pytest.mark.parametrize("after", [0, 1, 60, 400])
@every_wire
async def test_a_reply_cut_on_its_way_is_no_answer(wire: Wire, after: int, stream: bool) -> None:
    result = await result_of(wire, stream, Cut(after, of=LONG))
    assert not result.ok
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("connection_failed", True)
    assert result.usage is None  # it may be billed


@both_modes
@every_wire
async def test_a_reply_cut_on_its_way_is_asked_for_again(wire: Wire, stream: bool) -> None:
    result = await result_of(wire, stream, Cut(60, of=LONG), Say(text="whole"), max_retries=1)
    assert (result.text, result.attempts) == ("whole", 2)


HTML = b"<html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


@both_modes
@every_wire
async def test_a_web_page_is_no_answer(wire: Wire, stream: bool) -> None:
    result = await result_of(wire, stream, Raw(200, HTML, "text/html"))
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("invalid_reply", False)
    assert result.error.hint
    assert "base URL" in result.error.hint


@both_modes
@every_wire
async def test_a_gateways_web_page_is_its_status(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Raw(502, HTML, "text/html"), Raw(404, HTML, "text/html"))
        bad_gateway = await line.refused()
        lost = await line.refused()
    assert (bad_gateway.code, bad_gateway.status, bad_gateway.retryable) == ("provider_failed", 502, True)
    assert (lost.code, lost.status, lost.retryable) == ("model_not_found", 404, False)
    assert bad_gateway.hint
    assert lost.hint


@both_modes
@every_wire
async def test_an_empty_body_is_no_answer(wire: Wire, stream: bool) -> None:
    for kind in ("application/json", "text/event-stream", "application/x-ndjson"):
        result = await result_of(wire, stream, Raw(200, b"", kind))
        assert result.error is not None
        assert result.error.code in ("invalid_reply", "connection_failed")


SHAPES = ("[]", "null", '"x"', "{}", "3", "true", "[[]]", "[null]", '{"error": {}}', "{", "\x00")


@both_modes
@every_wire
async def test_json_of_another_shape_is_no_answer(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        for shape in SHAPES:
            for status in (200, 400, 500):
                line.fake.enqueue(Raw(status, shape.encode()))
                error = await line.refused()
                assert len(error.message) < 500
                assert error.hint
                assert error.status in (None, 400, 500) if status == 200 else error.status == status


@both_modes
@every_wire
async def test_events_of_another_shape_are_no_answer(wire: Wire, stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        for shape in SHAPES:
            if wire is OLLAMA:
                fake.enqueue(Raw(200, shape.encode() + b"\n", "application/x-ndjson"))
            else:
                fake.enqueue(Raw(200, b"data: " + shape.encode() + b"\n\n", "text/event-stream"))
        batch = await swarm.parallel(["hi"] * len(SHAPES))
    for result in batch.tasks:
        assert result.error is not None
        assert result.error.code in ("invalid_reply", "connection_failed", "provider_failed")


# ---- errors inside a 200


@pytest.mark.parametrize("after", [0, 1, 3])
@every_wire
async def test_an_error_inside_a_stream_is_an_error(wire: Wire, after: int) -> None:
    async with opened(wire, stream=True) as line:
        line.fake.enqueue(StreamError(after, of=LONG))
        error = await line.refused()
    assert error.retryable
    assert error.billed is None
    assert "the model broke down" in error.message
    assert error.hint
    assert error.code == ("overloaded" if wire is ANTHROPIC else "provider_failed")


@pytest.mark.parametrize(
    ("wire", "options", "code", "retryable"),
    [
        (OPENROUTER, {"code": 429}, "rate_limited", True),
        (OPENROUTER, {"code": 402}, "payment_required", False),
        (OPENROUTER, {"code": 502}, "provider_failed", True),
        (OPENROUTER, {"code": 503}, "overloaded", True),
        (OPENAI, {"code": "server_error"}, "provider_failed", True),
        (OPENAI, {"code": "context_length_exceeded"}, "context_overflow", False),
        (GEMINI, {"type": "UNAVAILABLE"}, "overloaded", True),
        (GEMINI, {"type": "RESOURCE_EXHAUSTED"}, "rate_limited", True),
        (GEMINI, {"type": "INTERNAL"}, "provider_failed", True),
        (ANTHROPIC, {"type": "overloaded_error"}, "overloaded", True),
        (ANTHROPIC, {"type": "api_error"}, "provider_failed", True),
        (ANTHROPIC, {"type": "rate_limit_error"}, "rate_limited", True),
        (ANTHROPIC, {"type": "timeout_error"}, "timeout", True),
        (ANTHROPIC, {"type": "invalid_request_error"}, "bad_request", False),
        (ANTHROPIC, {"type": "never_heard_of"}, "provider_failed", True),
        (GROQ, {}, "provider_failed", True),
        (LOCAL, {}, "provider_failed", True),
        (OLLAMA, {}, "provider_failed", True),
    ],
)
async def test_errors_inside_streams_are_told_apart(
    wire: Wire, options: dict[str, Any], code: str, retryable: bool
) -> None:
    async with opened(wire, stream=True) as line:
        line.fake.enqueue(StreamError(1, **options))
        error = await line.refused()
    assert (error.code, error.retryable, error.billed) == (code, retryable, None)


@pytest.mark.parametrize(("code", "ours"), [(429, "rate_limited"), (502, "provider_failed")])
async def test_openrouters_error_in_a_whole_200_is_an_error(code: int, ours: str) -> None:
    async with opened(OPENROUTER, stream=False) as line:
        line.fake.enqueue(StreamError(code=code))
        error = await line.refused()
    assert (error.code, error.status, error.retryable) == (ours, code, True)


async def test_ollamas_error_in_a_whole_200_is_an_error() -> None:
    async with opened(OLLAMA, stream=False) as line:
        line.fake.enqueue(Raw(200, b'{"error": "llama runner process has terminated"}'))
        error = await line.refused()
    assert (error.code, error.retryable, error.billed) == ("provider_failed", True, None)


async def test_an_error_inside_a_stream_is_tried_again() -> None:
    for wire in (OPENROUTER, ANTHROPIC, GEMINI, OLLAMA):
        result = await result_of(wire, True, StreamError(1, of=LONG), Say(text="whole"), max_retries=1)
        assert (result.text, result.attempts) == ("whole", 2)
