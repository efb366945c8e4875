"""Whoever subscribed is told of changes, in both eras, whichever process made them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import (
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

from tests.daemon.homes import Home
from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import Gate
from tests.mcp.support import ERAS, Desk, Era, as_daemon, bare, in_memory, over_stdio, use_fake

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

Next = Callable[[], Any]


class Ears:
    """What a client of the handshake era hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.heard.put_nowait(str(message.params.uri))


@asynccontextmanager
async def listening(desk: Desk, ears: Ears, era: Era, *uris: str) -> AsyncGenerator[Next]:
    """Subscribe; the block is given a way to wait for the next resource that has changed."""
    if era == "legacy":
        session = desk.client.session
        for uri in uris:
            wanted = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
            await session.send_request(wanted, EmptyResult)
        yield ears.heard.get
        for uri in uris:
            unwanted = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
            await session.send_request(unwanted, EmptyResult)
        return
    async with desk.client.listen(resource_subscriptions=uris) as subscription:

        async def hear() -> str:
            event = await anext(subscription)
            assert isinstance(event, ResourceUpdated)
            return event.uri

        yield hear


async def test_changes_of_the_board_are_told_to_who_subscribed_to_them(tmp_path: Path, era: Era) -> None:
    ears = Ears()
    async with as_daemon(tmp_path, era=era, message_handler=ears) as desk:
        async with listening(desk, ears, era, "team://state", "team://emergency") as hear:
            await desk.good("team_start", goal="Build it")
            with anyio.fail_after(10):
                first = {await hear(), await hear()}
            assert first == {"team://state", "team://emergency"}
            await desk.good("team_message", role="builder", to="director", content="hi")
            await desk.good("team_checkpoint", trigger="t", summary="s", role="director", phase="execution")
            with anyio.fail_after(10):
                assert await hear() == "team://state"
            assert "2 - Execution" in await desk.resource("team://state")
        while not ears.heard.empty():
            ears.heard.get_nowait()
        async with listening(desk, ears, era, "team://emergency") as hear:
            await desk.good("raise_emergency", role="scout", level=2, text="It changes the state, too")
            with anyio.fail_after(10):
                assert await hear() == "team://emergency"
        assert "team://state" not in [ears.heard.get_nowait() for _ in range(ears.heard.qsize())]


@pytest.mark.slow("it starts processes")
async def test_a_change_that_another_process_made_is_told(home: Home, era: Era) -> None:
    ears = Ears()
    async with (
        over_stdio(bare(home.home), era=era, message_handler=ears) as desk,
        listening(desk, ears, era, "team://decisions", "team://state") as hear,
    ):
        await home.run("team", "open", "Build it")
        assert {await hear(), await hear()} == {"team://state", "team://decisions"}


async def test_a_job_that_goes_on_is_told_here_and_in_the_daemon(tmp_path: Path, era: Era) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        gate = Gate(fake)
        ears = Ears()
        # No daemon can be started on a port that is taken: the work is done here.
        environ = bare(tmp_path) | {"SWARM__DAEMON__PORT": fake.url.rpartition(":")[2]}
        async with in_memory(environ, era=era, message_handler=ears) as desk:
            begun = await desk.good("swarm_parallel", prompts=["a"], wait=0)
            uri = f"swarm://jobs/{begun.data['job_id']}"
            async with listening(desk, ears, era, uri) as hear:
                gate.open()
                with anyio.fail_after(10):
                    assert await hear() == uri
            done = await desk.good("swarm_job", job_id=begun.data["job_id"])
            assert done.data["status"] == "complete"


async def test_what_does_not_exist_may_be_subscribed_to_and_stays_silent(tmp_path: Path, era: Era) -> None:
    ears = Ears()
    async with (
        as_daemon(tmp_path, era=era, message_handler=ears) as desk,
        listening(desk, ears, era, "team://nothing", "swarm://jobs/job-x", "team://state") as hear,
    ):
        await desk.good("team_start", goal="Build it")
        with anyio.fail_after(10):
            assert await hear() == "team://state"
