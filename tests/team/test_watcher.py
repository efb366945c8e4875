"""The watcher: files follow the board, deadlines are kept, humans are called, and one trouble stays one."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.team import Alerts, Team
from clawswarm.team.agents import report
from clawswarm.team.changes import QUIET_MS, FileChanges
from clawswarm.team.rules.guards import Machine
from clawswarm.team.voting import propose, vote
from clawswarm.team.watcher import SWEEP_SECONDS, watch_team
from clawswarm.types.meetings import Proposal
from clawswarm.types.team import Role
from tests.clock import FakeClock
from tests.store.places import open_folder, unprivileged
from tests.team.homes import EMERGENCY, Home, open_home
from tests.team.hooks import Hook

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


class Bell:
    """Changes that a test tells of."""

    def __init__(self) -> None:
        self._rung = anyio.Event()
        self.failures: list[Exception] = []

    def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        await self._rung.wait()
        self._rung = anyio.Event()


@pytest.fixture
def home(tmp_path: Path, clock: FakeClock) -> Generator[Home]:
    with open_home(tmp_path, clock, run=None) as home:
        home.open(channels=("file", "webhook"))
        yield home


@asynccontextmanager
async def watched(
    home: Home, *, webhook: str | None = None, machine: Callable[[], Machine | None] = lambda: None
) -> AsyncGenerator[Bell]:
    """A watcher at work, with a bell in the place of the file system."""
    bell = Bell()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: work(home, webhook=webhook, changes=[bell], machine=machine))
        yield bell
        group.cancel_scope.cancel()


async def work(
    home: Home,
    *,
    webhook: str | None = None,
    changes: Sequence[Bell | FileChanges] | None = None,
    machine: Callable[[], Machine | None] = lambda: None,
) -> None:
    settings = Settings(team=Team(alerts=Alerts(webhook=webhook, desktop=False)))
    await watch_team(
        home.board, settings, home.paths, {"PATH": ""}, home.clock, changes=changes, machine=machine
    )


def says(home: Home, task: str) -> None:
    home.did("builder", lambda draft: report(draft, role=Role.BUILDER, task=task, status="working"))


async def test_files_are_there_from_the_start_and_follow_the_board(home: Home, clock: FakeClock) -> None:
    async with watched(home) as bell:
        await clock.step(0.5)
        assert home.found() == home.views()
        says(home, "the parser")
        bell.ring()
        await clock.step(0.5)
        assert b"the parser" in home.found()["team-state.md"]


async def test_where_nobody_tells_of_changes_they_are_found_after_a_while(
    home: Home, clock: FakeClock
) -> None:
    async with Hook() as hook, watched(home, webhook=hook.url):
        await clock.step(0.5)
        home.emergency()
        await clock.step(SWEEP_SECONDS + 1)
        assert home.found() == home.views()
        assert len(hook.accepted) == 1


async def test_a_burst_of_changes_is_one_round(home: Home, clock: FakeClock) -> None:
    async with watched(home) as bell:
        await clock.step(0.5)
        says(home, "one")
        bell.ring()
        await clock.step(0.01)
        first = (home.memory / "team-state.md").stat().st_ino
        for word in ("two", "three"):
            says(home, word)
            bell.ring()
        await clock.step(0.05)
        assert (home.memory / "team-state.md").stat().st_ino == first
        await clock.step(0.1)
        assert b"three" in home.found()["team-state.md"]


async def test_emergency_md_is_taken_in_as_soon_as_it_is_whole(home: Home, clock: FakeClock) -> None:
    async with watched(home) as bell:
        await clock.step(0.5)
        home.write_emergency("it burns, level 3", age=0)
        bell.ring()
        await clock.step(0.15)
        assert home.emergencies() == []
        await clock.step(0.2)
        assert [emergency.text for emergency in home.emergencies()] == ["it burns, level 3"]
        assert len(list(home.paths.alerts.glob("ALERT-*"))) == 1
        assert home.kept() == [b"it burns, level 3"]


async def test_without_a_run_an_emergency_is_told_once_and_waits(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with open_home(tmp_path, clock, run=None) as home:
        home.write_emergency("it burns")
        async with watched(home) as bell:
            await clock.step(1)
            bell.ring()
            await clock.step(SWEEP_SECONDS + 1)
            assert [record.message for record in caplog.records] == [
                "emergency.md holds an emergency, and no run is open: the next one takes it in"
            ]
            home.open()
            bell.ring()
            await clock.step(1)
            assert [emergency.text for emergency in home.emergencies()] == ["it burns"]


async def test_a_round_closes_at_its_deadline_without_anybody_asking(home: Home, clock: FakeClock) -> None:
    options = ("REST", "GraphQL")
    asked = home.did("director", lambda draft: propose(draft, topic="API?", options=options, minutes=10))
    home.did("scout", lambda draft: vote(draft, proposal=asked.id, role=Role.SCOUT, option="REST"))
    async with watched(home):
        await clock.step(599)
        assert proposal(home, asked.id).rounds == ()
        before = len(home.board.journal())
        await clock.step(2)
        assert proposal(home, asked.id).decision is not None
        after = len(home.board.journal())
        assert after > before
        await clock.step(600)
        assert len(home.board.journal()) == after


async def test_a_proposal_opened_meanwhile_is_heard_of(home: Home, clock: FakeClock) -> None:
    async with watched(home) as bell:
        await clock.step(100)
        asked = home.did("director", lambda draft: propose(draft, topic="?", options=("a", "b"), minutes=1))
        home.did("scout", lambda draft: vote(draft, proposal=asked.id, role=Role.SCOUT, option="a"))
        bell.ring()
        await clock.step(61)
        assert proposal(home, asked.id).decision is not None


def proposal(home: Home, id_: str) -> Proposal:
    with home.board.reading() as (_, stored):
        found = stored.get(Proposal, id_)
    assert found is not None
    return found


async def test_the_guards_look_at_the_machine_every_half_minute(home: Home, clock: FakeClock) -> None:
    memory = 50.0
    async with watched(home, machine=lambda: Machine(memory_percent=memory)):
        await clock.step(SWEEP_SECONDS - 1)
        assert home.emergencies() == []
        memory = 97.0
        await clock.step(2)
        assert [emergency.cause for emergency in home.emergencies()] == ["resource"]
        await clock.step(10 * SWEEP_SECONDS)
        assert len(home.emergencies()) == 1


async def test_a_webhook_that_refuses_three_times_is_told_once_more(home: Home, clock: FakeClock) -> None:
    async with Hook(refusals=3) as hook, watched(home, webhook=hook.url) as bell:
        await clock.step(1)
        home.emergency()
        bell.ring()
        await clock.step(10)
        assert [heard.status for heard in hook.heard] == [503, 503, 503, 200]
        assert len({heard.key for heard in hook.heard}) == 1
        (alert,) = home.alerts()
        assert not alert.open
        assert alert.told
        bell.ring()
        await clock.step(1)
        assert len(hook.heard) == 4
        assert b"Human: told" in home.found()[EMERGENCY]


async def test_another_process_delivers_and_this_one_takes_over_when_it_ends(
    home: Home, clock: FakeClock
) -> None:
    lock = os.open(home.memory / ".courier.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    home.emergency()
    async with Hook() as hook, watched(home, webhook=hook.url):
        await clock.step(20)
        assert hook.heard == []
        os.close(lock)
        await clock.step(5)
        assert len(hook.heard) == 1


async def test_a_read_only_directory_is_told_once_and_does_not_end_the_rest(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with open_folder() as folder, open_home(folder, clock, run=None) as home:
        home.open(channels=("file", "webhook"))
        home.publish()
        home.emergency()
        home.paths.alerts.mkdir(exist_ok=True)
        home.paths.alerts.chmod(0o777)
        (home.memory / ".courier.lock").touch()
        for path in home.memory.iterdir():
            path.chmod(0o777 if path.is_dir() else 0o666)
        home.memory.chmod(0o555)
        async with Hook() as hook:
            with unprivileged():
                async with watched(home, webhook=hook.url):
                    await clock.step(60)
            assert len(hook.accepted) == 1
        assert len(list(home.paths.alerts.glob("ALERT-*"))) == 1
        told = [record.message for record in caplog.records]
        assert len(told) == len(set(told)) == 1
        assert "team, files: the state directory" in told[0]
        assert "cannot be written" in told[0]
        home.memory.chmod(0o700)
        async with watched(home):
            await clock.step(1)
        assert home.found() == home.views()


async def test_a_source_that_fails_is_told_once_and_asked_again(
    home: Home, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched(home) as bell:
        bell.failures = [OSError("no more watches"), OSError("no more watches")]
        bell.ring()
        await clock.step(11)
        says(home, "the parser")
        bell.ring()
        await clock.step(1)
        assert b"the parser" in home.found()["team-state.md"]
    assert [record.message for record in caplog.records] == ["team, Bell: OSError: no more watches"]


# With the file system's own news, and a real clock.


CHILD = """
import sys
from pathlib import Path
from clawswarm.clock import SystemClock
from clawswarm.team.agents import report
from clawswarm.types.team import Role
from tests.team.homes import open_home
with open_home(Path(sys.argv[1]), SystemClock(), run=None) as home:
    home.did("builder", lambda draft: report(draft, role=Role.BUILDER, task="from another process"))
"""


async def until(folder: Path, condition: Callable[[], bool]) -> None:
    """Wait for a condition on what lies in the folder."""
    with anyio.fail_after(10):
        async for _ in awatch(folder, step=10, debounce=50, rust_timeout=100, yield_on_timeout=True):
            if condition():
                return


async def tell_after_quiet(folder: Path, quiet: anyio.Event) -> None:
    """Tell of anything in the folder, after more quiet than those wait for who watch it."""
    async for _ in awatch(folder, step=5 * QUIET_MS):
        quiet.set()
        return


async def test_changes_by_any_process_and_files_by_hand_are_seen_without_asking(tmp_path: Path) -> None:
    with open_home(tmp_path, SystemClock()) as home:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: work(home))
            await until(home.memory, lambda: home.found() == home.views())
            command = [sys.executable, "-c", CHILD, str(tmp_path)]
            environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "skill")])}
            await anyio.run_process(command, env=environ, stderr=subprocess.PIPE)
            await until(home.memory, lambda: b"from another process" in home.found()["team-state.md"])
            (home.memory / EMERGENCY).write_text("it burns")
            await until(home.memory, lambda: [each.text for each in home.emergencies()] == ["it burns"])
            await until(home.memory, lambda: home.found() == home.views())
            assert home.kept() == [b"it burns"]
            group.cancel_scope.cancel()


async def test_who_watches_is_not_woken_by_what_they_write(tmp_path: Path) -> None:
    with open_home(tmp_path, SystemClock()) as home:
        home.publish()
        changes = FileChanges(home.memory)
        heard = 0

        async def listen() -> None:
            nonlocal heard
            while True:
                await changes.wait()
                heard += 1

        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await anyio.wait_all_tasks_blocked()
            quiet = anyio.Event()
            group.start_soon(tell_after_quiet, home.memory, quiet)
            await anyio.wait_all_tasks_blocked()
            (home.memory / "team-state.md").unlink()
            assert home.publish().written == ("team-state.md",)
            (home.memory / "notes.md").write_text("not ours")
            with anyio.fail_after(10):
                await quiet.wait()
            assert heard == 0
            home.write_emergency("it burns", age=0)
            await until(home.memory, lambda: heard == 1)
            group.cancel_scope.cancel()
