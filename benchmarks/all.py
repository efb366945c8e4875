"""Every benchmark, one after another, and one table of all of them at the end."""

import argparse
import sys

from benchmarks import cpu_per_task, fanout_1000, fanout_small, fanout_wide, memory, startup
from benchmarks.report import RUNS, Row, show, write
from benchmarks.rounds import say


def main() -> None:
    """Run them; exit status 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="rounds of each (default: %(default)s)")
    runs: int = parser.parse_args().runs
    rows: list[Row] = []
    for module in (startup, cpu_per_task, fanout_small, fanout_wide, fanout_1000, memory):
        say(f"\n{module.__name__.removeprefix('benchmarks.')}")
        row = module.measure(runs)
        write(row)
        rows.append(row)
    show(rows)
    sys.exit(1 if any(row.over for row in rows) else 0)


if __name__ == "__main__":
    main()
