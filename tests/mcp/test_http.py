"""`/mcp` of the daemon: behind the same door as everything else, built when needed, gone when it stops."""

from collections.abc import AsyncGenerator

import anyio
import pytest

from tests.daemon.homes import Home
from tests.daemon.served import Served, serve
from tests.mcp.support import ERAS, Desk, Era, over_http, settings_of
from tests.mcp.test_changes import Ears, listening

pytestmark = pytest.mark.anyio

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
async def served() -> AsyncGenerator[Served]:
    async with serve(settings_of()) as served:
        yield served


async def test_the_door_is_the_daemons(served: Served) -> None:
    nobody = {**ACCEPT, "Authorization": "Bearer wrong"}
    assert (await served.ask("POST", "/mcp", INITIALIZE, headers=nobody)).code == "unauthorized"
    elsewhere = {**ACCEPT, "Host": "evil.example"}
    assert (await served.ask("POST", "/mcp", INITIALIZE, headers=elsewhere)).code == "foreign_host"
    page = {**ACCEPT, "Origin": "http://evil.example"}
    assert (await served.ask("POST", "/mcp", INITIALIZE, headers=page)).code == "foreign_origin"
    welcome = await served.ask("POST", "/mcp", INITIALIZE, headers=ACCEPT)
    assert welcome.status == 200
    assert b'"serverInfo":{"name":"swarm"' in welcome.body
    assert "access-control-allow-origin" not in {name.lower() for name in welcome.headers}


async def test_many_clients_share_it(served: Served) -> None:
    url, token = f"http://127.0.0.1:{served.port}", served.client.headers["Authorization"].split()[1]

    async def use(era: Era, number: int) -> None:
        async with over_http(url, token, era=era) as desk:
            found = await desk.good("swarm_parallel", prompts=[f"{era} {number}"])
            assert f"{era} {number}" in found.data["results"][0]["text"]
            assert found.data["job_id"].startswith("job-")

    async with anyio.create_task_group() as group:
        for number in range(4):
            for era in ERAS:
                group.start_soon(use, era, number)


@pytest.mark.slow("it starts a real daemon")
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_only_listens_does_not_hold_up_the_end(home: Home, era: Era) -> None:
    home.configure("provider:\n  name: demo\ndaemon:\n  port: 0\n  grace: 20\n")
    presence = (await home.launch()).presence
    ears = Ears()
    async with (
        over_http(presence.url, home.token, era=era, message_handler=ears) as desk,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_listen, desk, ears, era, held := anyio.Event())
        await held.wait()
        with anyio.fail_after(10):
            stopped = await home.run("stop")
        assert stopped.status == 0, stopped.err
        group.cancel_scope.cancel()


async def _listen(desk: Desk, ears: Ears, era: Era, held: anyio.Event) -> None:
    async with listening(desk, ears, era, "team://state"):
        held.set()
        await anyio.sleep_forever()
