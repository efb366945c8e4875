"""What a call costs, in picodollars; None where nobody knows.

Published prices come from `genai-prices`, which is asked once a model and day (one of its calculations
takes about 90 µs, more than a fast call's whole budget of time). Its whole-request tiers and dated prices
are kept: a sheet holds one row of rates for each size of prompt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from clawswarm.config.model import Prices
from clawswarm.types.money import PICO_PER_USD, to_pico
from clawswarm.types.result import Reply, Usage

PER_MILLION = PICO_PER_USD // 1_000_000

_PRICE_IDS: Mapping[str, str] = {
    "gemini": "google",
    "groq": "groq",
    "openai": "openai",
    "anthropic": "anthropic",
    "openrouter": "openrouter",
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Picodollars a token, for prompts of more than `above` tokens."""

    above: int
    input: int
    cached: int
    cache_write: int
    output: int


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """What one model costs: rows by size of prompt, smallest first; one row holds for the whole call."""

    rows: tuple[Rates, ...]

    def cost(self, usage: Usage) -> int:
        """Price of `usage` in picodollars."""
        rates = self.rows[0]
        for row in self.rows[1:]:
            if usage.input_tokens > row.above:
                rates = row
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        return (
            plain * rates.input
            + usage.cached_tokens * rates.cached
            + usage.cache_write_tokens * rates.cache_write
            + usage.output_tokens * rates.output
        )

    def worst(self, bound: Usage) -> int:
        """The most that a call of at most so many tokens can cost, however much of it is cached."""
        return max(
            bound.input_tokens * max(row.input, row.cached, row.cache_write)
            + bound.output_tokens * row.output
            for row in self.rows
            if bound.input_tokens > row.above or row is self.rows[0]
        )

    @property
    def free(self) -> bool:
        return all(row.input == row.output == row.cached == row.cache_write == 0 for row in self.rows)


FREE = PriceSheet((Rates(0, 0, 0, 0, 0),))


def configured(prices: Prices) -> PriceSheet:
    """The sheet of prices that the configuration names."""
    into = _pico(prices.input)
    cached = into if prices.cached is None else _pico(prices.cached)
    return PriceSheet((Rates(0, into, cached, into, _pico(prices.output)),))


def published(source: str, model: str, when: datetime) -> PriceSheet | None:
    """The published prices of a model at `when`; None for a model or a source that is not in the table.

    Args:
        source: a provider's name, or "openrouter".
    """
    from genai_prices.data_snapshot import get_snapshot

    if (price_id := _PRICE_IDS.get(source)) is None:
        return None
    try:
        _, info = get_snapshot().find_provider_model(model, None, price_id, None)
    except LookupError:
        return None
    price = info.get_prices(when)
    into = _steps(price, "input_mtok")
    if into is None or (out := _steps(price, "output_mtok")) is None:
        return None
    cached = _steps(price, "cache_read_mtok") or into
    written = _steps(price, "cache_write_mtok") or into
    edges = sorted({edge for steps in (into, out, cached, written) for edge, _ in steps})
    return PriceSheet(
        tuple(
            Rates(edge, _at(into, edge), _at(cached, edge), _at(written, edge), _at(out, edge))
            for edge in edges
        )
    )


def vendor_of(model: str) -> str | None:
    """The paid vendor whose model this name can only be, for a call through somebody's local proxy."""
    bare = model.rsplit("/", 1)[-1]
    if bare.startswith("claude-"):
        return "anthropic"
    if bare.startswith("gemini-"):
        return "gemini"
    if re.match(r"(chat)?gpt-(?!oss)|o[134](-|$)", bare):
        return "openai"
    return None


def price_of(reply: Reply, sheet: PriceSheet | None) -> int | None:
    """What a reply cost: what the provider charged, else by the sheet; None when either number is missing."""
    if reply.cost_pico is not None:
        return reply.cost_pico
    if sheet is None or (reply.remote and sheet.free):
        return None
    if sheet.free:
        return 0
    return None if reply.usage is None else sheet.cost(reply.usage)


MOST_SEARCHES = 10
"""Searches of one call that money is reserved for; a call usually makes one to four."""


def searches_cost(model: str, searches: int) -> int | None:
    """The list price of a provider's own web searches in one call; None when it is not known.

    Gemini 3 and later: 14 US$ a thousand searches; 2.5: 35 US$ a thousand calls that search (provider facts,
    section 2.2). What is free each month is not known here, so it is not counted.
    """
    if not searches:
        return 0
    model = model.removeprefix("models/")
    if model.startswith("gemini-2.5"):
        return to_pico("0.035")
    if re.match(r"gemini-([3-9]|\d\d)", model):
        return searches * to_pico("0.014")
    return None


_Steps = list[tuple[int, int]]


def _steps(price: Any, name: str) -> _Steps | None:
    """A price as (tokens above which it holds, picodollars a token), smallest first."""
    value: Any = getattr(price, name, None)
    if value is None:
        return None
    if isinstance(value, Decimal):
        return [(0, _pico(value))]
    return [(0, _pico(value.base)), *((int(tier.start), _pico(tier.price)) for tier in value.tiers)]


def _at(steps: _Steps, tokens: int) -> int:
    return next(rate for edge, rate in reversed(steps) if edge <= tokens)


def _pico(per_million: Decimal) -> int:
    return int((per_million * PER_MILLION).to_integral_value())
