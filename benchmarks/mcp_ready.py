"""From the start of a process to its answer to `initialize`: `swarm mcp` beside a bare server of the SDK."""

import time

from benchmarks.daemons import home
from benchmarks.mcp_wire import BARE, started, swarm_mcp
from benchmarks.report import Line, Row, command, ratios, say

RUNS = 20
TARGET = 1.3


def measure(runs: int) -> Row:
    """Wall time of both, in turns; the first turn warms the disk and is not counted."""
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    with home("http://127.0.0.1:9") as environ:
        say(f"{runs} rounds")
        for _ in range(runs + 1):
            for name, line in (("ours", swarm_mcp()), ("bare", BARE)):
                began = time.perf_counter()
                with started(line, environ) as pipe:
                    pipe.shake_hands()
                    times[name].append((time.perf_counter() - began) * 1000)
    ours, bare = (tuple(values[1:]) for values in times.values())
    return Row(
        "mcp_ready",
        "MCP over stdio, until it is ready",
        (
            Line("swarm mcp ÷ bare SDK server", "wall", ratios(ours, bare), TARGET),
            Line("swarm mcp", "wall ms", ours, digits=0),
            Line("bare SDK server", "wall ms", bare, digits=0),
        ),
    )


if __name__ == "__main__":
    command(measure, runs=RUNS)
