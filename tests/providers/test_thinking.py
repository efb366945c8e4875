"""Levels of thinking, in each provider's words, for each kind of model."""

from typing import Any

import pytest

from clawswarm.types.task import Task, Thinking
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    GROQ,
    LOCAL,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    WEATHER,
    Wire,
    every_wire,
    opened,
)

pytestmark = pytest.mark.anyio

LEVELS: tuple[Thinking, ...] = ("off", "low", "medium", "high")


def _sent(wire: Wire, body: dict[str, Any]) -> Any:
    match wire.name:
        case "gemini":
            return body["generationConfig"].get("thinkingConfig")
        case "anthropic":
            return body.get("thinking"), body.get("output_config", {}).get("effort")
        case "ollama":
            return body.get("think")
        case _:
            return body.get("reasoning_effort")


CASES: list[tuple[Wire, str, list[Any]]] = [
    (OPENAI, "gpt-6-luna", ["none", "low", "medium", "high"]),
    (OPENAI, "gpt-5-mini", ["minimal", "low", "medium", "high"]),
    (OPENAI, "gpt-4o-mini", [None] * 4),
    (GROQ, "openai/gpt-oss-20b", ["low", "low", "medium", "high"]),
    (GROQ, "qwen/qwen3.8-27b", ["none", "low", "medium", "high"]),
    (OPENROUTER, "openai/gpt-oss-120b", ["low", "low", "medium", "high"]),
    (LOCAL, "local-model", ["none", "low", "medium", "high"]),
    (
        GEMINI,
        "gemini-3.5-flash-lite",
        [{"thinkingLevel": level} for level in ("MINIMAL", "LOW", "MEDIUM", "HIGH")],
    ),
    *(
        (GEMINI, model, [{"thinkingLevel": level} for level in ("LOW", "LOW", "MEDIUM", "HIGH")])
        for model in ("gemini-3.7-flash", "gemini-3.8-flash", "gemini-3.1-pro", "gemini-4-argon")
    ),
    (
        GEMINI,
        "gemini-flash-latest",
        [{"thinkingLevel": level} for level in ("LOW", "LOW", "MEDIUM", "HIGH")],
    ),
    (
        GEMINI,
        "models/gemini-3.8-flash",
        [{"thinkingLevel": level} for level in ("LOW", "LOW", "MEDIUM", "HIGH")],
    ),
    (GEMINI, "gemini-2.5-flash", [{"thinkingBudget": budget} for budget in (0, 1024, 8192, 24576)]),
    (GEMINI, "gemini-2.5-pro", [{"thinkingBudget": budget} for budget in (128, 1024, 8192, 24576)]),
    (
        ANTHROPIC,
        "claude-haiku-5-5",
        [
            ({"type": "disabled"}, None),
            *(({"type": "adaptive"}, level) for level in ("low", "medium", "high")),
        ],
    ),
    (
        ANTHROPIC,
        "claude-sonnet-5-5",
        [
            ({"type": "between_tools"}, None),
            *(({"type": "adaptive"}, level) for level in ("low", "medium", "high")),
        ],
    ),
    (
        ANTHROPIC,
        "claude-haiku-4-5",
        [
            ({"type": "disabled"}, None),
            ({"type": "enabled", "budget_tokens": 1024}, None),
            ({"type": "enabled", "budget_tokens": 8192 - 1024}, None),
            ({"type": "enabled", "budget_tokens": 8192 - 1024}, None),
        ],
    ),
    (OLLAMA, "qwen3:32b", [False, True, True, True]),
    (OLLAMA, "gpt-oss:20b", ["low", "low", "medium", "high"]),
]


@pytest.mark.parametrize(
    ("wire", "model", "expected"), CASES, ids=[f"{wire.id}-{model}" for wire, model, _ in CASES]
)
async def test_each_level_is_what_the_model_understands(wire: Wire, model: str, expected: list[Any]) -> None:
    async with opened(wire) as line:
        for level, sent in zip(LEVELS, expected, strict=True):
            await line.ask(Task(prompt="hi", thinking=level), model)
            assert _sent(wire, line.body) == sent, level


@every_wire
async def test_nothing_is_said_of_thinking_unless_asked(wire: Wire) -> None:
    async with opened(wire) as line:
        await line.ask("hi")
        assert _sent(wire, line.body) in (None, (None, None))


@every_wire
async def test_the_configured_level_holds_until_the_task_says_another(wire: Wire) -> None:
    async with opened(wire, thinking="high") as line:
        await line.ask("hi")
        configured = _sent(wire, line.body)
        await line.ask(Task(prompt="hi", thinking="high"))
        assert _sent(wire, line.body) == configured
        await line.ask(Task(prompt="hi", thinking="off"))
        assert _sent(wire, line.body) != configured


async def test_a_bound_too_small_for_a_thinking_budget_leaves_thinking_out() -> None:
    async with opened(ANTHROPIC) as line:
        reply = await line.ask(Task(prompt="hi", max_tokens=500, thinking="high"), "claude-haiku-4-5")
        assert line.body["thinking"] == {"type": "disabled"}
        assert line.body["max_tokens"] == 500
        assert reply.text == "echo: hi"
        await line.ask(Task(prompt="hi", max_tokens=1500, thinking="high"), "claude-haiku-4-5")
        assert line.body["thinking"]["budget_tokens"] == 1024


async def test_functions_of_luna_come_with_effort_none() -> None:
    async with opened(OPENAI, thinking="high") as line:
        await line.ask(Task(prompt="hi", tools=(WEATHER,)))
        assert line.body["reasoning_effort"] == "none"
        await line.ask(Task(prompt="hi", tools=(WEATHER,)), "gpt-5-mini")
        assert line.body["reasoning_effort"] == "high"


async def test_thinking_of_a_model_that_cannot_is_refused_with_advice() -> None:
    async with opened(OLLAMA) as line:
        error = await line.refused(Task(prompt="hi", thinking="low"), "llama3.2:3b")
        assert (error.code, error.status, error.retryable) == ("bad_request", 400, False)
        assert error.hint is not None
        assert "provider.thinking" in error.hint
        assert (await line.ask(Task(prompt="hi", thinking="off"), "llama3.2:3b")).text == "echo: hi"
