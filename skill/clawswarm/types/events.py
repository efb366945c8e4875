"""What a batch tells while it runs: a tagged union, the same in Python, on the command line and over HTTP."""

from dataclasses import dataclass
from typing import Any, Literal

from clawswarm.types.result import BatchResult, Stats, TaskResult


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted:
    """The batch was accepted.

    Attributes:
        total: None when the prompts come from a source without a length.
        workers: calls that reach the provider at once, at most.
    """

    total: int | None
    provider: str
    model: str
    workers: int
    event: Literal["start"] = "start"

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "start",
            "total": self.total,
            "provider": self.provider,
            "model": self.model,
            "workers": self.workers,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished:
    """One task has its result, good or bad. They come as they finish, not in prompt order."""

    task: TaskResult
    event: Literal["progress"] = "progress"

    def as_json(self) -> dict[str, Any]:
        task = self.task
        return {
            "event": "progress",
            "index": task.index,
            "ok": task.ok,
            "duration_ms": task.duration_ms,
            "task": task.as_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchComplete:
    """Every task has its result. `result` is None where the consumer kept the results itself."""

    stats: Stats
    result: BatchResult | None
    event: Literal["complete"] = "complete"

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "complete",
            "results": None if self.result is None else self.result.results,
            "stats": self.stats.as_json(),
            "cost": self.stats.cost_usd,
        }


BatchEvent = BatchStarted | TaskFinished | BatchComplete
