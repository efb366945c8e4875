"""kill -9 between any two writes: no half file, no lost event, one alert a cause, each told by one name."""

import json
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from clawswarm.clock import SystemClock
from clawswarm.team.alert_channel import Call
from clawswarm.team.alert_file import alert_name
from clawswarm.team.documents import KINDS, Replayed, as_json
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.types.meetings import Checkpoint
from tests.team.homes import Home, open_home
from tests.team.hooks import Hook
from tests.team.mortal import checkpoint_and_emergency

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts processes and kills them"),
    pytest.mark.timeout(180),
]

ROOT = Path(__file__).parents[2]
BY_HAND = "FROM: Builder\n\n### Content\nthe tests hang\n"
ROUNDS = 40


class Mortals:
    """Starts processes of `tests.team.mortal`, one at a time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin
        assert process.stdout
        self._stdin = process.stdin
        self._answers = BufferedByteReceiveStream(process.stdout)

    async def start(self, command: str, home: Path, *arguments: str | int) -> int:
        """Start one; returns its process id."""
        await self._stdin.send(json.dumps([command, str(home), *arguments]).encode() + b"\n")
        return await self._answer()

    async def end(self) -> int:
        """Wait until it has ended; returns its exit code, negative for a signal."""
        return await self._answer()

    async def _answer(self) -> int:
        return int(await self._answers.receive_until(b"\n", 100))


@asynccontextmanager
async def mortals() -> AsyncGenerator[Mortals]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "skill")])}
    command = [sys.executable, "-m", "tests.team.mortal"]
    async with await anyio.open_process(command, env=environ, cwd=ROOT, stderr=None) as process:
        try:
            yield Mortals(process)
        finally:
            process.kill()


def faults(home: Home) -> list[str]:
    """What is wrong with the files and the board, after somebody has published."""
    found: list[str] = []
    events = home.board.journal()
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        found.append("the journal has gaps")
    with home.board.reading() as (head, stored):
        lying = {(kind.KIND, each.id): as_json(each) for kind in KINDS for each in stored.all(kind)}
        checkpoints = stored.all(Checkpoint)
    if Replayed(events).bodies() != lying or head.seq != len(events):
        found.append("the board is not what its journal says")
    if home.found() != home.views():
        found.append("a view is not what the board says")
    pages = {f"{head.run}-{each.id}.md": checkpoint_page(each).encode() for each in checkpoints}
    if content(home.memory / "checkpoints") != pages:
        found.append("a checkpoint's page is missing, or half")
    alerts = {alert_name(Call(head.run, alert, "manual")): alert for alert in home.alerts()}
    written = content(home.paths.alerts)
    if written.keys() != alerts.keys():
        found.append("not one file an alert")
    for name, alert in alerts.items():
        text = written.get(name, b"").decode()
        if not (alert.body in text and text.endswith("Z\n")):
            found.append(f"{name} is half")
    if len({alert.emergency for alert in alerts.values()}) != len(alerts):
        found.append("an emergency has two alerts")
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Files that a reader sees."""
    if not folder.exists():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


async def test_before_every_single_write(tmp_path: Path) -> None:
    template = tmp_path / "template"
    with open_home(template, SystemClock()) as home:
        home.publish()
        home.write_emergency(BY_HAND)
    deaths = 0
    async with mortals() as processes:
        while True:
            place = tmp_path / "home"
            shutil.copytree(template, place)
            await processes.start("steps", place, deaths + 1)
            ended = await processes.end()
            with open_home(place, SystemClock(), run=None) as home:
                home.publish()
                assert faults(home) == [], f"killed before write {deaths + 1}"
                before = len(home.board.journal())
                checkpoint_and_emergency(home)
                assert faults(home) == [], f"killed before write {deaths + 1}, and went on"
                texts = sorted(emergency.text for emergency in home.emergencies())
                assert texts == ["the disk is on fire", "the tests hang"]
                assert home.kept() == [BY_HAND.encode()]
                assert len(home.alerts()) == 1
                assert len(home.events("checkpoint_taken")) == 1
                if ended == 0:
                    assert len(home.board.journal()) == before
                    break
            assert ended == -signal.SIGKILL
            shutil.rmtree(place)
            deaths += 1
    print("died before", deaths, "writes")  # noqa: T201
    assert deaths > 30


async def test_at_random_moments_while_a_webhook_refuses_three_times(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201 - shown when it fails
    chance = random.Random(seed)
    with open_home(tmp_path, SystemClock(), run=None) as home:
        home.open(channels=("file", "webhook"))
    async with Hook(refusals=3) as hook, mortals() as processes:
        for number in range(ROUNDS):
            pid = await processes.start("live", tmp_path, hook.url, seed + number)
            await anyio.sleep(0.05 + chance.random() * 0.35)
            os.kill(pid, signal.SIGKILL)
            assert await processes.end() == -signal.SIGKILL
        await processes.start("drain", tmp_path, hook.url)
        assert await processes.end() == 0
    with open_home(tmp_path, SystemClock(), run=None) as home:
        home.publish()
        assert faults(home) == []
        alerts = home.alerts()
        assert len(alerts) >= 5
        assert {heard.key for heard in hook.accepted} == {f"r1/{alert.id}" for alert in alerts}
        assert all(alert.told and not alert.open for alert in alerts)
        by_hand = [each.text for each in home.emergencies() if each.text.startswith("by hand")]
        assert len(by_hand) == len(set(by_hand))
        receipts = Counter(event.subject for event in home.events("alert_received"))
        assert set(receipts.values()) == {2}  # the file's, and the webhook's
    print(len(alerts), "alerts, accepted again after a kill:", len(hook.accepted) - len(alerts))  # noqa: T201
