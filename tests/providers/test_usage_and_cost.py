"""Tokens as each provider counts them, and prices equal to the published ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage as PublishedUsage
from genai_prices import calc_price
from hypothesis import example, given
from hypothesis import strategies as st

from clawswarm.config.model import Prices
from clawswarm.providers.prices import FREE, PriceSheet, Rates, configured, price_of, published, vendor_of
from clawswarm.types.money import to_pico
from clawswarm.types.result import Reply, Usage
from tests.fakes.behaviours import Raw, Say
from tests.fakes.common import encode
from tests.fakes.gemini import FakeGemini
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    GROQ,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    Wire,
    both_modes,
    every_wire,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio

SAID = Say(text="ok", input_tokens=1000, cached_tokens=300, output_tokens=50, thinking_tokens=20)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
PRICED = (OPENAI, GROQ, GEMINI, ANTHROPIC)
IDS = {"gemini": "google", "openai": "openai", "groq": "groq", "anthropic": "anthropic"}


def official(source: str, model: str, usage: Usage, when: datetime) -> int:
    """What the price table's own function makes of it, in picodollars."""
    price = calc_price(
        PublishedUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        ),
        model,
        provider_id=IDS.get(source, source),
        genai_request_timestamp=when,
    )
    return to_pico(price.total_price)


@both_modes
@every_wire
async def test_cached_and_thinking_tokens_are_counted(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(SAID)
        reply = await line.ask("one two three")
    if wire is OLLAMA:  # counts the prompt itself, and says nothing of a cache
        assert reply.usage == Usage(3, 50)
    else:
        assert reply.usage == Usage(1000, 50, 300)


@both_modes
@pytest.mark.parametrize("wire", PRICED, ids=lambda w: w.id)
async def test_the_cost_of_a_task_is_the_published_price(wire: Wire, stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.enqueue(SAID)
        result = await one(swarm)
    assert result.cost_pico == official(wire.name, wire.model, Usage(1000, 50, 300), datetime.now(UTC))
    assert result.cost_pico


async def test_tokens_that_gemini_spent_on_tools_are_input() -> None:
    async with opened(GEMINI) as line:
        assert isinstance(line.fake, FakeGemini)
        line.fake.tool_use_tokens = 119
        line.fake.enqueue(SAID)
        assert (await line.ask("hi")).usage == Usage(1119, 50, 300)


async def test_cache_writes_of_claude_are_part_of_the_input() -> None:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 7,
        "output_tokens": 3,
    }
    message = {"content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn", "usage": usage}
    async with opened(ANTHROPIC, stream=False) as line:
        line.fake.enqueue(Raw(200, encode(message)))
        assert (await line.ask("hi")).usage == Usage(22, 3, 7, 5)


async def test_cache_writes_of_openai_are_part_of_the_input() -> None:
    usage = {
        "prompt_tokens": 22,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 5},
    }
    body = {"choices": [{"finish_reason": "stop", "message": {"content": "ok"}}], "usage": usage}
    async with opened(OPENAI) as line:
        line.fake.enqueue(Raw(200, encode(body)))
        assert (await line.ask("hi")).usage == Usage(22, 3, 7, 5)


@both_modes
async def test_openrouters_own_price_is_recorded(stream: bool) -> None:
    async with OPENROUTER.make() as fake, swarm_on(OPENROUTER, fake, stream=stream) as swarm:
        fake.enqueue(Say(text="ok", cost=0.0000123), Say(text="ok", cost=0))
        assert (await one(swarm)).cost_pico == 12_300_000
        assert (await one(swarm)).cost_pico == 0


@both_modes
async def test_local_models_cost_nothing_and_cloud_models_an_unknown_sum(stream: bool) -> None:
    async with OLLAMA.make() as fake, swarm_on(OLLAMA, fake, stream=stream) as swarm:
        assert (await one(swarm)).cost_pico == 0
    async with (
        OLLAMA.make() as fake,
        swarm_on(OLLAMA, fake, stream=stream, model="gpt-oss:120b-cloud") as swarm,
    ):
        assert (await one(swarm)).cost_pico is None


MODELS = [
    ("openai", "gpt-6-luna"),
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-6-sol"),
    ("gemini", "gemini-3.5-flash-lite"),
    ("gemini", "gemini-3.8-flash"),
    ("gemini", "gemini-2.5-pro"),
    ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-sonnet-5-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("groq", "openai/gpt-oss-120b"),
    ("groq", "openai/gpt-oss-20b"),
]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    total = draw(st.one_of(st.integers(0, 2_000), st.integers(99_990, 100_010), st.integers(0, 1_000_000)))
    cached = draw(st.integers(0, total))
    written = draw(st.integers(0, total - cached))
    return Usage(total, draw(st.integers(0, 128_000)), cached, written)


@given(
    st.sampled_from(MODELS),
    usages(),
    st.integers(0, 270).map(lambda day: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(days=day)),
)
@example(("anthropic", "claude-haiku-5-5"), Usage(100_000, 10), datetime(2026, 11, 20, tzinfo=UTC))
@example(("anthropic", "claude-haiku-5-5"), Usage(100_001, 10), datetime(2026, 11, 20, tzinfo=UTC))
@example(("openai", "gpt-6-luna"), Usage(272_000, 10), datetime(2026, 11, 20, tzinfo=UTC))
@example(("openai", "gpt-6-luna"), Usage(272_001, 10), datetime(2026, 11, 20, tzinfo=UTC))
@example(("gemini", "gemini-3.8-flash"), Usage(9, 9), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
@example(("gemini", "gemini-3.8-flash"), Usage(9, 9), datetime(2027, 1, 1, tzinfo=UTC))
@example(("anthropic", "claude-sonnet-5-5"), Usage(100, 1, 100), datetime(2026, 10, 6, tzinfo=UTC))
def test_our_price_is_the_published_price(model: tuple[str, str], usage: Usage, when: datetime) -> None:
    sheet = published(*model, when)
    assert sheet is not None
    assert sheet.cost(usage) == official(*model, usage, when)


def test_the_dated_prices_of_gemini_flash_double_with_the_new_year() -> None:
    usage = Usage(1_000_000, 1_000_000)
    before = published("gemini", "gemini-3.8-flash", datetime(2026, 12, 31, tzinfo=UTC))
    after = published("gemini", "gemini-3.8-flash", datetime(2027, 1, 1, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.cost(usage), after.cost(usage)) == (to_pico("4.5"), to_pico("9"))


async def test_a_backend_asks_the_price_of_each_day_anew() -> None:
    async with opened(GEMINI, model="gemini-3.8-flash") as line:
        old, new = (
            line.backend.prices("gemini-3.8-flash", datetime(2026, 12, 31, tzinfo=UTC) + timedelta(days=day))
            for day in (0, 1)
        )
    assert old is not None
    assert new is not None
    assert new.rows[0].input == 2 * old.rows[0].input


@pytest.mark.parametrize(
    ("source", "model"),
    [("gemini", "gemini-4-carbon"), ("openai", "no-such"), ("nobody", "gpt-6-luna"), ("ollama", "qwen3:32b")],
)
def test_a_model_without_a_published_price_has_none(source: str, model: str) -> None:
    assert published(source, model, NOW) is None


@pytest.mark.parametrize(
    ("reply", "sheet", "cost"),
    [
        ({"usage": Usage(10, 2)}, PriceSheet((Rates(0, 3, 1, 4, 5),)), 40),
        ({"usage": Usage(10, 2, 4, 3)}, PriceSheet((Rates(0, 3, 1, 4, 5),)), 9 + 4 + 12 + 10),
        ({"usage": None}, PriceSheet((Rates(0, 3, 1, 4, 5),)), None),
        ({"usage": Usage(10, 2)}, None, None),
        ({"usage": None}, FREE, 0),
        ({"usage": None, "cost_pico": 7}, None, 7),
        ({"usage": Usage(10, 2), "remote": True}, FREE, None),
    ],
)
def test_a_cost_is_known_only_when_all_of_it_is(
    reply: dict[str, Any], sheet: PriceSheet | None, cost: int | None
) -> None:
    assert price_of(Reply(text="", model="m", **reply), sheet) == cost


def test_configured_prices_count_cached_tokens_as_input_unless_told() -> None:
    plain = configured(Prices(input=Decimal(1), output=Decimal(2)))
    cheap = configured(Prices(input=Decimal(1), output=Decimal(2), cached=Decimal(0)))
    usage = Usage(1_000_000, 0, 500_000)
    assert (plain.cost(usage), cheap.cost(usage)) == (to_pico(1), to_pico("0.5"))


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("gpt-6-luna", "openai"),
        ("openai/gpt-6-luna", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("claude-haiku-5-5", "anthropic"),
        ("openrouter/anthropic/claude-haiku-5-5", "anthropic"),
        ("google/gemini-3.8-flash", "gemini"),
        ("gpt-oss-20b", None),
        ("openai/gpt-oss-120b", None),
        ("olmo-2", None),
        ("qwen3-32b", None),
        ("local-model", None),
    ],
)
def test_names_that_only_a_paid_vendor_has_are_known(model: str, vendor: str | None) -> None:
    assert vendor_of(model) == vendor
