"""Which models cost nothing, which cost what is published, and of which nobody knows."""

from decimal import Decimal
from typing import Any

import pytest

from clawswarm.config.model import Prices
from clawswarm.providers.models import RECOMMENDED, RETIREMENTS, retirement_warning
from clawswarm.providers.prices import FREE, PriceSheet, configured, published
from tests.clock import FakeClock
from tests.providers.test_choice import chosen

pytestmark = pytest.mark.anyio

NOW = FakeClock().now()
LOCAL, REMOTE, ROUTER = "http://127.0.0.1:4000", "https://llm.example.org", "https://openrouter.ai/api/v1"
MINE = Prices(input=Decimal(1), output=Decimal(2))


async def sheet(**provider: Any) -> PriceSheet | None:
    environ = {"OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"}
    (backend,) = (await chosen(environ, **provider)).backends
    return backend.prices(backend.model, NOW)


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ({"name": "openai-compatible", "model": "qwen3", "base_url": LOCAL}, FREE),
        ({"name": "openai-compatible", "model": "openai/gpt-oss-20b", "base_url": LOCAL}, FREE),
        (
            {"name": "openai-compatible", "model": "gpt-6-luna", "base_url": LOCAL},
            published("openai", "gpt-6-luna", NOW),
        ),
        (
            {"name": "openai-compatible", "model": "anthropic/claude-haiku-5-5", "base_url": LOCAL},
            published("anthropic", "claude-haiku-5-5", NOW),
        ),
        (
            {"name": "openai-compatible", "model": "gemini-3.8-flash", "base_url": "http://nas:4000"},
            published("gemini", "gemini-3.8-flash", NOW),
        ),
        ({"name": "openai-compatible", "model": "gpt-99", "base_url": LOCAL}, None),
        ({"name": "openai-compatible", "model": "qwen3", "base_url": REMOTE}, None),
        ({"name": "openai-compatible", "model": "gpt-6-luna", "base_url": REMOTE}, None),
        ({"name": "openai-compatible", "model": "qwen3", "base_url": [LOCAL, REMOTE]}, None),
        (
            {"name": "openai-compatible", "model": "qwen3", "base_url": REMOTE, "prices": MINE},
            configured(MINE),
        ),
        (
            {"name": "openai-compatible", "model": "openai/gpt-oss-120b", "base_url": ROUTER},
            published("openrouter", "openai/gpt-oss-120b", NOW),
        ),
        ({"name": "openai", "model": "no-such"}, None),
        ({"name": "openai", "model": "no-such", "prices": MINE}, configured(MINE)),
        ({"name": "gemini", "model": "gemini-4-carbon"}, None),
        ({"name": "ollama", "model": "qwen3:32b"}, FREE),
        ({"name": "ollama", "model": "qwen3:32b", "base_url": "http://nas"}, FREE),
        ({"name": "ollama", "model": "gpt-oss:120b-cloud"}, None),
        ({"name": "ollama", "model": "qwen3-coder:cloud"}, None),
        ({"name": "ollama", "model": "qwen3:32b", "base_url": "https://ollama.com"}, None),
        ({"name": "ollama", "model": "qwen3:32b", "base_url": ["http://nas", "https://ollama.com"]}, None),
        ({"name": "ollama", "model": "gpt-oss:120b-cloud", "prices": MINE}, configured(MINE)),
        ({"name": "demo"}, FREE),
    ],
    ids=lambda value: " ".join(str(v) for v in value.values()) if isinstance(value, dict) else "",  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
)
async def test_a_price_is_what_is_known_of_it(provider: dict[str, Any], expected: PriceSheet | None) -> None:
    assert await sheet(**provider) == expected


@pytest.mark.parametrize("name", ["gemini", "groq", "openai", "anthropic"])
def test_every_recommended_model_has_a_price_and_a_future(name: Any) -> None:
    assert published(name, RECOMMENDED[name], NOW) is not None
    assert retirement_warning(name, RECOMMENDED[name], NOW.date()) is None


@pytest.mark.parametrize("name", list(RETIREMENTS))
def test_every_successor_of_a_retired_model_has_a_future(name: Any) -> None:
    for entry in RETIREMENTS[name]:
        assert retirement_warning(name, entry.successor, NOW.date()) is None


@pytest.mark.parametrize(
    ("name", "model", "words"),
    [  # the clock stands at 2026-01-14
        ("gemini", "gemini-2.0-flash", "will be shut down on 2026-06-01; use 'gemini-3.5-flash-lite'"),
        ("gemini", "models/gemini-2.5-pro", "will be shut down on 2026-12-01"),
        ("openai", "gpt-4o-mini", "will be shut down on 2027-01-14; use 'gpt-6-luna'"),
        ("openai", "gpt-4o-mini-2024-07-18", "will be shut down on 2027-01-14"),
        ("anthropic", "claude-sonnet-4-20250514", "will be shut down on 2026-06-15"),
        ("anthropic", "claude-sonnet-4-5-20250929", "will be shut down on 2026-11-30"),
        ("groq", "llama-3.3-70b-versatile", "will be shut down on 2026-08-16"),
    ],
)
async def test_a_model_on_its_way_out_is_warned_of(name: Any, model: str, words: str) -> None:
    key = f"{name.upper()}_API_KEY"
    (warning,) = (await chosen({key: "k"}, name=name, model=model)).warnings
    assert words in warning
    assert model in warning


def test_a_model_that_is_gone_is_said_to_be_gone() -> None:
    from datetime import date

    text = retirement_warning("groq", "llama-3.1-8b-instant", date(2026, 8, 16))
    assert text is not None
    assert "was shut down on 2026-08-16; use 'openai/gpt-oss-20b'" in text
    assert retirement_warning("openai", "gpt-6-luna", date(2030, 1, 1)) is None
    assert retirement_warning("openai-compatible", "gpt-4o-mini", date(2030, 1, 1)) is None


async def test_a_compatible_server_needs_a_model() -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="needs both"):
        await chosen(name="openai-compatible", base_url=LOCAL)
