"""A demo provider that costs money, and a swarm on it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from clawswarm import Swarm
from clawswarm.clock import Clock
from clawswarm.config.model import Cache, Cost, Limits, Prices, Provider, Settings
from clawswarm.providers.demo import DemoProvider
from clawswarm.store.connect import open_store
from clawswarm.store.ledger import DayTotal, Ledger
from clawswarm.types.result import BatchResult, Usage

CALL = Usage(input_tokens=10, output_tokens=20)
COST = 10 * 1_000_000 + 20 * 2_000_000
"""Picodollars of one call at 1 and 2 US$ a million tokens."""

DAY, TOMORROW = "2026-01-14", "2026-01-15"
"""The day on which a held clock begins, and the one after."""

PROMPTS = [f"prompt {number}" for number in range(1000)]

ENOUGH = Decimal(1)
CENT = Decimal("0.01")
TEN_BILLION = 10**10
"""A cent in picodollars."""


class Paid(DemoProvider):
    """Answers every call that no script foresees with the same usage."""

    async def complete(self, task: Any, *, model: str) -> Any:
        if not self._script:
            self.reply(f"answer to {task.prompt}", usage=CALL)
        return await super().complete(task, model=model)


def settings(
    *,
    day: Decimal | None = None,
    run: Decimal | None = None,
    allow_unpriced: bool = False,
    free: bool = False,
    max_tokens: int = 20,
    **limits: Any,
) -> Settings:
    """A priced demo provider under these caps, without a cache."""
    prices = None if free else Prices(input=Decimal(1), output=Decimal(2))
    return Settings(
        provider=Provider(name="demo", prices=prices, max_tokens=max_tokens),
        cost=Cost(max_daily_spend=day, max_run_spend=run, allow_unpriced=allow_unpriced),
        limits=Limits(**limits),
        cache=Cache(enabled=False),
    )


def swarm(memory: Path, config: Settings, demo: DemoProvider, clock: Clock | None = None) -> Swarm:
    environ = {"HOME": str(memory.parent), "SWARM_MEMORY_DIR": str(memory)}
    return Swarm(settings=config, environ=environ, demo=demo, clock=clock)


def total_of(memory: Path, day: str) -> DayTotal:
    with open_store(memory / "swarm.db") as store:
        return Ledger(store).total(day)


def codes(result: BatchResult) -> set[str | None]:
    """The error codes of a batch; None stands for tasks that were done."""
    return {None if task.error is None else task.error.code for task in result.tasks}
