"""A line to one provider: reserve money, wait for a slot, call, settle, and try again what may pass.

    retry ( money ( slot ( adapter ) ) )

The order matters: a call that waits for its next try holds neither money nor a slot, and every attempt
reserves its money before it takes a slot.
"""

import logging
from dataclasses import dataclass, field

import anyio

from clawswarm.clock import Clock, sleep_until
from clawswarm.engine.budget import Budget, Hold, RunCap, most_tokens
from clawswarm.engine.deadline import Deadline
from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from clawswarm.engine.retry import PASSING, RetryPolicy
from clawswarm.errors import TaskError
from clawswarm.providers.base import Answer
from clawswarm.providers.prices import MOST_SEARCHES, PriceSheet, price_of, searches_cost
from clawswarm.providers.registry import Backend
from clawswarm.types.result import NO_USAGE, Reply, Usage
from clawswarm.types.task import Task

logger = logging.getLogger(__name__)

BYTES_A_TOKEN = 4
"""A guess for rate limits only, corrected when the answer says how many it were."""


@dataclass(slots=True)
class Trace:
    """What one task did so far, over all attempts and providers. None in a sum: unknown."""

    started: float
    deadline: Deadline
    run: RunCap | None
    attempts: int = 0
    busy: float = 0.0
    usage: Usage | None = field(default=NO_USAGE)
    cost: int | None = 0
    provider: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    saved: int = 0

    def add(self, usage: Usage | None, cost: int | None) -> None:
        self.usage = None if usage is None or self.usage is None else self.usage + usage
        self.cost = None if cost is None or self.cost is None else self.cost + cost


@dataclass(slots=True)
class _Call:
    """What is the same in every attempt of one question, and where the last one failed."""

    task: Task
    model: str
    trace: Trace
    bound: Usage
    sheet: PriceSheet | None
    impatient: bool
    failed_at: Endpoint | None = None


class Line:
    """Calls to one backend."""

    def __init__(
        self, backend: Backend, dispatcher: Dispatcher, budget: Budget, retries: RetryPolicy, clock: Clock
    ) -> None:
        self.backend = backend
        self.dispatcher = dispatcher
        self._budget = budget
        self._retries = retries
        self._clock = clock

    async def ask(self, task: Task, model: str, trace: Trace, *, impatient: bool) -> Reply:
        """The reply to `task`, not judged yet.

        Args:
            impatient: another provider waits behind this one, so do not wait for a server that is down.

        Raises:
            TaskError: it failed for good, here.
        """
        trace.provider, trace.model = self.backend.name, model
        call = _Call(
            task=task,
            model=model,
            trace=trace,
            bound=most_tokens(task, task.max_tokens or self.backend.max_tokens),
            sheet=self.backend.prices(model, self._clock.now()),
            impatient=impatient,
        )
        tries = 0
        while True:
            sent = trace.attempts
            try:
                reply = await self._attempt(call)
            except TaskError as error:
                if trace.attempts == sent:
                    raise  # refused before it was sent: no money, or waiting is pointless
                if error.code == "rate_limited" and error.retryable:
                    continue  # the endpoint pauses; the dispatcher waits, or says that waiting is pointless
                tries += 1
                now = self._clock.monotonic()
                wait = self._retries.wait_for(error, tries, trace.deadline.at - now)
                if wait is None:
                    raise
                await sleep_until(self._clock, now + wait)
            else:
                self._retries.budget.succeeded(retried=tries > 0)
                return reply

    def worst_cost(self, task: Task, model: str) -> int:
        """The most that one call of `task` may cost, in picodollars; 0 when its price is not known."""
        sheet = self.backend.prices(model, self._clock.now())
        extra = searches_cost(model, MOST_SEARCHES) if task.web_search else 0
        if sheet is None or extra is None:
            return 0
        return sheet.worst(most_tokens(task, task.max_tokens or self.backend.max_tokens)) + extra

    async def _attempt(self, call: _Call) -> Reply:
        """One call, with its money, its slot and its bookkeeping."""
        extra = searches_cost(call.model, MOST_SEARCHES) if call.task.web_search else 0
        sheet = None if extra is None else call.sheet
        hold = await self._budget.reserve(call.bound, sheet, call.trace.run, call.model, extra=extra or 0)
        tokens = call.bound.input_tokens // BYTES_A_TOKEN
        try:
            endpoint = await self.dispatcher.acquire(
                tokens, call.trace.deadline, impatient=call.impatient, avoid=call.failed_at
            )
        except BaseException:
            if hold is not None:
                hold.settle(0)
            raise
        started = self._clock.monotonic()
        call.trace.attempts += 1
        try:
            answer = await self._send(call, endpoint)
        except TaskError as error:
            self._book_failure(call, hold, billed=error.billed)
            self._note_failure(endpoint, error)
            call.failed_at = endpoint
            raise
        except BaseException:  # cancelled, or past the task's deadline: the provider may bill it all the same
            self._book_failure(call, hold, billed=None)
            endpoint.breaker.abandoned(self._clock.monotonic())
            raise
        else:
            self._note_success(endpoint, answer, tokens)
            return self._book(call, hold, answer.reply)
        finally:
            call.trace.busy += self._clock.monotonic() - started
            self.dispatcher.release(endpoint)

    async def _send(self, call: _Call, endpoint: Endpoint) -> Answer:
        limit = self.backend.attempt_timeout
        if limit is None or self._clock.monotonic() + limit >= call.trace.deadline.at:
            return await self._complete(call, endpoint)
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + limit, scope.cancel)
            try:
                return await self._complete(call, endpoint)
            finally:
                timer.cancel()
        raise TaskError(
            "timeout",
            f"{self.backend.name} at {endpoint.address} did not answer within {limit:g} s",
            hint="raise limits.attempt_timeout for long answers, or check the server",
            retryable=True,
            billed=None,
        )

    async def _complete(self, call: _Call, endpoint: Endpoint) -> Answer:
        try:
            return await endpoint.provider.complete(call.task, model=call.model)
        except TaskError:
            raise
        except Exception as error:
            # Adapters index into what a server sent: what nobody foresaw fails one task, not a batch.
            logger.warning("unforeseen reply from %s", self.backend.name, exc_info=True)
            raise TaskError(
                "invalid_reply",
                f"{self.backend.name} sent a reply of an unforeseen shape ({type(error).__name__}: {error})",
                hint="check that the base URL leads to this provider's API",
                billed=None,
            ) from error

    # ---- money

    def _book(self, call: _Call, hold: Hold | None, reply: Reply) -> Reply:
        tokens = price_of(reply, call.sheet)
        searches = 0 if reply.grounding is None else reply.grounding.searches
        fee = searches_cost(call.model, searches)
        cost = None if tokens is None or fee is None else tokens + fee
        call.trace.add(reply.usage, cost)
        call.trace.finish_reason = reply.finish_reason
        if hold is not None:
            if tokens is not None:
                self._budget.learn(hold, tokens)
            hold.settle(cost)
        return reply

    def _book_failure(self, call: _Call, hold: Hold | None, *, billed: bool | None) -> None:
        free = call.sheet is not None and call.sheet.free
        if billed is None:
            call.trace.add(None, 0 if free else None)
        if hold is not None:
            hold.settle(None if billed is None else 0)

    # ---- the endpoint's health

    def _note_success(self, endpoint: Endpoint, answer: Answer, estimated: int) -> None:
        endpoint.breaker.succeeded()
        endpoint.window.succeeded()
        endpoint.last_refusal = None
        endpoint.refusals = 0
        now = self._clock.monotonic()
        if answer.reply.usage is not None:
            used = answer.reply.usage.input_tokens + answer.reply.usage.output_tokens
            endpoint.rates.correct(estimated, used, now)
        if answer.pace is not None:
            endpoint.rates.observe(answer.pace, now)

    def _note_failure(self, endpoint: Endpoint, error: TaskError) -> None:
        now = self._clock.monotonic()
        if error.code == "rate_limited" and error.retryable:
            endpoint.breaker.succeeded()  # it is up, and says so
            if endpoint.last_refusal is None or not endpoint.rates.paused(now):
                endpoint.refusals += 1
                endpoint.window.refused()
            endpoint.last_refusal = error
            wait = error.retry_after or self._retries.wait_unnamed(endpoint.refusals)  # 0 names no time
            endpoint.rates.pause(wait, now)
            self.dispatcher.changed()
        elif error.code in PASSING:
            was = endpoint.breaker.state
            endpoint.breaker.failed(error, now)
            if endpoint.breaker.state is not was:
                self.dispatcher.changed()
        else:
            endpoint.breaker.succeeded()
