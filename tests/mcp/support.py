"""Clients of the MCP server, in both eras: in this process, as a child over stdio, of a daemon over HTTP."""

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import httpx2
import jsonschema
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ResourceLink, TextContent

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.clock import Clock
from clawswarm.config.model import Settings
from clawswarm_mcp.catalog import BY_NAME
from clawswarm_mcp.schemas import schema_of
from clawswarm_mcp.server import SwarmServer
from clawswarm_mcp.working import open_working
from tests.cli.shell import KEY
from tests.fakes.openai import FakeOpenAI

Era = Literal["legacy", "2026-07-28"]
ERAS: tuple[Era, ...] = ("legacy", "2026-07-28")
"""The handshake of 2025-11-25, and what came after it."""

MODEL = "gpt-6-luna"

PATIENCE = 25
"""Seconds after which a session counts as hung."""

DEMO = "provider:\n  name: demo\ndaemon:\n  port: 0\n  grace: 1\n"


@dataclass
class Told:
    """The answer of a tool, checked against what the tool says of its answers."""

    result: CallToolResult
    data: dict[str, Any]
    text: str
    links: list[str] = field(default_factory=list[str])

    @property
    def failed(self) -> bool:
        return self.result.is_error


@dataclass
class Desk:
    """A client that is connected."""

    client: Client

    async def call(self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Told:
        """Call a tool; the answer, whatever it is."""
        result = await self.client.call_tool(name, {**(arguments or {}), **more})
        return told(name, result)

    async def good(self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Told:
        """Call a tool that has to succeed."""
        found = await self.call(name, arguments, **more)
        assert not found.failed, found.text
        return found

    async def refused(self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Call a tool that has to refuse; its words."""
        found = await self.call(name, arguments, **more)
        assert found.failed, found
        return found.text

    async def resource(self, uri: str) -> str:
        [content] = (await self.client.read_resource(uri, cache_mode="bypass")).contents
        return getattr(content, "text")  # noqa: B009 - a text resource


def told(name: str, result: CallToolResult) -> Told:
    """The answer, once it is what it has to be: words without a traceback, data as the schema has it."""
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    links = [str(block.uri) for block in result.content if isinstance(block, ResourceLink)]
    assert len(texts) == 1, result
    assert texts[0].strip()
    assert "Traceback" not in texts[0]
    if result.is_error:
        assert result.structured_content is None
        return Told(result, {}, texts[0], links)
    data = cast("dict[str, Any]", result.structured_content)
    jsonschema.validate(data, schema_of(BY_NAME[name].gives))
    BY_NAME[name].gives.model_validate(data)
    assert size(result) <= 32_000, size(result)
    return Told(result, data, texts[0], links)


def size(result: CallToolResult) -> int:
    """Bytes of an answer on the wire."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


def settings_of(**sections: Any) -> Settings:
    return Settings.model_validate({"provider": {"name": "demo"}, "daemon": {"port": 0}, **sections})


@asynccontextmanager
async def in_memory(
    environ: Mapping[str, str],
    *,
    era: str = "2026-07-28",
    inside: LocalSwarm | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncGenerator[Desk]:
    """A client of a server in this process.

    Args:
        inside: the swarm of a daemon that this process then is.
    """
    server = SwarmServer(partial(open_working, environ=environ, inside=inside, clock=clock))
    async with Client(server, mode=era, **options) as client:
        yield Desk(client)


@asynccontextmanager
async def as_daemon(
    home: Path, settings: Settings | None = None, *, environ: Mapping[str, str] | None = None, **options: Any
) -> AsyncGenerator[Desk]:
    """A client of a server in this process, which works on jobs as a daemon does."""
    environ = {"HOME": str(home), **(environ or {})}
    async with (
        open_local(settings or settings_of(), environ) as swarm,
        swarm.working_on_jobs(),
        in_memory(environ, inside=swarm, **options) as desk,
    ):
        yield desk


@asynccontextmanager
async def over_stdio(
    environ: Mapping[str, str], *, era: str = "auto", **options: Any
) -> AsyncGenerator[Desk]:
    """A client of `swarm mcp` as a child process, with only these variables."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "clawswarm.cli.main", "mcp"], env=dict(environ)
    )
    with anyio.fail_after(PATIENCE):
        async with Client(parameters, mode=era, **options) as client:
            yield Desk(client)


@asynccontextmanager
async def over_http(url: str, token: str, *, era: str = "auto", **options: Any) -> AsyncGenerator[Desk]:
    """A client of a daemon's `/mcp`."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        with anyio.fail_after(PATIENCE):
            async with Client(transport, mode=era, **options) as client:
                yield Desk(client)


def bare(home: Path) -> dict[str, str]:
    """What a host leaves of its environment for a server: no keys, and nothing of Python's."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "USER": "somebody", "TERM": "dumb"}


def use_fake(home: Path, fake: FakeOpenAI, more: str = "") -> None:
    """Configure a home for a fake OpenAI, with the key in its file and not in the environment."""
    folder = home / ".config" / "clawdbot"
    folder.mkdir(parents=True, exist_ok=True)
    fake.key = KEY
    key = folder / "openai-key.txt"
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o600)
    provider = f"provider:\n  name: openai\n  model: {MODEL}\n  base_url: {fake.base_url}\n"
    text = f"{provider}limits:\n  max_retries: 0\ndaemon:\n  port: 0\n  grace: 1\n{more}"
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    (folder / "node-scaling.yaml").write_text(f"node_scaling:\n{lines}", encoding="utf-8")
