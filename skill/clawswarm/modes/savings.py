"""What was spent and what was saved, from the records of the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clawswarm.errors import InputError
from clawswarm.providers.prices import PriceSheet, published, vendor_of
from clawswarm.store.ledger import UsageKey, UsageLine
from clawswarm.types.result import Usage

REFERENCE = "claude-sonnet-5-5"
"""The coordinator's model: what would have done the work without a swarm (operations guide, section 1)."""


@dataclass(frozen=True, slots=True)
class Savings:
    """Sums over all real calls of a period. Money in picodollars, time in milliseconds.

    Attributes:
        known_cost: what the calls with a known price cost; `unknown_cost` is how many had none.
        reference_cost: the same tokens at the reference model's price.
        reused: what cached answers had cost when they were first asked for.
        busy_ms: the calls one after another; `wall_ms`: as they ran, side by side.
    """

    tasks: int
    failed: int
    cached: int
    unknown_cost: int
    input_tokens: int
    output_tokens: int
    known_cost: int
    reference_cost: int
    reused: int
    busy_ms: int
    wall_ms: int


def savings(lines: Iterable[tuple[UsageKey, UsageLine]], reference: PriceSheet) -> Savings:
    """Add up the records, the demo's left out: no model was asked."""
    total = UsageLine()
    at_reference = 0
    for (_, provider, _), line in lines:
        if provider == "demo":
            continue
        total = UsageLine(*(getattr(total, name) + getattr(line, name) for name in UsageLine.__slots__))
        at_reference += reference.cost(Usage(line.input_tokens, line.output_tokens))
    return Savings(
        tasks=total.tasks,
        failed=total.failed,
        cached=total.cached,
        unknown_cost=total.unknown_cost,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        known_cost=total.cost,
        reference_cost=at_reference,
        reused=total.saved,
        busy_ms=total.busy_ms,
        wall_ms=total.wall_ms,
    )


def reference_sheet(model: str, when: datetime) -> PriceSheet:
    """The prices of the model that savings are measured against.

    Raises:
        InputError: the price table does not know it.
    """
    vendor = vendor_of(model)
    sheet = None if vendor is None else published(vendor, model, when)
    if sheet is None:
        raise InputError(
            f"the price of {model!r} is not known",
            hint=f"name a paid model, such as {REFERENCE} or gpt-6-luna",
        )
    return sheet
