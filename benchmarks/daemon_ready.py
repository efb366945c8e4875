"""From `swarm start` to a daemon that answers: the whole command, in a home that has been used before."""

import os
import signal
import subprocess
import sys
import time

from benchmarks.daemons import home
from benchmarks.report import Line, Row, command, ratios, say
from benchmarks.server import running
from clawswarm.access.presence import look, wait_gone
from clawswarm.config.paths import Paths

RUNS = 10


def measure(runs: int) -> Row:
    """Seconds of the command, and how many times the imports of its server alone they are."""
    ours: list[float] = []
    floor: list[float] = []
    with running(0) as server, home(server.base_url) as environ:
        for number in range(runs + 1):
            say(f"round {number} of {runs}")
            floor.append(_seconds(["-c", "import fastapi, uvicorn, sqlalchemy, aiohttp"], environ))
            ours.append(_seconds(["-m", "clawswarm.cli.main", "start"], environ))
            _kill(environ)
    ours, floor = ours[1:], floor[1:]  # the first one made the database and the byte code
    return Row(
        "daemon_ready",
        "swarm start, until it is ready",
        (
            Line("swarm start", "seconds", tuple(ours)),
            Line("importing fastapi, uvicorn, sqlalchemy, aiohttp", "seconds", tuple(floor)),
            Line("swarm start ÷ those imports", "wall", ratios(ours, floor)),
        ),
    )


def _seconds(arguments: list[str], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _kill(environ: dict[str, str]) -> None:
    paths = Paths.of(environ)
    if (presence := look(paths)) is not None:
        os.kill(presence.pid, signal.SIGKILL)
        wait_gone(paths)


if __name__ == "__main__":
    command(measure, runs=RUNS)
