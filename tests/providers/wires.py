"""Every provider on its fake: one adapter, or a whole swarm, opened over real loopback HTTP."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from clawswarm.access.swarm import Swarm
from clawswarm.clock import Clock, SystemClock
from clawswarm.config.model import Cache, Limits, Provider, ProviderName, Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import TaskError
from clawswarm.providers.base import Answer
from clawswarm.providers.http import Http, open_http
from clawswarm.providers.registry import Backend, Chosen, Surroundings, choose
from clawswarm.types.result import Reply, TaskResult
from clawswarm.types.task import Task, Tool
from tests.clock import FakeClock
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.gemini import FakeGemini
from tests.fakes.ollama import FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai_rules import Flavour
from tests.fakes.server import FakeServer

KEY = "test-key"
KEYS = {f"{name}_API_KEY": KEY for name in ("GEMINI", "GROQ", "OPENAI", "ANTHROPIC", "OPENAI_COMPATIBLE")}
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["n", "tags"],
    "additionalProperties": False,
}
OPEN: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
WEATHER = Tool(
    name="weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@dataclass(frozen=True)
class Wire:
    """One provider with the fake that plays it.

    Attributes:
        cheap: whether its calls cost nothing on loopback.
    """

    id: str
    name: ProviderName
    model: str
    make: Callable[..., FakeServer]
    cheap: bool = False


def _local(**options: Any) -> FakeServer:
    options.setdefault("key", None)
    return FakeOpenAI("local", **options)


def _ollama(**options: Any) -> FakeServer:
    options.pop("echo_key", None)
    return FakeOllama(**options)


def _flavour(flavour: Flavour) -> Callable[..., FakeServer]:
    return partial(FakeOpenAI, flavour)


OPENAI = Wire("openai", "openai", "gpt-6-luna", _flavour("openai"))
GROQ = Wire("groq", "groq", "openai/gpt-oss-120b", _flavour("groq"))
OPENROUTER = Wire(
    "openrouter",
    "openai-compatible",
    "openai/gpt-oss-120b",
    _flavour("openrouter"),
    cheap=True,
)
LOCAL = Wire("local", "openai-compatible", "local-model", _local, cheap=True)
GEMINI = Wire("gemini", "gemini", "gemini-3.5-flash-lite", FakeGemini)
ANTHROPIC = Wire("anthropic", "anthropic", "claude-haiku-5-5", FakeAnthropic)
OLLAMA = Wire("ollama", "ollama", "qwen3:32b", _ollama, cheap=True)

CHAT = (OPENAI, GROQ, OPENROUTER, LOCAL)
WIRES = (*CHAT, GEMINI, ANTHROPIC, OLLAMA)
KEYED = (OPENAI, GROQ, OPENROUTER, GEMINI, ANTHROPIC)

every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.id)
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@dataclass
class Line:
    """An open adapter and the fake behind it."""

    fake: FakeServer
    backend: Backend
    chosen: Chosen
    http: Http

    async def answer(self, task: Task | str, model: str | None = None) -> Answer:
        task = Task(prompt=task) if isinstance(task, str) else task
        return await self.backend.connections[0].provider.complete(task, model=model or self.backend.model)

    async def ask(self, task: Task | str, model: str | None = None) -> Reply:
        return (await self.answer(task, model)).reply

    async def refused(self, task: Task | str = "hi", model: str | None = None) -> TaskError:
        """The error that a call ends with."""
        with pytest.raises(TaskError) as caught:
            await self.answer(task, model)
        return caught.value

    @property
    def body(self) -> dict[str, Any]:
        """The body of the latest call as it arrived."""
        return self.fake.calls[-1].json


def base_url(fake: FakeServer) -> str:
    """What a user would configure for the fake."""
    return fake.url if isinstance(fake, FakeGemini | FakeAnthropic | FakeOllama) else fake.base_url


def settings_for(wire: Wire, fake: FakeServer, **service: Any) -> Settings:
    fields: dict[str, Any] = {
        "name": wire.name,
        "model": wire.model,
        "base_url": base_url(fake),
        **service,
    }
    return Settings(provider=Provider(**fields))


def surroundings(
    http: Http, environ: Mapping[str, str] | None = None, clock: Clock | None = None
) -> Surroundings:
    environ = {"HOME": os.environ["HOME"], **(KEYS if environ is None else environ)}
    return Surroundings(environ=environ, paths=Paths.of(environ), http=http, clock=clock or SystemClock())


@asynccontextmanager
async def opened(
    wire: Wire,
    *,
    fake: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **service: Any,
) -> AsyncGenerator[Line]:
    """One adapter on its fake. `fake` are options of the fake, `service` keys of the configuration."""
    async with open_http({}) as http, wire.make(**(fake or {})) as server:
        chosen = await choose(settings_for(wire, server, **service), surroundings(http, environ, clock))
        yield Line(server, chosen.backends[0], chosen, http)


@asynccontextmanager
async def swarm_on(
    wire: Wire,
    fake: FakeServer,
    *,
    limits: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **service: Any,
) -> AsyncGenerator[Swarm]:
    """A whole swarm on a fake that is served already; no retries, breaker or cache unless asked for."""
    settings = settings_for(wire, fake, **service).model_copy(
        update={
            "limits": Limits(**{"max_retries": 0, "breaker_failures": 1000, **(limits or {})}),
            "cache": Cache(enabled=False),
        }
    )
    environ = {"HOME": os.environ["HOME"], **(KEYS if environ is None else environ)}
    async with Swarm(settings=settings, environ=environ, clock=clock) as swarm:
        yield swarm


@asynccontextmanager
async def hurried(wire: Wire) -> AsyncGenerator[Clock]:
    """A clock on which waits take no time. Claude's SDK works in threads of its own, which such a clock
    would not wait for: there it is the real one."""
    if wire is ANTHROPIC:
        yield SystemClock()
        return
    clock = FakeClock()
    async with clock.auto():
        yield clock


async def one(swarm: Swarm, task: Task | str = "hi") -> TaskResult:
    """The result of a single task."""
    return (await swarm.parallel([task])).tasks[0]
