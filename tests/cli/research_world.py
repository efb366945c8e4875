"""A small world for research: a search service, a website and a model on loopback, and who uses them."""

import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from clawswarm.access.presence import look, wait_gone
from clawswarm.config.paths import Paths
from tests.cli.shell import Ran, Shell
from tests.fakes.behaviours import Behaviour, Say
from tests.fakes.openai import FakeOpenAI
from tests.fakes.search import FakeSearXNG, Result
from tests.fakes.site import FakeSite, article
from tests.fakes.wire import Seen

NAMES = ("OpenAI", "Anthropic", "Mistral")
FACT = "The {name} ferry was built in 1987 by people who know."


def prompt_of(seen: Seen) -> str:
    return seen.json["messages"][-1]["content"]


def analysis(name: str, **more: str) -> Say:
    """A report with a claim whose quote is on the page, and one whose quote is not."""
    claims = [
        {"text": f"{name}: 1987.", "quote": FACT.format(name=name), "source": 1},
        {"text": f"{name}: big.", "quote": "never said by anybody anywhere", "source": 1},
    ]
    found = {"summary": f"About {name}.", "claims": claims, "not_found": ["the price"]}
    return Say(text=json.dumps(found | more))


def answers(seen: Seen) -> Behaviour:
    """A report about the one subject of the pages; a comparison of more."""
    prompt = prompt_of(seen)
    for name in NAMES:
        if prompt.startswith(f"Subject: {name}\n"):
            return analysis(name)
    return Say(text="They differ.")


@dataclass
class World:
    """Where each subject has one page, and a shell that knows no other places."""

    shell: Shell
    model: FakeOpenAI
    search: FakeSearXNG
    site: FakeSite

    async def run(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        return await self.shell.run("research", *arguments, stdin=stdin)

    def fails_for(self, name: str, behaviour: Behaviour) -> None:
        """Let the model do something else about one subject."""

        def respond(seen: Seen) -> Behaviour:
            return behaviour if f"Subject: {name}\n" in prompt_of(seen) else answers(seen)

        self.model.respond = respond


@asynccontextmanager
async def open_world(shell: Shell) -> AsyncGenerator[World]:
    """The world; a daemon that the shell has started is dead at the end."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(FakeOpenAI())
        search = await stack.enter_async_context(FakeSearXNG())
        site = await stack.enter_async_context(FakeSite())
        shell.use(model)
        model.respond = answers
        for name in NAMES:
            url = site.page(f"/{name}", article(f"All about {name}", FACT.format(name=name)))
            search.answers[name] = [Result(f"{name} found", url)]
        shell.environ |= {
            "SWARM__RESEARCH__SEARCH": "searxng",
            "SWARM__RESEARCH__SEARXNG_URL": search.url,
            "SWARM__RESEARCH__ALLOW_LOOPBACK": "true",
            "SWARM__LIMITS__MAX_RETRIES": "0",
            "SWARM__DAEMON__PORT": "0",
        }
        yield World(shell, model, search, site)
        await kill_daemon(shell)


async def kill_daemon(shell: Shell) -> None:
    """SIGKILL, where the shell has started one."""
    paths = Paths.of(shell.environment())
    if (presence := look(paths)) is not None:
        os.kill(presence.pid, signal.SIGKILL)
        await anyio.to_thread.run_sync(wait_gone, paths)
