"""30 to 400 prompts through the HTTP API of a warm daemon: how far from a pool without any overhead.

Ideal is ceil(prompts / workers) rounds of the provider's delay. The time is the client's: from before it
sends the request until it has read the last event.
"""

import anyio

from benchmarks.daemons import ask, client, daemon, home
from benchmarks.fanout_small import DELAY_MS, PROMPTS, TARGET, WORKERS, ideal
from benchmarks.report import Line, Row, command, say
from benchmarks.server import running

NODE_SCALING = {10: 0.7, 30: 1.0, 50: 1.45}
"""Seconds that node-scaling's README names for so many tasks of half a second each, with its daemon."""


def measure(runs: int) -> Row:
    """Wall time ÷ ideal for each number of prompts; and seconds beside node-scaling's own figures."""
    counts = sorted({*PROMPTS, *NODE_SCALING})
    rounds: list[dict[int, float]] = []
    for number in range(1, runs + 1):
        say(f"round {number} of {runs}")
        rounds.append(anyio.run(_round, counts))
    ratios = tuple(
        Line(
            "daemon",
            f"{count} prompts, wall ÷ ideal",
            tuple(walls[count] / ideal(count) for walls in rounds),
            TARGET,
            digits=3,
        )
        for count in PROMPTS
    )
    seconds = tuple(
        Line(
            f"daemon (node-scaling's README: {theirs:g} s)",
            f"{count} tasks, seconds",
            tuple(walls[count] for walls in rounds),
            digits=3,
        )
        for count, theirs in NODE_SCALING.items()
    )
    return Row(
        "daemon_fanout",
        f"{WORKERS} workers, {DELAY_MS} ms provider, warm daemon over HTTP",
        (*ratios, *seconds),
    )


async def _round(counts: list[int]) -> dict[int, float]:
    with running(DELAY_MS) as server, home(server.base_url) as environ, daemon(environ) as warm:
        async with client(warm) as session:
            await ask(session, [f"warm up {number}" for number in range(WORKERS)], cache=False)
            return {
                count: await ask(session, [f"question {count}.{n}" for n in range(count)], cache=False)
                for count in counts
            }


if __name__ == "__main__":
    command(measure)
