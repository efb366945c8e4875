"""Two hundred that listen at once: no error, nobody sees another's events, memory stays as it is."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import anyio
import pytest

from tests.daemon.homes import DEMO, Home, a_home

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

CLIENTS = 200
PROMPTS = 4
ROUNDS = 2
MIB = 1024 * 1024


@dataclass
class Heard:
    """What all clients heard."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    foreign: list[str] = field(default_factory=list[str])


async def listen(client: aiohttp.ClientSession, number: int, heard: Heard) -> None:
    for batch in range(ROUNDS):
        mark = f"client-{number}-batch-{batch}"
        body = {"prompts": [f"{mark} {index}" for index in range(PROMPTS)], "model": "demo-5ms"}
        places: list[int] = []
        async with client.post("/parallel", json=body) as answer:
            assert answer.status == 200
            async for line in answer.content:
                event = json.loads(line)
                heard.kinds[event["event"]] += 1
                if event["event"] == "progress":
                    places.append(event["index"])
                    if mark not in event["task"]["text"]:
                        heard.foreign.append(event["task"]["text"])
                elif event["event"] == "complete":
                    assert event["stats"]["successful"] == PROMPTS
                    heard.foreign += [text for text in event["results"] if mark not in text]
        assert sorted(places) == list(range(PROMPTS))


def resident(home: Home) -> float:
    """MiB that the daemon's process has in memory; 0 where the system does not tell."""
    path = Path(f"/proc/{home.presence.pid}/statm")
    pages = int(path.read_text(encoding="ascii").split()[1]) if path.exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


async def round_of(client: aiohttp.ClientSession) -> Heard:
    heard = Heard()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for number in range(CLIENTS):
                group.start_soon(listen, client, number, heard)
    return heard


async def test_two_hundred_streams_keep_apart(tmp_path: Path) -> None:
    configuration = DEMO + "limits:\n  max_nodes: 200\n  max_concurrent_api: 200\ncache:\n  enabled: false\n"
    async with a_home(tmp_path / "home", configuration) as home:
        await home.launch()
        connector = aiohttp.TCPConnector(limit=0)
        headers = {"Authorization": f"Bearer {home.token}"}
        async with aiohttp.ClientSession(home.presence.url, connector=connector, headers=headers) as client:
            heard = await round_of(client)
            batches = CLIENTS * ROUNDS
            assert heard.foreign == []
            assert heard.kinds == {"start": batches, "progress": batches * PROMPTS, "complete": batches}
            before = resident(home)
            await round_of(client)
            assert resident(home) - before < 8
        found = await home.ask("GET", "/status")
        assert (found["streams"], found["workers_busy"], found["failed"]) == (0, 0, 0)
        assert found["tasks"] % (batches * PROMPTS) == 0
        assert not [line for line in home.log() if '"error"' in line or "traceback" in line]
