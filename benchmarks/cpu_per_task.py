"""CPU a task with a provider that answers at once: what the client itself costs.

Counted is the process time of the client, all threads, user and system. Every prompt is different, so that
a cache that is on only costs.
"""

from benchmarks.clients import ClientName, Job
from benchmarks.report import Line, Row, command, ratios
from benchmarks.rounds import interleaved
from benchmarks.server import running

PROMPTS = 5000
AT_ONCE = 16
CONTENDERS: tuple[ClientName, ...] = ("swarm", "swarm, cache on", "aiohttp", "openai", "litellm")
TARGET = 300
"""Microseconds."""


def measure(runs: int) -> Row:
    """Microseconds of CPU a task for each contender."""
    with running(0) as server:
        rounds = interleaved([Job(name, server.base_url, (PROMPTS,), AT_ONCE) for name in CONTENDERS], runs)
    cost = {name: tuple(samples[name][0].cpu / PROMPTS * 1e6 for samples in rounds) for name in CONTENDERS}
    return Row(
        "cpu_per_task",
        f"{PROMPTS:,} prompts, {AT_ONCE} at once, 0 ms provider",
        (
            *(
                Line(
                    name,
                    "CPU µs a task",
                    cost[name],
                    TARGET if name in ("swarm", "swarm, cache on") else None,
                    digits=0,
                )
                for name in CONTENDERS
            ),
            Line("swarm ÷ aiohttp", "CPU", ratios(cost["swarm"], cost["aiohttp"])),
        ),
    )


if __name__ == "__main__":
    command(measure)
