"""What the engines of one process share: its workers, its retry budget, and one dispatcher an address.

An engine for another provider than the configured one stands beside the first; a server that both may call
(as provider, as fallback) has one line in front of it, and never gets more calls than it has slots.
"""

import random
from typing import Any

import anyio

from clawswarm.clock import Clock
from clawswarm.config.model import Limits
from clawswarm.engine.breaker import Breaker
from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from clawswarm.engine.rates import Rates
from clawswarm.engine.retry import RetryBudget, RetryPolicy
from clawswarm.engine.window import Window
from clawswarm.providers.registry import Backend

_Key = tuple[str, tuple[str, ...]]


class Fleet:
    """The workers and dispatchers of one process.

    Attributes:
        nodes: `max_nodes` workers; batches share them.
        retries: when and how often to try again.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._dispatchers: dict[_Key, Dispatcher] = {}
        self.nodes = anyio.Semaphore(limits.max_nodes, fast_acquire=True)
        self.retries = RetryPolicy(
            limits.max_retries,
            RetryBudget(max(100.0, 2.0 * limits.max_nodes)),
            random.Random(),  # noqa: S311 - jitter, not a secret
        )

    @property
    def busy(self) -> int:
        """Workers that have a task."""
        return self._limits.max_nodes - self.nodes.value

    def dispatcher(self, backend: Backend) -> Dispatcher:
        """The line in front of this provider's endpoints, made when it is first asked for."""
        key = (backend.name, tuple(sorted(connection.address for connection in backend.connections)))
        if (dispatcher := self._dispatchers.get(key)) is None:
            dispatcher = self._dispatchers[key] = Dispatcher(self._endpoints(backend), self._clock)
        return dispatcher

    def endpoints(self) -> list[dict[str, Any]]:
        """The limiters' own numbers, one document an endpoint."""
        return [
            {
                "provider": endpoint.provider.name,
                "address": endpoint.address,
                "slots": endpoint.slots,
                "in_use": endpoint.in_use,
                "state": endpoint.breaker.state.value,
                "waiting": dispatcher.waiting,
            }
            for dispatcher in self._dispatchers.values()
            for endpoint in dispatcher.endpoints
        ]

    def _endpoints(self, backend: Backend) -> tuple[Endpoint, ...]:
        limits, now = self._limits, self._clock.monotonic()
        return tuple(
            Endpoint(
                address=connection.address,
                provider=connection.provider,
                slots=backend.slots,
                rates=Rates(limits.requests_per_minute, limits.tokens_per_minute, now),
                breaker=Breaker(limits.breaker_failures, limits.breaker_cooldown),
                window=Window(backend.slots),
            )
            for connection in backend.connections
        )
