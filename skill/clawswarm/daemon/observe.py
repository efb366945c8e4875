"""What the daemon counts: Prometheus metrics in a registry of its own, and the numbers of `swarm status`."""

from typing import Any

from clawswarm.types.result import TaskResult

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Upper ends of the buckets: from a cached answer to a slow local model."""


class Observer:
    """Counts requests and tasks since the daemon started.

    Attributes:
        requests: requests that were asked to do work.
        tasks, failed, cached: results of batches and jobs.
        busy_ms: time spent in calls to providers.
        local_s: seconds that the local model's last answer took; None before the first.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.requests = 0
        self.tasks = 0
        self.failed = 0
        self.cached = 0
        self.called = 0
        self.busy_ms = 0
        self.local_s: float | None = None
        self._by_name: dict[tuple[str, str], Any] = {}
        make: dict[str, Any] = {"registry": self.registry}
        self._tasks = Counter("swarm_tasks", "Tasks that ended.", ["provider", "outcome"], **make)
        self._seconds = Histogram(
            "swarm_task_seconds", "Seconds in calls to providers, a task.", buckets=SECONDS, **make
        )
        self._tokens = Counter("swarm_tokens", "Tokens that providers counted.", ["direction"], **make)
        self._into, self._out = self._tokens.labels("input"), self._tokens.labels("output")
        self._cost = Counter("swarm_cost_usd", "US$ spent, as far as prices are known.", **make)
        self._unpriced = Counter("swarm_unpriced_tasks", "Tasks whose price is not known.", **make)
        self._requests = Counter("swarm_http_requests", "HTTP requests.", ["route", "status"], **make)
        self.streams = Gauge("swarm_streams", "Answers that are being streamed.", **make)
        self.workers_busy = Gauge("swarm_workers_busy", "Workers that have a task.", **make)
        self.jobs = Gauge("swarm_jobs", "Jobs by status.", ["status"], **make)

    @property
    def mean_ms(self) -> float | None:
        """Mean milliseconds of the tasks that called a provider; None before the first."""
        return self.busy_ms / self.called if self.called else None

    def task(self, result: TaskResult) -> None:
        """Count a result."""
        self.tasks += 1
        self.failed += not result.ok
        self.cached += result.cached
        if result.attempts:
            self.called += 1
            self.busy_ms += result.duration_ms
            self._seconds.observe(result.duration_ms / 1000)
            if result.provider == "ollama":
                self.local_s = result.duration_ms / 1000
        outcome = "cached" if result.cached else "ok" if result.error is None else result.error.code
        self._labelled(result.provider or "none", outcome).inc()
        if result.usage is not None and not result.cached:
            self._into.inc(result.usage.input_tokens)
            self._out.inc(result.usage.output_tokens)
        if result.cost_pico is None:
            self._unpriced.inc()
        elif result.cost_pico:
            self._cost.inc(result.cost_pico / 10**12)

    def answered(self, route: str, status: int) -> None:
        """Count an HTTP answer; `route` is the pattern, so that ids do not multiply the series."""
        self._requests.labels(route, str(status)).inc()

    def exposition(self) -> bytes:
        """Everything in the text format of Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def _labelled(self, provider: str, outcome: str) -> Any:
        key = (provider, outcome)
        if key not in self._by_name:
            self._by_name[key] = self._tasks.labels(provider, outcome)
        return self._by_name[key]
