"""The bench mode: a batch whose times are compared with what a perfect pool would have needed."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from clawswarm.types.result import BatchResult
from clawswarm.types.task import Task

QUESTION = "Reply with the single word: ready. (Check {number}.)"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """A benchmark's batch with its figures. Times in milliseconds; None where no call was made.

    Attributes:
        concurrency: calls that ran at once at most, for the ideal.
        ideal_ms: the time a pool without any overhead needs for calls of exactly these durations.
    """

    batch: BatchResult
    concurrency: int
    ideal_ms: int | None

    @classmethod
    def of(cls, batch: BatchResult, concurrency: int) -> "BenchResult":
        durations = [task.duration_ms for task in batch.tasks]
        return cls(batch, concurrency, ideal_ms(durations, concurrency) or None)

    @property
    def per_task_ms(self) -> float:
        return self.batch.stats.total_duration_ms / self.batch.stats.total

    @property
    def throughput(self) -> float | None:
        """Tasks a second."""
        elapsed = self.batch.stats.total_duration_ms
        return self.batch.stats.total * 1000 / elapsed if elapsed else None

    @property
    def ratio_to_ideal(self) -> float | None:
        return self.batch.stats.total_duration_ms / self.ideal_ms if self.ideal_ms else None


def bench_tasks(count: int) -> list[Task]:
    """`count` short questions that differ, so that none is answered for another. Ask them without a cache."""
    return [Task(prompt=QUESTION.format(number=number)) for number in range(1, count + 1)]


def ideal_ms(durations: Iterable[int], slots: int) -> int:
    """When the last of these calls ends if each starts the moment one of `slots` is free."""
    free_at = [0] * slots
    for duration in durations:
        heapq.heapreplace(free_at, free_at[0] + duration)
    return max(free_at)
