"""CPU of the daemon a task, through its HTTP API, with a provider that answers at once.

Counted is the process time of the daemon, all threads, user and system: reading the request, the engine,
and writing an event for each result. The client is another process's affair.
"""

import anyio

from benchmarks.daemons import ask, client, daemon, home
from benchmarks.report import Line, Row, command, say
from benchmarks.server import running

PROMPTS = 5000
TARGET = 300
"""Microseconds (design, section 8)."""


def measure(runs: int) -> Row:
    """Microseconds of CPU a task, with the cache off and on."""
    found: dict[bool, list[float]] = {False: [], True: []}
    for number in range(1, runs + 1):
        say(f"round {number} of {runs}")
        for cache, values in found.items():
            values.append(anyio.run(_round, cache) / PROMPTS * 1e6)
    return Row(
        "daemon_cpu",
        f"{PROMPTS:,} prompts in one request, 16 workers, 0 ms provider, over HTTP",
        tuple(
            Line(
                f"daemon, cache {'on' if cache else 'off'}",
                "CPU µs a task",
                tuple(values),
                TARGET,
                digits=0,
            )
            for cache, values in found.items()
        ),
    )


async def _round(cache: bool) -> float:
    """Seconds of the daemon's CPU for one batch of different prompts."""
    with running(0) as server, home(server.base_url) as environ, daemon(environ) as warm:
        async with client(warm) as session:
            await ask(session, [f"warm up {number}" for number in range(64)], cache=cache)
            before = warm.cpu
            await ask(session, [f"question {number}" for number in range(PROMPTS)], cache=cache)
            return warm.cpu - before


if __name__ == "__main__":
    command(measure)
