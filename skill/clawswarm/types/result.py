"""What comes back: a provider's reply, a task's result, a batch's result and its numbers.

A number that is not known is None (design, "Truth"): a sum with an unknown part is unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clawswarm.errors import TaskError, TaskErrorCode
from clawswarm.types.money import to_usd
from clawswarm.types.task import ToolCall


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls. `input_tokens` is the total, cached and cache-written parts included."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


NO_USAGE = Usage()

FinishReason = Literal["stop", "length", "tool_calls", "blocked", "context_overflow", "other"]


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page that a provider's own search used."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Support:
    """A passage of a reply, and the pages (by their place in `Grounding.pages`) that it rests on."""

    text: str
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """What a provider's own search found. `searches` are billed."""

    pages: tuple[FoundPage, ...] = ()
    supports: tuple[Support, ...] = ()
    searches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A provider's whole answer to one call, good or not; the engine judges it.

    Attributes:
        finish_reason: why it ended, in neutral words.
        detail: the provider's own word for an ending other than stop, such as "MAX_TOKENS" or "SAFETY".
        usage: None when the provider did not say.
        cost_pico: the price the provider itself charged (OpenRouter says so), else None.
        remote: a local server passed the call on to a paid one (Ollama's cloud models).
        native: the assistant's turn as the provider wants it back in a tool loop.
    """

    text: str
    model: str
    finish_reason: FinishReason = "stop"
    detail: str | None = None
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: str | None = None
    cost_pico: int | None = None
    remote: bool = False
    native: Any = None
    grounding: Grounding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a task has no answer: the data of a `TaskError`."""

    code: TaskErrorCode
    message: str
    hint: str | None = None
    retryable: bool = False
    status: int | None = None

    @classmethod
    def of(cls, error: TaskError) -> "Failure":
        return cls(
            code=error.code,
            message=error.message,
            hint=error.hint,
            retryable=error.retryable,
            status=error.status,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """Everything about one finished task.

    Attributes:
        text: the reply, or None where the task failed.
        data: the parsed reply where the task had a schema.
        usage: tokens of all attempts; zero for a cached answer; None when unknown.
        cost_pico: price of all attempts in picodollars; None when unknown.
        duration_ms: time spent in calls to providers, all attempts together.
        queued_ms: time spent waiting (for a slot, a rate limit, the next try).
        attempts: calls that were sent; 0 for an answer from the cache or shared with an identical prompt.
    """

    index: int
    ok: bool
    id: str | None = None
    text: str | None = None
    data: Any = None
    error: Failure | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost_pico: int | None = None
    duration_ms: int = 0
    queued_ms: int = 0
    attempts: int = 0
    cached: bool = False
    finish_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    native: Any = None
    grounding: Grounding | None = None

    @property
    def cost_usd(self) -> float | None:
        return to_usd(self.cost_pico)

    def as_json(self) -> dict[str, Any]:
        """The wire shape of a task, the same in the CLI, the HTTP API and the files."""
        usage = self.usage
        return {
            "index": self.index,
            "id": self.id,
            "ok": self.ok,
            "text": self.text,
            "data": self.data,
            "error": None if self.error is None else self.error.as_json(),
            "provider": self.provider,
            "model": self.model,
            "usage": None
            if usage is None
            else {
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cached_tokens": usage.cached_tokens,
            },
            "cost_usd": to_usd(self.cost_pico),
            "duration_ms": self.duration_ms,
            "queued_ms": self.queued_ms,
            "attempts": self.attempts,
            "cached": self.cached,
            "finish_reason": self.finish_reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The numbers of a batch.

    `speedup` is measured: the time its calls took one after another (the sum of their durations) divided
    by the time the batch took. None when no call was made.
    """

    total: int
    successful: int
    failed: int
    total_duration_ms: int
    speedup: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_pico: int | None

    @property
    def cost_usd(self) -> float | None:
        return to_usd(self.cost_pico)

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "successful": self.successful,
            "failed": self.failed,
            "total_duration_ms": self.total_duration_ms,
            "speedup": self.speedup,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(slots=True)
class Tally:
    """Running numbers of a batch; holds no results, so that memory stays flat.

    `known_*` sum what is known, so that a live display has something true to show ("at least").
    """

    successful: int = 0
    failed: int = 0
    cached: int = 0
    busy_ms: int = 0
    known_input_tokens: int = 0
    known_output_tokens: int = 0
    known_cost_pico: int = 0
    unknown_usage: int = 0
    unknown_cost: int = 0
    codes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def done(self) -> int:
        return self.successful + self.failed

    def add(self, result: TaskResult) -> None:
        if result.error is None:
            self.successful += 1
        else:
            self.failed += 1
            self.codes[result.error.code] = self.codes.get(result.error.code, 0) + 1
        self.cached += result.cached
        self.busy_ms += result.duration_ms
        if result.usage is None:
            self.unknown_usage += 1
        else:
            self.known_input_tokens += result.usage.input_tokens
            self.known_output_tokens += result.usage.output_tokens
        if result.cost_pico is None:
            self.unknown_cost += 1
        else:
            self.known_cost_pico += result.cost_pico

    def stats(self, elapsed_ms: int) -> Stats:
        """The numbers so far, for a batch that has run for `elapsed_ms` milliseconds."""
        return Stats(
            total=self.done,
            successful=self.successful,
            failed=self.failed,
            total_duration_ms=elapsed_ms,
            speedup=round(self.busy_ms / elapsed_ms, 2) if self.busy_ms and elapsed_ms else None,
            input_tokens=None if self.unknown_usage else self.known_input_tokens,
            output_tokens=None if self.unknown_usage else self.known_output_tokens,
            cost_pico=None if self.unknown_cost else self.known_cost_pico,
        )


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A finished batch, in prompt order."""

    tasks: tuple[TaskResult, ...]
    stats: Stats

    @property
    def results(self) -> list[str | None]:
        """The texts in prompt order; None where a task failed."""
        return [task.text for task in self.tasks]

    def as_json(self) -> dict[str, Any]:
        return {
            "results": self.results,
            "tasks": [task.as_json() for task in self.tasks],
            "stats": self.stats.as_json(),
        }


def in_order(results: Iterable[TaskResult]) -> tuple[TaskResult, ...]:
    """Results as they finished → results as they were asked for."""
    by_index: Mapping[int, TaskResult] = {result.index: result for result in results}
    return tuple(by_index[index] for index in sorted(by_index))
