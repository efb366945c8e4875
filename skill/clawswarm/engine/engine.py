"""The engine of one process: lines to the providers, budget, cache, and what happens to one task."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
from pydantic_core import to_json

from clawswarm.clock import Clock
from clawswarm.config.model import Settings
from clawswarm.engine.answers import AnswerCache, Answered, answer_key, open_answers
from clawswarm.engine.budget import Budget, RunCap, open_budget
from clawswarm.engine.deadline import Deadline
from clawswarm.engine.fleet import Fleet
from clawswarm.engine.line import Line, Trace
from clawswarm.engine.redact import Redactor
from clawswarm.engine.usage import UsageBook, open_usage
from clawswarm.engine.verdict import Schemas, judge, parse_output
from clawswarm.errors import InputError, TaskError
from clawswarm.providers.prices import price_of
from clawswarm.providers.registry import Backend, Chosen
from clawswarm.store.answers import Answers
from clawswarm.store.connect import Store
from clawswarm.store.ledger import Ledger
from clawswarm.types.result import Failure, Reply, TaskResult
from clawswarm.types.task import JsonObject, Task

FALLS_BACK = frozenset(
    {"overloaded", "timeout", "connection_failed", "provider_failed", "rate_limited", "payment_required"}
)
"""Codes after which the next provider of the chain is asked: the server is down or its quota is gone. What is
wrong with the request or the key stays an error, or nobody would notice."""


Watch = Callable[[TaskResult], None]


def ignore(_: TaskResult) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """A line with what the cache has to know about it."""

    line: Line
    address: str
    defaults: bytes


class Engine:
    """Runs single tasks; the pool runs many of them at once."""

    def __init__(
        self,
        settings: Settings,
        chosen: Chosen,
        *,
        budget: Budget,
        answers: AnswerCache,
        usage: UsageBook,
        clock: Clock,
        fleet: Fleet,
        watch: Watch,
    ) -> None:
        self.settings = settings
        self.chosen = chosen
        self.clock = clock
        self.budget = budget
        self.usage = usage
        self.fleet = fleet
        self._answers = answers
        self._watch = watch
        self._redact = Redactor(chosen.secrets)
        self._schemas = Schemas()
        self._lanes = tuple(self._lane(backend) for backend in chosen.backends)

    def beside(self, settings: Settings, chosen: Chosen) -> "Engine":
        """An engine for other providers that shares workers, money, answers and lines with this one."""
        return Engine(
            settings,
            chosen,
            budget=self.budget,
            answers=self._answers,
            usage=self.usage,
            clock=self.clock,
            fleet=self.fleet,
            watch=self._watch,
        )

    @property
    def primary(self) -> Backend:
        return self.chosen.backends[0]

    def at_once(self, workers: int | None = None) -> int:
        """Calls that reach the first provider at once, at most; `workers` is what a batch asked for."""
        slots = self.primary.slots * len(self.primary.connections)
        return min(self.settings.limits.max_nodes, slots, *([] if workers is None else [workers]))

    @property
    def troubles(self) -> list[str]:
        """What the state directory refused to do, in words; the work went on without it."""
        found = (self._answers.trouble, self.budget.trouble, self.usage.trouble)
        return list(dict.fromkeys(error.message for error in found if error is not None))

    def worst_cost(self, task: Task) -> int:
        """The most that one call of `task` to the first provider may cost, in picodollars; 0 if unknown."""
        return self._lanes[0].line.worst_cost(task, task.model or self.primary.model)

    async def flush(self) -> None:
        """Write what is kept in memory; at the end of a batch."""
        async with anyio.create_task_group() as group:  # a locked database makes each wait: once, together
            group.start_soon(self._answers.flush)
            group.start_soon(self.budget.give_back)
            group.start_soon(self.usage.flush_soon)

    async def run_task(self, index: int, task: Task, run: RunCap | None) -> TaskResult:
        """Run one task to its end. Never raises for a task that failed."""
        async with self.fleet.nodes:  # several batches share the workers
            return await self._run_task(index, task, run)

    async def _run_task(self, index: int, task: Task, run: RunCap | None) -> TaskResult:
        started = self.clock.monotonic()
        timeout = self.settings.limits.timeout if task.timeout is None else task.timeout
        trace = Trace(started, Deadline(self.clock, timeout), run)
        try:
            if not task.prompt.strip() and not task.history:
                raise TaskError("bad_request", "the prompt is empty", hint="write something, or leave it out")
            schema = None if task.schema is None else self._schemas.get(task.schema)
            answered = await self._within_deadline(task, trace)
            data = None if schema is None else parse_output(answered.reply.text, schema)
            result = self._success(index, task, trace, answered, data)
        except TaskError as error:
            result = self._failure(index, task, trace, error)
        except (InputError, ValueError) as error:  # no JSON Schema, or text that no encoding can carry
            unusable = TaskError("bad_request", f"the task cannot be sent: {error}")
            result = self._failure(index, task, trace, unusable)
        self.usage.add(result, trace.saved)
        self._watch(result)
        return result

    async def _within_deadline(self, task: Task, trace: Trace) -> Answered:
        with trace.deadline.enforced():
            return await self._first_answer(task, trace)
        raise TaskError(
            "timeout",
            f"the task was not done after {trace.deadline.seconds:g} s ({trace.attempts} calls were made)",
            hint="raise limits.timeout (or --timeout), or lower the number of tasks at once",
            retryable=True,
        )

    async def _first_answer(self, task: Task, trace: Trace) -> Answered:
        """The answer of the first provider in the chain that has one."""
        lanes = [lane for lane in self._lanes if lane.line.backend.searches or not task.web_search]
        if not lanes:
            words = f"{self.primary.name} has no web search of its own"
            raise TaskError("bad_request", words, hint="only Gemini has: set provider.name: gemini")
        last = len(lanes) - 1
        for position, lane in enumerate(lanes):
            model = (task.model if lane is self._lanes[0] else None) or lane.line.backend.model
            try:
                return await self._answer(lane, task, model, trace, impatient=position < last)
            except TaskError as error:
                if position == last or error.code not in FALLS_BACK:
                    raise
        raise AssertionError("an engine has at least one provider")

    async def _answer(
        self, lane: _Lane, task: Task, model: str, trace: Trace, *, impatient: bool
    ) -> Answered:
        async def ask() -> Reply:
            reply = await lane.line.ask(task, model, trace, impatient=impatient)
            judge(reply, task, lane.line.backend.name, task.max_tokens or lane.line.backend.max_tokens)
            reply = self._redacted(reply)
            return reply if task.schema is None else self._fitting(reply, task.schema)

        if not self._may_share(lane, task):
            return Answered(await ask(), shared=False)
        trace.provider, trace.model = lane.line.backend.name, model
        key = answer_key(task, address=lane.address, model=model, defaults=lane.defaults)
        answered = await self._answers.get(key, ask, trace.deadline)
        if answered.shared:
            sheet = lane.line.backend.prices(model, self.clock.now())
            trace.saved = price_of(answered.reply, sheet) or 0
        return answered

    def _redacted(self, reply: Reply) -> Reply:
        """The reply without secrets; the same object when it holds none."""
        text, found = self._redact(reply.text), reply.grounding
        if found is not None:
            supports = [replace(support, text=self._redact(support.text)) for support in found.supports]
            return replace(reply, text=text, grounding=replace(found, supports=tuple(supports)))
        return reply if text is reply.text else replace(reply, text=text)

    def _fitting(self, reply: Reply, schema: JsonObject) -> Reply:
        """The reply, which fits the schema: nothing malformed is kept, and no secret in escaped letters."""
        data = parse_output(reply.text, self._schemas.get(schema))
        if "\\" in reply.text and (clean := self._redact.inside(data)) != data:
            return replace(reply, text=to_json(clean).decode())
        return reply

    def _may_share(self, lane: _Lane, task: Task) -> bool:
        """Whether one answer may stand for another: not without a cache, nor for random sampling."""
        if not self.settings.cache.enabled or task.cache is False or task.wants_variety or task.web_search:
            return False
        return lane.line.backend.caches or task.temperature == 0 or task.seed is not None

    # ---- results

    def _success(self, index: int, task: Task, trace: Trace, answered: Answered, data: object) -> TaskResult:
        reply = answered.reply
        busy, queued = self._times(trace)
        return TaskResult(
            index=index,
            id=task.id,
            ok=True,
            text=reply.text,
            data=data,
            provider=trace.provider,
            model=reply.model,
            usage=trace.usage,
            cost_pico=trace.cost,
            duration_ms=busy,
            queued_ms=queued,
            attempts=trace.attempts,
            cached=answered.shared,
            finish_reason=reply.finish_reason,
            tool_calls=reply.tool_calls,
            native=reply.native,
            grounding=reply.grounding,
        )

    def _failure(self, index: int, task: Task, trace: Trace, error: TaskError) -> TaskResult:
        busy, queued = self._times(trace)
        failure = Failure.of(error)
        return TaskResult(
            index=index,
            id=task.id,
            ok=False,
            error=replace(failure, message=self._redact(failure.message)),
            provider=trace.provider,
            model=trace.model,
            usage=trace.usage,
            cost_pico=trace.cost,
            duration_ms=busy,
            queued_ms=queued,
            attempts=trace.attempts,
            finish_reason=trace.finish_reason,
        )

    def _times(self, trace: Trace) -> tuple[int, int]:
        total = round((self.clock.monotonic() - trace.started) * 1000)
        busy = min(total, round(trace.busy * 1000))
        return busy, total - busy

    # ---- set-up

    def _lane(self, backend: Backend) -> _Lane:
        dispatcher = self.fleet.dispatcher(backend)
        line = Line(backend, dispatcher, self.budget, self.fleet.retries, self.clock)
        address = f"{backend.name} {' '.join(sorted(endpoint.address for endpoint in dispatcher.endpoints))}"
        return _Lane(line, address, to_json(backend.options))


@asynccontextmanager
async def open_engine(
    settings: Settings, chosen: Chosen, store: Store | None, clock: Clock, watch: Watch = ignore
) -> AsyncGenerator[Engine]:
    """An engine on `store`; without one nothing is kept, and no cap can be set.

    Args:
        watch: sees each result, whatever it was asked for.
    """
    ledger = None if store is None else Ledger(store)
    answers = None if store is None else Answers(store)
    async with (
        open_budget(settings.cost, ledger, clock) as budget,
        open_answers(answers, settings.cache, clock) as cache,
        open_usage(ledger, clock) as usage,
    ):
        fleet = Fleet(settings.limits, clock)
        yield Engine(
            settings, chosen, budget=budget, answers=cache, usage=usage, clock=clock, fleet=fleet, watch=watch
        )
