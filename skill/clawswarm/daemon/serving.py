"""What the routes work with: the open swarm, the daemon's own numbers, its limits."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio.to_thread

from clawswarm.access.local import LocalSwarm
from clawswarm.clock import local_day
from clawswarm.config.model import Settings
from clawswarm.daemon.errors import TooLarge
from clawswarm.daemon.observe import Observer
from clawswarm.daemon.tracing import Tracer
from clawswarm.errors import Busy, StoreError
from clawswarm.providers.address import PLACES
from clawswarm.providers.models import RECOMMENDED
from clawswarm.store.answers import Answers
from clawswarm.store.jobs import Jobs
from clawswarm.store.ledger import Ledger
from clawswarm.types.money import to_pico, to_usd
from clawswarm.types.task import FIELDS
from clawswarm.version import __version__


@dataclass(slots=True)
class Serving:
    """One running daemon.

    Attributes:
        started: the clock's monotonic seconds.
    """

    swarm: LocalSwarm
    settings: Settings
    observer: Observer
    tracer: Tracer
    pid: int
    port: int
    started: float
    streams: int = field(default=0)

    @contextmanager
    def stream(self) -> Generator[None]:
        """A place among the answers that are streamed.

        Raises:
            Busy: there is none.
        """
        most = self.settings.daemon.max_streams
        if self.streams >= most:
            raise Busy(
                f"{most} requests are being answered already",
                hint="try again in a moment, or hand the work over as a job",
                retry_after=1,
            )
        self.streams += 1
        self.observer.streams.inc()
        try:
            yield
        finally:
            self.streams -= 1
            self.observer.streams.dec()

    def check_count(self, prompts: int) -> None:
        """Raise a `TooLarge` for more prompts than one request may have."""
        most = self.settings.daemon.max_prompts
        if prompts > most:
            raise TooLarge(
                f"{prompts} prompts are too many for one request: at most {most}",
                hint="send them in parts, or raise daemon.max_prompts",
            )

    async def status(self) -> dict[str, object]:
        """What `swarm status` shows."""
        engine, observer = self.swarm.engine, self.observer
        money, cache, jobs = await anyio.to_thread.run_sync(self._stored)
        return {
            "status": "running",
            "version": __version__,
            "pid": self.pid,
            "port": self.port,
            "uptime_s": round(engine.clock.monotonic() - self.started, 1),
            "workers": engine.settings.limits.max_nodes,
            "workers_busy": engine.fleet.busy,
            "streams": self.streams,
            "requests": observer.requests,
            "tasks": observer.tasks,
            "failed": observer.failed,
            "avg_ms": None if observer.mean_ms is None else round(observer.mean_ms, 1),
            "provider": engine.primary.name,
            "model": engine.primary.model,
            "cost": money,
            "cache": cache,
            "jobs": jobs,
            "endpoints": engine.fleet.endpoints(),
            "warnings": self.swarm.warnings,
        }

    def _stored(self) -> tuple[dict[str, object] | None, dict[str, object] | None, dict[str, int]]:
        """Money, cache and jobs as the store has them; None for what it cannot tell."""
        store = self.swarm.store
        if store is None:
            return None, None, {}
        cap = self.settings.cost.max_daily_spend
        try:
            day = Ledger(store).total(local_day(self.swarm.engine.clock.now()))
            size = Answers(store).size()
            jobs = Jobs(store).counts()
        except StoreError:
            return None, None, {}
        return (
            {
                "today_usd": to_usd(day.spent + day.uncertain),
                "held_usd": to_usd(day.held),
                "cap_usd": None if cap is None else to_usd(to_pico(cap)),
            },
            {
                "enabled": self.settings.cache.enabled,
                "answers": size.answers,
                "bytes": size.bytes,
                "hits": self.observer.cached,
            },
            jobs,
        )

    def capabilities(self) -> dict[str, object]:
        limits, daemon = self.settings.limits, self.settings.daemon
        primary = self.swarm.engine.primary
        return {
            "version": __version__,
            "modes": [
                {
                    "name": "parallel",
                    "path": "/parallel",
                    "about": "Ask many prompts at once; results in prompt order.",
                    "prompt_fields": list(FIELDS),
                },
                {
                    "name": "research",
                    "path": "/research",
                    "about": "Research many subjects on the web side by side, with quotes that were checked.",
                    "depths": ["quick", "standard", "deep"],
                },
                {
                    "name": "jobs",
                    "path": "/jobs",
                    "about": "Either of them as work that goes on by itself and survives a crash.",
                    "kinds": ["parallel", "research"],
                },
            ],
            "providers": [
                {
                    "name": name,
                    "recommended_model": RECOMMENDED.get(name),
                    "key_variable": place.key_variable,
                    "in_use": any(backend.name == name for backend in self.swarm.engine.chosen.backends),
                    "model": primary.model if name == primary.name else None,
                }
                for name, place in PLACES.items()
            ],
            "limits": {
                "workers": limits.max_nodes,
                "calls_per_endpoint": limits.max_concurrent_api,
                "task_timeout_s": limits.timeout,
                "max_streams": daemon.max_streams,
                "max_jobs": daemon.max_jobs,
                "running_jobs": daemon.running_jobs,
                "max_prompts": daemon.max_prompts,
                "max_body_mb": daemon.max_body_mb,
                "max_page": 1000,
                "max_wait_s": 60,
                "heartbeat_s": daemon.heartbeat,
            },
            "events": ["start", "progress", "phase", "heartbeat", "complete", "error"],
        }
