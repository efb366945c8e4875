"""Every benchmark, one after another, and one table of all of them at the end."""

import argparse
import sys

from benchmarks import (
    board_ops,
    cpu_per_task,
    daemon_cached,
    daemon_cpu,
    daemon_fanout,
    daemon_ready,
    fanout_1000,
    fanout_small,
    fanout_wide,
    mcp_call,
    mcp_http,
    mcp_ready,
    memory,
    startup,
    streams,
    team_views,
)
from benchmarks.report import RUNS, Row, busy, say, show, write

ROWS = (
    (startup, startup.RUNS),
    (cpu_per_task, RUNS),
    (fanout_small, RUNS),
    (fanout_wide, RUNS),
    (fanout_1000, RUNS),
    (memory, memory.RUNS),
    (daemon_ready, daemon_ready.RUNS),
    (daemon_cpu, RUNS),
    (daemon_cached, RUNS),
    (daemon_fanout, RUNS),
    (board_ops, RUNS),
    (mcp_ready, mcp_ready.RUNS),
    (mcp_call, RUNS),
    (mcp_http, RUNS),
    (streams, streams.RUNS),
    (team_views, team_views.RUNS),
)
"""The benchmarks, with the rounds of each."""


def main() -> None:
    """Run them; exit status 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, help="rounds of each (default: its own number)")
    wanted: int | None = parser.parse_args().runs
    rows: list[Row] = []
    load = busy()  # once: later much of it is the benchmarks' own
    for module, runs in ROWS:
        say(f"\n{module.__name__.removeprefix('benchmarks.')}")
        row = module.measure(wanted or runs)
        write(row, load)
        rows.append(row)
    show(rows)
    sys.exit(1 if any(row.over for row in rows) else 0)


if __name__ == "__main__":
    main()
