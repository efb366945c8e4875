"""A tool call that does nothing long, over stdio, beside the echo tool of a bare SDK server."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.daemons import home
from benchmarks.mcp_wire import BARE, Pipe, started, swarm_mcp
from benchmarks.report import RUNS, Line, Row, command, say
from clawswarm.access.presence import look, wait_gone
from clawswarm.config.paths import Paths

CALLS = 300
TARGET = 1.0
"""Milliseconds on top of the echo tool."""

OURS: Mapping[str, Mapping[str, Any]] = {
    "swarm_job": {"action": "list"},
    "cast_vote": {"role": "scout"},
    "team_status": {"role": "builder"},
}
"""Tools that look, and do nothing else: the jobs, where a vote stands, the whole board."""


def measure(runs: int) -> Row:
    """Milliseconds of a call, the median of many; each server in one process."""
    found: dict[str, list[float]] = {"echo": [], **{name: [] for name in OURS}}
    with (
        home("http://127.0.0.1:9") as environ,
        started(BARE, environ) as bare,
        started(swarm_mcp(), environ | {"SWARM__DAEMON__PORT": "0"}) as ours,
    ):
        bare.shake_hands()
        ours.shake_hands()
        _prepare(ours)
        contenders = {"echo": partial(bare.call, "echo", text="hello")} | {
            name: partial(ours.call, name, **arguments) for name, arguments in OURS.items()
        }
        for number in range(runs):
            say(f"round {number + 1} of {runs}")
            for name, milliseconds in _medians(contenders).items():
                found[name].append(milliseconds)
        _end_daemon(environ)
    lines = [
        Line(
            f"{name} − echo",
            "ms a call",
            tuple(a - b for a, b in zip(found[name], found["echo"], strict=True)),
            TARGET,
        )
        for name in OURS
    ]
    echo = Line("echo, bare SDK server", "ms a call", tuple(found["echo"]))
    return Row("mcp_call", "A tool call that does nothing long", (*lines, echo))


def _prepare(ours: Pipe) -> None:
    """A run with something on its board."""
    ours.call("team_start", goal="Measure it")
    ours.call("cast_vote", role="scout", topic="Fast?", options=["yes", "no"])
    for name, arguments in OURS.items():
        ours.call(name, **arguments)


def _end_daemon(environ: Mapping[str, str]) -> None:
    """Opening the run has started one."""
    paths = Paths.of(environ)
    if (presence := look(paths)) is not None:
        os.kill(presence.pid, signal.SIGKILL)
        wait_gone(paths)


def _medians(contenders: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Milliseconds of a call of each; they take turns, so that a busy moment falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(CALLS):
        for name, call in contenders.items():
            began = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    command(measure, runs=RUNS)
