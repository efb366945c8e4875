"""Processes that die: `python -m tests.team.mortal` forks one for each line it reads, and says how it ended.

They are forked from a process that has everything imported, so that hundreds can die in a few seconds.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import anyio.to_thread
import watchfiles

from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.team import Alerts, Team
from clawswarm.team.changes import FileChanges
from clawswarm.team.checkpoints import take
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.watcher import watch_team
from tests.team.homes import Home, open_home

PRELOADED = (watchfiles,)
"""What would be imported late: not in each fork anew."""

SPEED = 20
"""How much faster the time of waits passes for those who live here."""

_WRITES = frozenset({"write", "fsync", "replace", "link", "unlink", "mkdir", "commit"})
_WRITERS = frozenset({"posix", "fcntl", "_io", "sqlite3"})


class HastyClock(SystemClock):
    """The time of day is right; seconds of waiting are short."""

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    def call_at(self, when: float, callback: Callable[[], object]) -> Any:
        return super().call_at(time.monotonic() + (when - self.monotonic()) / SPEED, callback)


def checkpoint_and_emergency(home: Home) -> None:
    """What is done before each step of which a process dies; done again, it changes nothing."""
    home.board.change(
        lambda draft: take(draft, trigger="milestone", summary="so far so good", sentences={}),
        actor="scribe",
        key="the checkpoint",
    )
    home.publish()
    home.board.change(
        lambda draft: raise_emergency(draft, level=3, text="the disk is on fire"),
        actor="inspector",
        key="the emergency",
    )
    home.publish()


def die_before_write(number: int) -> None:
    """Let this process die before its write of that number; the first is 1."""
    left = number

    def look(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        if not (_is_write(argument) if event == "c_call" else _is_exchange(frame, event)):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(look)


def _is_write(function: Any) -> bool:
    if function.__name__ not in _WRITES:
        return False
    return (function.__module__ or type(function.__self__).__module__) in _WRITERS


def _is_exchange(frame: FrameType, event: str) -> bool:
    """Files have just changed names by a call into C that no profile sees."""
    return event == "return" and frame.f_code.co_name == "exchange"


def steps(folder: Path, number: int) -> None:
    with open_home(folder, SystemClock(), run=None) as home:
        die_before_write(number)
        checkpoint_and_emergency(home)
        sys.setprofile(None)


def live(folder: Path, url: str, seed: int) -> None:
    """Work, and watch the board, until somebody kills it."""
    with open_home(folder, HastyClock(), run=None) as home:
        anyio.run(_live, home, url, random.Random(seed))


def drain(folder: Path, url: str) -> None:
    """Watch the board until no alert is open."""
    with open_home(folder, HastyClock(), run=None) as home:
        anyio.run(_drain, home, url)


async def _live(home: Home, url: str, chance: random.Random) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, home, url)
        await anyio.to_thread.run_sync(_work, home, chance)


async def _drain(home: Home, url: str) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, home, url)
        changes = FileChanges(home.memory)
        while any(alert.open for alert in await anyio.to_thread.run_sync(home.alerts)):
            with anyio.move_on_after(1):
                await changes.wait()
        group.cancel_scope.cancel()
    home.publish()


async def _watch(home: Home, url: str) -> None:
    settings = Settings(team=Team(alerts=Alerts(webhook=url, desktop=False)))
    await watch_team(home.board, settings, home.paths, {"PATH": ""}, home.clock)


def _work(home: Home, chance: random.Random) -> None:
    while True:
        word = f"{chance.randrange(10**9)}"
        if chance.random() < 0.3:
            home.emergency(3, f"fire {word}")
        elif chance.random() < 0.3:
            home.write_emergency(f"by hand {word}, level 3")
        else:
            home.did("scribe", lambda draft: take(draft, trigger=word, summary=word, sentences={}))  # noqa: B023
        home.publish()
        threading.Event().wait(chance.random() * 0.03)


COMMANDS: dict[str, Callable[..., None]] = {"steps": steps, "live": live, "drain": drain}


def main() -> None:
    for line in sys.stdin:
        name, folder, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                COMMANDS[name](Path(folder), *arguments)
            except Exception:  # noqa: BLE001 - told, and over
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)  # noqa: T201 - that is the answer
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
