"""30 to 400 prompts on 16 workers of an open swarm: how far from a pool without any overhead.

Ideal is ceil(prompts / workers) rounds of the provider's delay.
"""

from math import ceil

from benchmarks.clients import ClientName, Job
from benchmarks.report import Line, Row, command
from benchmarks.rounds import interleaved
from benchmarks.server import running

DELAY_MS = 500
WORKERS = 16
PROMPTS = (30, 50, 100, 400)
CONTENDERS: tuple[ClientName, ...] = ("swarm", "aiohttp")
TARGET = 1.03


def measure(runs: int) -> Row:
    """Wall time ÷ ideal for each number of prompts."""
    with running(DELAY_MS) as server:
        rounds = interleaved([Job(name, server.base_url, PROMPTS, WORKERS) for name in CONTENDERS], runs)
    return Row(
        "fanout_small",
        f"{WORKERS} workers, {DELAY_MS} ms provider, warm: wall ÷ ideal",
        tuple(
            Line(
                name,
                f"{prompts} prompts, wall ÷ ideal",
                tuple(samples[name][at].wall / ideal(prompts) for samples in rounds),
                TARGET if name == "swarm" else None,
                digits=3,
            )
            for at, prompts in enumerate(PROMPTS)
            for name in CONTENDERS
        ),
    )


def ideal(prompts: int) -> float:
    """Seconds that a perfect pool needs."""
    return ceil(prompts / WORKERS) * DELAY_MS / 1000


if __name__ == "__main__":
    command(measure)
