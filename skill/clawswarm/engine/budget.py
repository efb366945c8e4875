"""What may be spent: the day's cap over all processes, and the cap of one run.

Every attempt reserves its worst price before it is sent (each byte of the prompt a token, the reply as long
as `max_tokens` allows) and settles after it. A call whose price is not known is refused under a cap.

A server may count more than that: it adds instructions of its own. Until a model's first reply has shown how
it counts, `UNSEEN_TOKENS` more are reserved for each call to it, and after that what it was seen to add.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import anyio

from clawswarm.clock import Clock, local_day
from clawswarm.config.model import Cost
from clawswarm.engine.purse import Fuse, Purse
from clawswarm.errors import StoreError, TaskError
from clawswarm.providers.prices import PriceSheet
from clawswarm.store.ledger import Ledger
from clawswarm.types.money import PICO_PER_USD, show_usd, to_pico
from clawswarm.types.result import Usage
from clawswarm.types.task import Task

FRAMING_TOKENS = 64
"""Tokens that a chat template may add around the texts of a call, and a dozen more for each message."""
FRAMING_TOKENS_A_MESSAGE = 12

PREAMBLE_TOKENS = 1024
"""Tokens that a provider adds to explain tools or a schema to its model (Anthropic: up to 804 for tools)."""

UNSEEN_TOKENS = 1024

DEAREST = 100_000 * PICO_PER_USD
"""No single call costs this much; a server that says so, or a `max_tokens` that allows it, is mistaken."""


class RunCap:
    """The cap of one batch, kept in memory: a batch lives in one process."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.spent = 0
        self.flying = 0
        self._settled: anyio.Event | None = None

    async def reserve(self, amount: int) -> None:
        """Promise `amount`; waits while calls on their way may return what they do not need.

        Raises:
            TaskError: `budget_exceeded`.
        """
        while self.spent + self.flying + amount > self.cap:
            if not self.flying:
                raise TaskError(
                    "budget_exceeded",
                    f"the run's cap of {show_usd(self.cap)} has no room for a call that may cost "
                    f"{show_usd(amount)}: {show_usd(self.spent)} is spent",
                    hint="raise cost.max_run_spend, or lower max_tokens: its price is reserved",
                )
            self._settled = self._settled or anyio.Event()
            await self._settled.wait()
        self.flying += amount

    def settle(self, reserved: int, actual: int | None) -> None:
        self.flying -= reserved
        self.spent += reserved if actual is None else actual
        if self._settled is not None:
            self._settled.set()
            self._settled = None


@dataclass(slots=True)
class Hold:
    """Money promised to one call.

    Attributes:
        amount: what is reserved.
        bound: the worst price of what we know is sent; `amount` may be more.
    """

    amount: int
    bound: int
    model: str
    purse: Purse | None
    run: RunCap | None

    def settle(self, actual: int | None) -> None:
        """Book what the call cost in picodollars; None when that is not known."""
        if actual is not None:
            actual = min(max(actual, 0), DEAREST)  # a server's numbers; no refund, nothing absurd
        if self.purse is not None:
            self.purse.settle(self.amount, actual)
        if self.run is not None:
            self.run.settle(self.amount, actual)


class Budget:
    """Reserves money for the calls of one engine.

    Attributes:
        trouble: why spending is not recorded, when it is not.
    """

    def __init__(self, cost: Cost, ledger: Ledger | None, clock: Clock) -> None:
        self._day_cap = None if cost.max_daily_spend is None else to_pico(cost.max_daily_spend)
        self._run_cap = None if cost.max_run_spend is None else to_pico(cost.max_run_spend)
        self._allow_unpriced = cost.allow_unpriced
        self._ledger = ledger
        self._clock = clock
        self._fuse = Fuse(clock)
        self._purse: Purse | None = None
        self._day_ends = datetime.min.replace(tzinfo=UTC)
        self._past: list[Purse] = []
        self._opening = anyio.Lock()
        self._added: dict[str, int] = {}
        self.trouble: StoreError | None = None

    def run_cap(self, asked: int | None = None) -> RunCap | None:
        """A new run's cap in picodollars: the lower of the configured one and the one asked for."""
        caps = [cap for cap in (self._run_cap, asked) if cap is not None]
        return RunCap(min(caps)) if caps else None

    async def reserve(
        self, bound: Usage, sheet: PriceSheet | None, run: RunCap | None, model: str, *, extra: int = 0
    ) -> Hold | None:
        """Promise the worst price of a call; None for one that is free, or whose price nobody needs.

        Args:
            extra: picodollars that it may cost beside its tokens, such as for searches.

        Raises:
            TaskError: `budget_exceeded` or `unpriced`.
        """
        if sheet is None:
            if (self._day_cap is None and run is None) or self._allow_unpriced:
                return None
            raise TaskError(
                "unpriced",
                f"a cap is set, and the price of {model!r} is not known",
                hint="set provider.prices for it, or cost.allow_unpriced: true to call it without counting",
            )
        if sheet.free and not extra:
            return None
        worst = sheet.worst(bound)
        if (added := self._added.get(model)) is None:
            added = sheet.worst(bound + Usage(input_tokens=UNSEEN_TOKENS)) - worst
        amount = worst + added + extra
        if amount > DEAREST:
            raise TaskError("bad_request", f"the call may cost {show_usd(amount)}", hint="lower max_tokens")
        if run is not None:
            await run.reserve(amount)
        try:
            purse = await self._reserved_today(amount)
        except BaseException:
            if run is not None:
                run.settle(amount, 0)
            raise
        return Hold(amount, worst, model, purse, run)

    def learn(self, hold: Hold, actual: int) -> None:
        """A call has cost `actual`: what it was dearer than its bound is added to that model's bounds."""
        self._added[hold.model] = max(self._added.get(hold.model, 0), min(actual, DEAREST) - hold.bound)

    async def give_back(self) -> None:
        """Return what is reserved and not needed; at the end of a batch."""
        over = [purse for purse in self._past if purse.idle]
        self._past = [purse for purse in self._past if purse not in over]
        try:
            for purse in over:
                await purse.close()
            for purse in (*self._past, *([self._purse] if self._purse else [])):
                await purse.give_back()
        except StoreError as error:
            self.trouble = error

    async def close(self) -> None:
        purses = [*self._past, *([self._purse] if self._purse else [])]
        self._past, self._purse, self._ledger = [], None, None
        for purse in purses:
            try:
                await purse.close()
            except StoreError as error:
                self.trouble = error

    async def _reserved_today(self, amount: int) -> Purse | None:
        """Today's purse with `amount` promised; None when spending cannot be recorded and no cap is set."""
        try:
            if self._ledger is None:
                if self._day_cap is None:
                    return None
                raise StoreError("there is no ledger", hint="is the swarm closed?")
            purse = self._purse
            if purse is None or self._clock.now() >= self._day_ends:
                purse = await self._open_today(self._ledger)
            await purse.reserve(amount)
            return purse
        except StoreError as error:
            if self._day_cap is not None:
                raise TaskError(
                    "budget_exceeded", f"the daily cap cannot be kept, so nothing was sent: {error.message}",
                    hint=error.hint,
                ) from error  # fmt: skip
            self.trouble, self._ledger = error, None
            return None

    async def _open_today(self, ledger: Ledger) -> Purse:
        async with self._opening:
            now = self._clock.now().astimezone()
            if self._purse is not None and now < self._day_ends:
                return self._purse
            day = local_day(now)
            lease = await self._fuse.run(lambda: ledger.open_lease(day))
            if self._purse is not None:
                self._past.append(self._purse)
            # The time of day, not seconds from now: a machine that sleeps stops its monotonic clock, and the
            # day on which the clocks change is not 24 hours long.
            self._day_ends = datetime.combine(now.date() + timedelta(days=1), time.min).astimezone()
            self._purse = Purse(ledger, lease, day, self._day_cap, self._clock, self._fuse)
            return self._purse


@asynccontextmanager
async def open_budget(cost: Cost, ledger: Ledger | None, clock: Clock) -> AsyncGenerator[Budget]:
    """A budget whose leases are settled and closed at the end, cancelled or not."""
    budget = Budget(cost, ledger, clock)
    try:
        yield budget
    finally:
        with anyio.CancelScope(shield=True):
            await budget.close()


def most_tokens(task: Task, max_tokens: int | None) -> Usage:
    """More tokens than a call can use: no tokenizer makes more tokens of a text than it has bytes."""
    texts = len(task.prompt.encode()) + FRAMING_TOKENS + FRAMING_TOKENS_A_MESSAGE * (1 + len(task.history))
    if task.system:
        texts += len(task.system.encode())
    if task.history or task.tools or task.schema is not None:
        texts += _extras(task)
    if task.tools or task.schema is not None:
        texts += PREAMBLE_TOKENS
    return Usage(input_tokens=texts, output_tokens=max_tokens or 0)


def _extras(task: Task) -> int:
    from pydantic_core import to_json

    parts = [
        *(
            (message.text, [call.arguments for call in message.tool_calls], message.native)
            for message in task.history
        ),
        *((tool.name, tool.description, tool.parameters) for tool in task.tools),
        task.schema,
    ]
    return len(to_json(parts, fallback=str))
