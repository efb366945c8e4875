"""Replies of the right shape but for one part, which is anything: a task may fail, nothing else does."""

from typing import Any

import pytest

from tests.fakes.behaviours import Raw
from tests.fakes.common import encode, sse
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    LOCAL,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    Wire,
    swarm_on,
)

pytestmark = pytest.mark.anyio

WRONG: tuple[Any, ...] = (None, -1, "x", [], [None], {"a": 1}, True, 1e999, 10**30)


def _spoiled(document: Any, value: Any) -> list[Any]:
    """Copies of `document` with each single part replaced by `value`."""
    if isinstance(document, dict):
        items: list[tuple[Any, Any]] = list(document.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return [value, *({**document, k: part} for k, v in items for part in _spoiled(v, value))]
    if isinstance(document, list):
        return [value, *([part] for v in document[:1] for part in _spoiled(v, value))]  # pyright: ignore[reportUnknownVariableType]
    return [value]


GOOD: dict[str, dict[str, Any]] = {
    "chat": {
        "model": "m",
        "choices": [
            {
                "finish_reason": "stop",
                "message": {
                    "content": "ok",
                    "refusal": None,
                    "reasoning": "hm",
                    "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
                },
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "cost": 0.5,
            "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
        },
    },
    "gemini": {
        "candidates": [
            {
                "content": {"parts": [{"text": "ok", "thought": False}]},
                "finishReason": "STOP",
            }
        ],
        "promptFeedback": {"blockReason": ""},
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "thoughtsTokenCount": 1},
        "modelVersion": "m",
    },
    "anthropic": {
        "content": [
            {"type": "text", "text": "ok"},
            {"type": "tool_use", "id": "a", "name": "b", "input": {}},
        ],
        "stop_reason": "end_turn",
        "model": "m",
        "usage": {"input_tokens": 1, "cache_read_input_tokens": 1, "output_tokens": 1},
    },
    "ollama": {
        "model": "m",
        "message": {
            "content": "ok",
            "thinking": "hm",
            "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}],
        },
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 1,
        "eval_count": 1,
    },
}


EVENTS: dict[str, list[dict[str, Any]]] = {
    "openai-compatible": [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "ok", "reasoning": "hm"}}]},
        {
            "choices": [
                {
                    "delta": {
                        "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]
                    }
                }
            ]
        },
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": {}}},
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
    ],
    "anthropic": [
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ok"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ],
}


@pytest.mark.parametrize("value", WRONG, ids=str)
@pytest.mark.parametrize("wire", [OPENAI, OPENROUTER, GEMINI, ANTHROPIC, OLLAMA], ids=lambda w: w.id)
async def test_no_odd_part_of_a_reply_breaks_more_than_its_task(wire: Wire, value: Any) -> None:
    bodies = _spoiled(GOOD.get(wire.name, GOOD["chat"]), value)
    await _none_breaks(wire, False, [Raw(200, encode(body)) for body in bodies])


@pytest.mark.parametrize("value", WRONG, ids=str)
@pytest.mark.parametrize("wire", [LOCAL, GEMINI, ANTHROPIC, OLLAMA], ids=lambda w: w.id)
async def test_no_odd_part_of_a_stream_breaks_more_than_its_task(wire: Wire, value: Any) -> None:
    events = EVENTS.get(wire.name) or [GOOD[wire.name]]
    streams = [
        [*events[:place], odd, *events[place + 1 :]]
        for place, event in enumerate(events)
        for odd in _spoiled(event, value)
    ]
    streams += [events[:place] + events[place + 1 :] for place in range(len(events))]
    if wire is OLLAMA:
        raws = [
            Raw(200, b"".join(encode(event) + b"\n" for event in stream), "application/x-ndjson")
            for stream in streams
        ]
    else:
        raws = [Raw(200, b"".join(sse(event) for event in stream), "text/event-stream") for stream in streams]
    await _none_breaks(wire, True, raws)


async def _none_breaks(wire: Wire, stream: bool, raws: list[Raw]) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.enqueue(*raws)
        batch = await swarm.parallel([f"{n}" for n in range(len(raws))])
    assert len(batch.tasks) == len(raws)
    for result in batch.tasks:
        assert result.ok or result.error is not None
        assert result.text is None or type(result.text) is str
        if result.usage is not None:
            assert 0 <= result.usage.cached_tokens <= result.usage.input_tokens < 10**10
        if result.cost_pico is not None:
            assert 0 <= result.cost_pico < 2**63
