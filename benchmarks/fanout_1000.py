"""5,000 prompts, 1,000 at once: Swarm beside the same loop in bare aiohttp, which does nothing else.

Opening the 1,000 connections is part of the time, for both.
"""

from math import ceil

from benchmarks.clients import ClientName, Job
from benchmarks.report import Line, Row, command, ratios
from benchmarks.rounds import interleaved
from benchmarks.server import running

DELAY_MS = 500
PROMPTS = 5000
AT_ONCE = 1000
CONTENDERS: tuple[ClientName, ...] = ("swarm", "aiohttp")
TARGET = 1.10


def measure(runs: int) -> Row:
    """Wall time of Swarm ÷ wall time of aiohttp in the same round."""
    with running(DELAY_MS) as server:
        rounds = interleaved([Job(name, server.base_url, (PROMPTS,), AT_ONCE) for name in CONTENDERS], runs)
    walls = {name: tuple(samples[name][0].wall for samples in rounds) for name in CONTENDERS}
    ideal = ceil(PROMPTS / AT_ONCE) * DELAY_MS / 1000
    against = ratios(walls["swarm"], walls["aiohttp"])
    return Row(
        "fanout_1000",
        f"{PROMPTS:,} prompts, {AT_ONCE:,} at once, {DELAY_MS} ms provider",
        (
            Line("swarm ÷ aiohttp", "wall", against, TARGET, digits=3),
            *(
                Line(name, "wall ÷ ideal", tuple(wall / ideal for wall in walls[name]), digits=3)
                for name in CONTENDERS
            ),
        ),
    )


if __name__ == "__main__":
    command(measure)
