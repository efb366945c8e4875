"""One prompt whose answer is kept, asked over HTTP: milliseconds from request to last event.

On one connection that stays open, and on a new one each time, as `curl` does.
"""

import statistics

import anyio

from benchmarks.daemons import Daemon, ask, client, daemon, home
from benchmarks.report import Line, Row, command, say
from benchmarks.server import running

REQUESTS = 300
TARGET = 1.5
"""Milliseconds (design, section 8). node-scaling: 3 to 5."""


def measure(runs: int) -> Row:
    """Medians of milliseconds a request, one a round."""
    kept: list[float] = []
    fresh: list[float] = []
    for number in range(1, runs + 1):
        say(f"round {number} of {runs}")
        one, other = anyio.run(_round)
        kept.append(one)
        fresh.append(other)
    return Row(
        "daemon_cached",
        "a cached prompt over HTTP",
        (
            Line("connection kept", "ms a request", tuple(kept), TARGET),
            Line("connection of its own", "ms a request", tuple(fresh), TARGET),
        ),
    )


async def _round() -> tuple[float, float]:
    with running(0) as server, home(server.base_url) as environ, daemon(environ) as warm:
        async with client(warm) as session:
            for _ in range(20):
                await ask(session, ["a question that is asked again"])
            kept = [await ask(session, ["a question that is asked again"]) for _ in range(REQUESTS)]
        return statistics.median(kept) * 1000, await _fresh(warm)


async def _fresh(warm: Daemon) -> float:
    times: list[float] = []
    for _ in range(REQUESTS):
        async with client(warm) as session:
            times.append(await ask(session, ["a question that is asked again"]))
    return statistics.median(times) * 1000


if __name__ == "__main__":
    command(measure)
