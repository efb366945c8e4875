"""Real clients, over stdio and over HTTP, in both eras: list, call every tool, follow, subscribe, cancel."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.daemon.homes import Home
from tests.fakes.openai import FakeOpenAI
from tests.fakes.search import FakeSearXNG
from tests.jobs.support import Gate
from tests.mcp.support import ERAS, Desk, Era, bare, over_http, over_stdio, told, use_fake
from tests.mcp.test_catalog import NAMES
from tests.mcp.test_changes import Ears, listening

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow("it starts processes"),
    pytest.mark.parametrize("transport", ["stdio", "http"]),
    pytest.mark.parametrize("era", ERAS),
]


NEGOTIATED = {"legacy": "legacy", "2026-07-28": "auto"}
"""How a client comes to speak it: it asks the server first, or shakes hands."""


@asynccontextmanager
async def connected(home: Home, transport: str, era: Era, ears: Ears) -> AsyncGenerator[Desk]:
    """A client of a server that is another process."""
    if transport == "stdio":
        async with over_stdio(bare(home.home), era=NEGOTIATED[era], message_handler=ears) as desk:
            yield desk
        return
    presence = (await home.launch()).presence
    async with over_http(presence.url, home.token, era=NEGOTIATED[era], message_handler=ears) as desk:
        yield desk


async def test_a_whole_session(home: Home, transport: str, era: Era) -> None:
    async with FakeOpenAI() as fake, FakeSearXNG() as search:
        use_fake(home.home, fake, f"research:\n  search: searxng\n  searxng_url: {search.url}\n")
        gate = Gate(fake, ["slow", "never"])
        ears = Ears()
        async with connected(home, transport, era, ears) as desk:
            client = desk.client
            assert client.protocol_version == ("2025-11-25" if era == "legacy" else era)
            assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe

            # Work: a batch with progress, a job that is followed, one that the client calls off.
            steps: list[float] = []

            async def tell(progress: float, total: float | None, message: str | None) -> None:
                assert total == 2
                assert message
                steps.append(progress)

            asked = {"prompts": ["one", "two"]}
            quick = told(
                "swarm_parallel", await client.call_tool("swarm_parallel", asked, progress_callback=tell)
            )
            assert [row["text"] for row in quick.data["results"]] == ["echo: one", "echo: two"]
            assert steps == sorted(set(steps))
            assert steps[-1:] == [2]
            begun = await desk.good("swarm_parallel", prompts=["slow"], wait=0)
            uri = f"swarm://jobs/{begun.data['job_id']}"
            async with listening(desk, ears, era, uri) as hear:
                gate.open("slow")
                assert await hear() == uri
            done = await desk.good("swarm_job", job_id=begun.data["job_id"])
            assert done.data["status"] == "complete"
            assert json.loads(await desk.resource(uri))["tasks"][0]["text"] == "echo: slow"
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: desk.call("swarm_parallel", prompts=["never"]))
                await fake.wait_in_flight(1, timeout=15)
                group.cancel_scope.cancel()
            await fake.wait_left(1, timeout=15)
            found = await desk.good("swarm_research", subjects=["A"], depth="quick")
            assert found.data["results"][0]["subject"] == "A"
            assert found.data["results"][0]["error"]["code"] == "nothing_found"

            # The team: every tool once, and a change that is heard of.
            async with listening(desk, ears, era, "team://state") as hear:
                run = (await desk.good("team_start", goal="Build it")).data["run"]
                assert await hear() == "team://state"
            assert (await desk.good("team_status", role="scout")).data["run"]["id"] == run
            await desk.good("team_message", role="builder", to="ALL", content="ready")
            taken = await desk.good("team_checkpoint", trigger="ready", summary="all set")
            voted = await desk.good(
                "cast_vote", role="scout", topic="Go?", options=["yes", "no"], vote="yes", voters=["scout"]
            )
            assert voted.data["converged"]
            raised = await desk.good("raise_emergency", role="scout", level=3, text="Stop")
            assert raised.data["directive"] == "pause"
            await desk.good("team_control", action="answer", emergency=raised.data["id"], reason="go on")
            assert "all set" in await desk.resource(f"team://checkpoints/{taken.data['id']}")

            # What is wrong is told by the tool.
            assert "there is no tool" in await desk.refused("swarm_nonsense")
            assert "'prompts' is missing" in await desk.refused("swarm_parallel")
            listed = await client.list_resource_templates()
            assert [each.uri_template for each in listed.resource_templates] == [
                "team://checkpoints/{id}",
                "swarm://jobs/{id}",
            ]
            assert len((await client.list_resources()).resources) == 4
            prompts = (await client.list_prompts()).prompts
            assert [prompt.name for prompt in prompts] == [
                "overnight_run",
                "parallel_research",
                "review_meeting",
            ]
            [message] = (await client.get_prompt("review_meeting", {"subject": "the login"})).messages
            assert "about: the login" in message.content.model_dump()["text"]
