"""Spans, sent to a collector on loopback by the real exporter: OTLP, protobuf over HTTP."""

import json
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.daemon.homes import Home

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


@dataclass
class Collector:
    """Takes spans in."""

    url: str = ""
    service: str = ""
    spans: list[Any] = field(default_factory=list[Any])

    async def take(self, request: web.Request) -> web.Response:
        assert request.path == "/v1/traces"
        assert request.headers["Content-Type"] == "application/x-protobuf"
        message: Any = ExportTraceServiceRequest.FromString(await request.read())
        for resource in message.resource_spans:
            [self.service] = [
                found.value.string_value
                for found in resource.resource.attributes
                if found.key == "service.name"
            ]
            for scope in resource.scope_spans:
                assert scope.scope.name == "clawswarm"
                self.spans.extend(scope.spans)
        return web.Response()


@asynccontextmanager
async def collector() -> AsyncGenerator[Collector]:
    found = Collector()
    app = web.Application()
    app.router.add_post("/{path:.*}", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}"
    try:
        yield found
    finally:
        await runner.cleanup()


def attributes(span: Any) -> dict[str, Any]:
    return {found.key: getattr(found.value, found.value.WhichOneof("value")) for found in span.attributes}


async def test_a_request_is_a_span_with_one_for_each_task_and_without_any_text(home: Home) -> None:
    async with collector() as there:
        home.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": there.url, "OTEL_SERVICE_NAME": "my-swarm"}
        await home.launch()
        body = {"prompts": ["a private question", {"prompt": "another", "model": "demo-20ms"}]}
        async with home.client() as client, client.post("/parallel", json=body) as answer:
            text = await answer.text()
        assert json.loads(text.splitlines()[-1])["event"] == "complete"
        assert (await home.run("stop")).status == 0  # what was not sent yet is sent now
    assert there.service == "my-swarm"
    [request] = [span for span in there.spans if span.name == "POST /parallel"]
    tasks = [span for span in there.spans if span.name == "task"]
    assert attributes(request)["http.route"] == "/parallel"
    assert len(tasks) == 2
    for span in tasks:
        assert (span.trace_id, span.parent_span_id) == (request.trace_id, request.span_id)
        assert request.start_time_unix_nano - 5e6 <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= request.end_time_unix_nano
        found = attributes(span)
        assert (found["swarm.ok"], found["gen_ai.provider.name"]) == (True, "demo")
        assert found["gen_ai.usage.output_tokens"] > 0
    [slow] = [span for span in tasks if attributes(span)["gen_ai.response.model"] == "demo-20ms"]
    assert slow.end_time_unix_nano - slow.start_time_unix_nano >= 15e6
    shown = str(there.spans)
    for secret in ("private", "another", "No model was asked", home.token):
        assert secret not in shown


async def test_a_collector_that_is_not_there_holds_nothing_up(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{port}"
    await home.launch()
    assert (await home.run("parallel", "hello")).status == 0
    began = time.monotonic()
    with anyio.fail_after(15):
        assert (await home.run("stop")).status == 0
    assert time.monotonic() - began < 6


async def test_without_an_exporter_nothing_is_sent(home: Home) -> None:
    async with collector() as there:
        home.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": there.url, "OTEL_SDK_DISABLED": "true"}
        await home.launch()
        assert (await home.run("parallel", "hello")).status == 0
        assert (await home.run("stop")).status == 0
    assert there.spans == []
