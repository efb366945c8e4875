"""2,000 prompts, 500 at once: how far from a pool without any overhead, beside the usual SDKs.

Opening the 500 connections is part of the time. Ideal is ceil(prompts / at once) rounds of the delay.
"""

from math import ceil

from benchmarks.clients import ClientName, Job
from benchmarks.report import Line, Row, command
from benchmarks.rounds import interleaved
from benchmarks.server import running

DELAY_MS = 500
PROMPTS = 2000
AT_ONCE = 500
CONTENDERS: tuple[ClientName, ...] = ("swarm", "aiohttp", "openai", "litellm")
TARGET = 1.20


def measure(runs: int) -> Row:
    """Wall time ÷ ideal for each contender."""
    with running(DELAY_MS) as server:
        rounds = interleaved([Job(name, server.base_url, (PROMPTS,), AT_ONCE) for name in CONTENDERS], runs)
    ideal = ceil(PROMPTS / AT_ONCE) * DELAY_MS / 1000
    return Row(
        "fanout_wide",
        f"{PROMPTS:,} prompts, {AT_ONCE} at once, {DELAY_MS} ms provider",
        tuple(
            Line(
                name,
                "wall ÷ ideal",
                tuple(samples[name][0].wall / ideal for samples in rounds),
                TARGET if name == "swarm" else None,
            )
            for name in CONTENDERS
        ),
    )


if __name__ == "__main__":
    command(measure)
