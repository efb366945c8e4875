"""The lock that says whether a daemon runs: held by real processes, killed, looked at all the time."""

import os
import signal
import sys
import textwrap
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from clawswarm.access.presence import LARGEST, Presence, lock_file, look, take_seat, wait_gone
from clawswarm.config.paths import Paths
from clawswarm.errors import DaemonError, StoreError

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

PRESENCE = Presence(pid=4711, port=9999, version="1.2.3", started=5.5, workers=7, settings="abc")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of({"HOME": str(tmp_path)})


@dataclass
class Holder:
    """A process that takes the seat when it is told to, and prints what came of it."""

    process: Process

    async def tell(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        await self.process.stdin.send(line.encode() + b"\n")
        with anyio.fail_after(10):
            return (await self.process.stdout.receive()).decode().strip()


@asynccontextmanager
async def holder(paths: Paths) -> AsyncGenerator[Holder]:
    code = textwrap.dedent("""
        import os, sys
        from contextlib import ExitStack
        from clawswarm.access.presence import Presence, take_seat
        from clawswarm.config.paths import Paths
        from clawswarm.errors import DaemonError
        stack = ExitStack()
        for line in sys.stdin:
            if line.strip() == "take":
                try:
                    seat = stack.enter_context(take_seat(Paths.of(os.environ)))
                    print("taken", flush=True)
                except DaemonError as error:
                    print(error.message, flush=True)
            elif line.strip() == "announce":
                seat.announce(Presence(
                    pid=os.getpid(), port=1234, version="1", started=0, workers=1, settings=""))
                print("announced", flush=True)
            else:
                stack.close()
                print("left", flush=True)
    """)
    environ = {"HOME": str(paths.keys.parent.parent), "PATH": os.environ["PATH"]}
    process = await anyio.open_process([sys.executable, "-c", code], env=environ)
    try:
        yield Holder(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


def test_without_a_daemon_there_is_nobody_and_looking_makes_no_file(paths: Paths) -> None:
    assert look(paths) is None
    assert not paths.memory.exists()
    wait_gone(paths)  # returns


def test_what_the_daemon_announces_is_seen_as_it_is(paths: Paths) -> None:
    with take_seat(paths) as seat:
        seen = look(paths)
        assert seen is not None
        assert (seen.state, seen.pid, seen.port) == ("starting", 0, None)
        seat.announce(PRESENCE)
        assert look(paths) == PRESENCE
        assert PRESENCE.state == "running"
        assert PRESENCE.url == "http://127.0.0.1:9999"
        seat.announce(replace(PRESENCE, port=None))
        seen = look(paths)
        assert seen is not None
        assert (seen.state, seen.pid) == ("stopping", 4711)
    assert look(paths) is None
    assert lock_file(paths).read_bytes() == b""


def test_a_file_of_a_newer_release_or_of_nobody_counts_as_starting(paths: Paths) -> None:
    with take_seat(paths):
        for content in (b"", b"{", b"[]", b"\xff" * LARGEST, b'{"pid": 1, "something": "new"}'):
            lock_file(paths).write_bytes(content)
            seen = look(paths)
            assert seen is not None
            assert seen.state == "starting"


def test_the_file_can_be_read_by_its_owner_only(paths: Paths) -> None:
    with take_seat(paths):
        assert lock_file(paths).stat().st_mode & 0o777 == 0o600


async def test_one_process_has_the_seat_and_the_next_is_told_who(paths: Paths) -> None:
    async with holder(paths) as first, holder(paths) as second:
        assert await first.tell("take") == "taken"
        assert await second.tell("take") == "another daemon is starting"
        assert await first.tell("announce") == "announced"
        assert await second.tell("take") == f"a daemon runs already on port 1234 (pid {first.process.pid})"
        assert await first.tell("leave") == "left"
        assert await second.tell("take") == "taken"
    assert look(paths) is None


async def test_a_kill_gives_the_seat_back_at_once(paths: Paths) -> None:
    async with holder(paths) as doomed, holder(paths) as heir:
        await doomed.tell("take")
        await doomed.tell("announce")
        assert look(paths) is not None
        doomed.process.send_signal(signal.SIGKILL)
        await doomed.process.wait()
        assert look(paths) is None
        assert b"1234" in lock_file(paths).read_bytes()  # it says so still, and nobody believes it
        wait_gone(paths)
        assert await heir.tell("take") == "taken"
        seen = look(paths)
        assert seen is not None
        assert seen.state == "starting"


async def test_who_waits_for_the_end_is_told_at_once(paths: Paths) -> None:
    async with holder(paths) as daemon:
        await daemon.tell("take")
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, wait_gone, paths)
            await anyio.wait_all_tasks_blocked()
            daemon.process.send_signal(signal.SIGKILL)


async def test_those_who_look_all_the_time_keep_nobody_from_starting(paths: Paths) -> None:
    """A look takes the lock for a moment; a start that meets one must not take it for another daemon."""
    looker = textwrap.dedent("""
        import os
        from clawswarm.access.presence import look
        from clawswarm.config.paths import Paths
        paths = Paths.of(os.environ)
        print("looking", flush=True)
        while True:
            look(paths)
    """)
    environ = {"HOME": str(paths.keys.parent.parent), "PATH": os.environ["PATH"]}
    with take_seat(paths):
        pass
    lookers = [await anyio.open_process([sys.executable, "-c", looker], env=environ) for _ in range(2)]
    try:
        for process in lookers:
            assert process.stdout is not None
            await process.stdout.receive()
        for _ in range(300):
            with take_seat(paths) as seat:
                seat.announce(PRESENCE)
                assert look(paths) == PRESENCE
            assert look(paths) is None
    finally:
        for process in lookers:
            process.kill()
            await process.aclose()


def test_a_second_seat_in_one_process_is_refused(paths: Paths) -> None:
    with take_seat(paths), pytest.raises(DaemonError, match="another daemon is starting"), take_seat(paths):
        pass


def test_a_state_directory_that_cannot_be_made_is_told(paths: Paths) -> None:
    paths.memory.parent.parent.mkdir(exist_ok=True)
    paths.memory.parent.write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"), take_seat(paths):
        pass
    assert look(paths) is None
