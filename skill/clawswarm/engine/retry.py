"""When a failed call is tried again, and how long it waits: the only place in Swarm that retries.

Waits have full jitter (a random share of a bound that doubles), so that tasks that failed together do not
come back together. A retry budget is shared by all tasks of an engine: it drains while retries fail and
fills while calls succeed, so that an outage is not multiplied by the number of tries.
"""

import random
from dataclasses import dataclass

from clawswarm.errors import TaskError

FIRST_BOUND = 0.5
"""Seconds; the bound of the first wait. Providers' own SDKs begin there, too (provider-facts 3.2, 4.1)."""

LONGEST_BOUND = 20.0

REFILL = 0.1
"""What each successful call adds to the budget: one retry for ten successes, beside the initial stock."""

PASSING = frozenset({"overloaded", "timeout", "connection_failed", "provider_failed"})
"""Codes that say something about the server, not about the request."""


def backoff(attempt: int, draw: float) -> float:
    """Seconds to wait before try number `attempt` + 1.

    Args:
        attempt: tries so far, 1 or more.
        draw: a random number from 0 to 1.
    """
    doublings = min(attempt - 1, 10)  # past the longest bound, and no number that outgrows a float
    return draw * min(LONGEST_BOUND, FIRST_BOUND * 2**doublings)


class RetryBudget:
    """Retries that may still be spent. A retry costs one, and gets it back when it succeeds."""

    def __init__(self, capacity: float) -> None:
        self._capacity = capacity
        self.left = capacity

    def take(self) -> bool:
        """Whether another retry may be made; takes it."""
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def succeeded(self, *, retried: bool) -> None:
        self.left = min(self._capacity, self.left + (1 if retried else REFILL))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What the configuration says about retries, with the shared budget."""

    max_retries: int
    budget: RetryBudget
    rng: random.Random

    def wait_for(self, error: TaskError, attempt: int, left: float) -> float | None:
        """Seconds until the next try after `error` on try number `attempt`; None: there is none.

        Args:
            left: seconds until the task's deadline. A try that would come too late costs no budget.
        """
        if not error.retryable or attempt > self.max_retries:
            return None
        wait = max(backoff(attempt, self.rng.random()), error.retry_after or 0.0)
        return wait if wait < left and self.budget.take() else None

    def wait_unnamed(self, refusals: int) -> float:
        """Seconds to leave an endpoint alone after a 429 that names no time, the `refusals`-th in a row."""
        return backoff(refusals, 0.5 + self.rng.random() / 2)
