"""The daemon's HTTP API in this process: the real application on a real socket, with any provider."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anyio

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.config.model import Settings
from clawswarm.daemon.observe import Observer
from clawswarm.daemon.process import Server, listening, make_server
from clawswarm.daemon.serving import Serving
from clawswarm.daemon.tracing import Tracer
from clawswarm.lifetimes import background_tasks
from clawswarm.providers.demo import DemoProvider
from tests.fakes.openai import FakeOpenAI

TOKEN = "the-token-of-this-test"
KEY = "test-key"
MODEL = "gpt-6-luna"


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal, which has exactly the documented shape."""
        document = self.json
        assert list(document) == ["error"], document
        assert list(document["error"]) == ["code", "message", "hint"]
        return document["error"]["code"]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Served:
    """A running application, and a client that has the token."""

    port: int
    swarm: LocalSwarm
    serving: Serving
    client: aiohttp.ClientSession
    server: Server

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        async with self.client.request(method, path, json=body, **more) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def quiet(self) -> None:
        """Wait until every request is over: the last event comes before the work has cleaned up."""
        await _over(self.server)

    @asynccontextmanager
    async def stream(self, path: str, body: Any) -> AsyncGenerator["Lines"]:
        """A streamed answer; leaving the block closes its socket."""
        async with self.client.post(path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            try:
                yield Lines(answer)
            finally:
                answer.close()


class Lines:
    """Events one by one."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, Any]:
        with anyio.fail_after(25):
            return json.loads(await self.answer.content.readline())

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        async for line in self.answer.content:
            yield json.loads(line)


def settings_of(**sections: Any) -> Settings:
    """Settings for the demo provider, where the test names no other."""
    return Settings.model_validate({"provider": {"name": "demo"}, **sections})


def using(fake: FakeOpenAI, **sections: Any) -> Settings:
    """Settings for a fake OpenAI."""
    provider = {"name": "openai", "model": MODEL, "base_url": fake.base_url}
    return Settings.model_validate({"provider": provider, **sections})


@asynccontextmanager
async def serve(
    settings: Settings,
    *,
    home: Path | None = None,
    demo: DemoProvider | None = None,
    observer: Observer | None = None,
    tracer: Tracer | None = None,
) -> AsyncGenerator[Served]:
    """Run the application until the block ends; what is still streamed then is called off.

    Args:
        home: whose state directory it works on; the test's own, if left out.
    """
    environ = {"HOME": str(home or os.environ["HOME"])}
    if settings.provider.name == "openai":
        environ["OPENAI_API_KEY"] = KEY
    observer, tracer = observer or Observer(), tracer or Tracer()
    answers = anyio.Event()
    with listening(0) as door:
        port = door.getsockname()[1]
        async with (
            open_local(settings, environ, demo=demo, watch=observer.task) as swarm,
            swarm.working_on_jobs(),
            background_tasks() as group,
        ):
            started = swarm.engine.clock.monotonic()
            serving = Serving(swarm, settings, observer, tracer, os.getpid(), port, started=started)
            server = make_server(serving, TOKEN, answers.set, _nobody)
            group.start_soon(_run, server, door)
            await answers.wait()
            async with _client(port) as client:
                yield Served(port, swarm, serving, client, server)
            for task in list(server.server_state.tasks):
                task.cancel()
            await _over(server)
            for connection in list(server.server_state.connections):
                connection.shutdown()


def _nobody() -> None:
    """Nobody looks for this one."""


async def _over(server: Server) -> None:
    """Wait for the requests that are being answered."""
    if tasks := set(server.server_state.tasks):
        _, hanging = await asyncio.wait(tasks, timeout=4)
        assert not hanging, hanging


async def _run(server: Server, door: socket.socket) -> None:
    await server.serve(sockets=[door])


def _client(port: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        connector=aiohttp.TCPConnector(limit=0),
    )
