"""OpenTelemetry spans, where an exporter is configured: one a request, and one a task inside it.

Installed with `pip install 'clawswarm[otel]'`; switched on by the usual variables, such as
OTEL_EXPORTER_OTLP_ENDPOINT. Prompts and answers are never part of a span.
"""

import logging
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from clawswarm.types.result import TaskResult
from clawswarm.version import __version__

logger = logging.getLogger(__name__)

_SWITCHES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FLUSH_SECONDS = 2.0
"""How long the end of the daemon may take for spans that are not sent yet."""


class Tracer:
    """Makes spans; without an exporter it does nothing, and costs nothing."""

    def __init__(self, provider: Any = None, exporter: Any = None) -> None:
        self._provider = provider
        self._exporter = exporter
        self._tracer = None if provider is None else provider.get_tracer("clawswarm", __version__)

    @contextmanager
    def request(self, route: str) -> Generator["Span"]:
        """A span around a request that does work."""
        if self._tracer is None:
            yield Span(None, None)
            return
        with self._tracer.start_as_current_span(f"POST {route}", attributes={"http.route": route}) as span:
            yield Span(self._tracer, span)

    def close(self) -> None:
        """Send what was not sent yet; a collector that is not there is not waited for."""
        if self._provider is None:
            return
        hurry = threading.Timer(FLUSH_SECONDS, self._exporter.shutdown)  # ends its waits between two tries
        hurry.daemon = True
        hurry.start()
        self._provider.shutdown()
        hurry.cancel()


class Span:
    """A request's span, which gets one child a task."""

    def __init__(self, tracer: Any, span: Any) -> None:
        self._tracer = tracer
        self._span = span

    def task(self, result: TaskResult) -> None:
        """A span for a task that has ended, with the time it took."""
        if self._tracer is None:
            return
        from opentelemetry.trace import set_span_in_context

        end = time.time_ns()
        attributes: dict[str, Any] = {
            "swarm.index": result.index,
            "swarm.ok": result.ok,
            "swarm.cached": result.cached,
            "swarm.attempts": result.attempts,
            "gen_ai.provider.name": result.provider,
            "gen_ai.response.model": result.model,
            "gen_ai.usage.input_tokens": result.usage.input_tokens if result.usage else None,
            "gen_ai.usage.output_tokens": result.usage.output_tokens if result.usage else None,
            "error.type": result.error.code if result.error else None,
        }
        child = self._tracer.start_span(
            "task",
            context=set_span_in_context(self._span),
            start_time=end - (result.duration_ms + result.queued_ms) * 1_000_000,
            attributes={name: value for name, value in attributes.items() if value is not None},
        )
        child.end(end)


def make_tracer(environ: Mapping[str, str]) -> Tracer:
    """A tracer that exports, if the environment names where to; else one that does nothing."""
    if not any(environ.get(name) for name in _SWITCHES) or environ.get("OTEL_SDK_DISABLED") == "true":
        return Tracer()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning("no spans are exported: run pip install 'clawswarm[otel]' in Swarm's environment")
        return Tracer()
    resource = Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME") or "swarm"})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracer(provider, exporter)
