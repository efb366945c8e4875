"""What is known about models: recommended ones, retirements with successors, and how each thinks.

Data, kept apart from the adapters, because names age in months (provider-facts, sections 2.4, 3.3, 3.4,
4.5 and 5; read on 2026-11-20). Prices are not here: `genai-prices` has them.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from clawswarm.config.model import ProviderName

RECOMMENDED: dict[ProviderName, str] = {
    "gemini": "gemini-3.5-flash-lite",
    "groq": "openai/gpt-oss-120b",
    "openai": "gpt-6-luna",
    "anthropic": "claude-haiku-5-5",
    "ollama": "qwen3:32b",
    "demo": "demo",
}


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model's last day at its provider, and what to use instead."""

    model: str
    last_day: date
    successor: str


RETIREMENTS: dict[ProviderName, tuple[Retirement, ...]] = {
    "gemini": (
        Retirement("gemini-2.0-flash-lite", date(2026, 6, 1), "gemini-3.5-flash-lite"),
        Retirement("gemini-2.0-flash", date(2026, 6, 1), "gemini-3.5-flash-lite"),
        Retirement("gemini-2.5-flash", date(2026, 12, 1), "gemini-3.5-flash-lite"),
        Retirement("gemini-2.5-pro", date(2026, 12, 1), "gemini-3.8-flash"),
    ),
    "groq": (
        Retirement("llama-3.3-70b-versatile", date(2026, 8, 16), "openai/gpt-oss-120b"),
        Retirement("llama-3.1-8b-instant", date(2026, 8, 16), "openai/gpt-oss-20b"),
        Retirement("llama-3.1-70b-versatile", date(2026, 8, 16), "openai/gpt-oss-120b"),
        Retirement("llama-3.1-70b", date(2026, 8, 16), "openai/gpt-oss-120b"),
        Retirement("qwen3-32b", date(2026, 8, 16), "openai/gpt-oss-120b"),
        Retirement("qwen/qwen3-32b", date(2026, 8, 16), "openai/gpt-oss-120b"),
    ),
    "openai": (
        Retirement("gpt-4o-mini", date(2027, 1, 14), "gpt-6-luna"),
        Retirement("gpt-4o", date(2027, 1, 14), "gpt-6-luna"),
        Retirement("gpt-4.1-mini", date(2027, 1, 14), "gpt-6-luna"),
        Retirement("gpt-4.1", date(2027, 1, 14), "gpt-6-luna"),
        Retirement("gpt-5-mini", date(2026, 12, 11), "gpt-6-luna"),
        Retirement("gpt-5-nano", date(2026, 12, 11), "gpt-6-luna"),
        Retirement("gpt-5", date(2026, 12, 11), "gpt-6-luna"),
        Retirement("o3", date(2026, 12, 11), "gpt-6-luna"),
        Retirement("gpt-4.1-nano", date(2026, 10, 23), "gpt-6-luna"),
        Retirement("o4-mini", date(2026, 10, 23), "gpt-6-luna"),
        Retirement("o3-mini", date(2026, 10, 23), "gpt-6-luna"),
        Retirement("o1", date(2026, 10, 23), "gpt-6-luna"),
        Retirement("gpt-4", date(2026, 10, 23), "gpt-6-luna"),
        Retirement("gpt-3.5-turbo", date(2026, 10, 23), "gpt-6-luna"),
    ),
    "anthropic": (
        Retirement("claude-3-haiku-20240307", date(2026, 4, 20), "claude-haiku-5-5"),
        Retirement("claude-3-haiku", date(2026, 4, 20), "claude-haiku-5-5"),
        Retirement("claude-sonnet-4-5", date(2026, 11, 30), "claude-sonnet-5-5"),
        Retirement("claude-sonnet-4", date(2026, 6, 15), "claude-sonnet-5-5"),
        Retirement("claude-opus-4", date(2026, 6, 15), "claude-opus-5-5"),
    ),
}


_DATE = re.compile(r"-(20\d\d-?\d\d-?\d\d)$")


def retirement(provider: ProviderName, model: str) -> Retirement | None:
    """The retirement of `model` at `provider`, past or announced; None when none is known.

    A name with a date behind it ("gpt-4o-mini-2024-07-18") goes with the name without.
    """
    name = model.removeprefix("models/")
    entries = {entry.model: entry for entry in RETIREMENTS.get(provider, ())}
    return entries.get(name) or entries.get(_DATE.sub("", name))


def retirement_warning(provider: ProviderName, model: str, today: date) -> str | None:
    """One sentence for a model that is gone, or will be; None for any other."""
    entry = retirement(provider, model)
    if entry is None:
        return None
    verb = "was shut down on" if entry.last_day <= today else "will be shut down on"
    return (
        f"model {model!r} of {provider} {verb} {entry.last_day.isoformat()}; use {entry.successor!r} instead"
    )


def unknown_model_hint(provider: ProviderName, model: str) -> str:
    """What to do when a provider does not know `model`."""
    entry = retirement(provider, model)
    if entry is not None:
        return f"{model} is retired: set provider.model to {entry.successor}"
    if recommended := RECOMMENDED.get(provider):
        return f"unknown or retired model: check its name, or use {recommended}; check the base URL, too"
    return "unknown model: check its name and the base URL"


def gemini_thinking(model: str, level: Literal["off", "low", "medium", "high"]) -> dict[str, object]:
    """`thinkingConfig` for a level: 2.5 takes a budget, 3 and later a level; MINIMAL is an error on
    3.7-flash, 3.8-flash, 3.1-pro and 4-argon, where LOW is the least (provider-facts 2.1)."""
    if model.startswith("gemini-2"):
        least = 128 if "pro" in model else 0  # 2.5-pro cannot be told not to think
        return {"thinkingBudget": {"off": least, "low": 1024, "medium": 8192, "high": 24576}[level]}
    no_minimal = model.startswith(("gemini-3.7-flash", "gemini-3.8-flash", "gemini-3.1-pro", "gemini-4"))
    if level == "off":
        return {"thinkingLevel": "LOW" if no_minimal or model == "gemini-flash-latest" else "MINIMAL"}
    return {"thinkingLevel": level.upper()}


def is_openai_reasoning(model: str) -> bool:
    """Whether an OpenAI model takes `max_completion_tokens`, `reasoning_effort`, and refuses sampling options
    while it reasons (provider-facts 0.6, 0.7 and 3.3)."""
    return model.startswith(("gpt-5", "gpt-6", "o1", "o3", "o4"))


def least_effort(model: str) -> str:
    """The `reasoning_effort` nearest to none: gpt-oss, the o series and gpt-5 cannot be told not to think."""
    bare = model.rsplit("/", 1)[-1]
    if bare.startswith(("gpt-oss", "o1", "o3", "o4")):
        return "low"
    return "minimal" if re.fullmatch(r"gpt-5(-.*)?", bare) else "none"


def takes_temperature(provider: ProviderName, model: str, thinking: str | None) -> bool:
    """Whether the model accepts `temperature`: OpenAI's reasoning models only at effort "none", Anthropic's
    not at all; Gemini from 3.5-flash-lite on ignores it (provider-facts 0.6)."""
    if provider == "anthropic":
        return False
    if provider == "openai" and is_openai_reasoning(model):
        return thinking == "off" and least_effort(model) == "none"
    if provider == "gemini":
        return model.startswith(("gemini-2", "gemini-3-", "gemini-3.1"))
    return True


_SINGLE_SLOT = (
    "qwen3.5",
    "qwen3.6",
    "qwen3.8",
    "qwen3-vl",
    "qwen3-next",
    "lfm2",
    "nemotron-h",
    "llama3.2-vision",
)


def runs_one_at_a_time(model: str) -> bool:
    """Whether Ollama gives this family one slot, whatever OLLAMA_NUM_PARALLEL says (provider-facts 1.5)."""
    return bare_name(model).startswith(_SINGLE_SLOT)


def bare_name(model: str) -> str:
    """A model's own name, without the library or the user it comes from: hf.co/me/Qwen3.5-9B → qwen3.5-9b."""
    return model.rsplit("/", 1)[-1].lower()
