"""What a benchmark found: one line a contender and measure, as a table and as JSON."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
RUNS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of one contender, a value a round.

    Attributes:
        target: what the median may be at most; None where there is nothing to reach.
    """

    contender: str
    measure: str
    values: tuple[float, ...]
    target: float | None = None
    digits: int = 2

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "PASS" if self.median <= self.target else "over"

    def show(self, value: float | None) -> str:
        return "" if value is None else f"{value:,.{self.digits}f}"

    def as_json(self) -> dict[str, Any]:
        return {
            "contender": self.contender,
            "measure": self.measure,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "target": self.target,
            "verdict": self.verdict or None,
            "values": self.values,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A benchmark's lines, under the name of its module."""

    name: str
    title: str
    lines: tuple[Line, ...]

    @property
    def over(self) -> bool:
        """Whether any target was missed."""
        return any(line.verdict == "over" for line in self.lines)

    def as_json(self, load: float) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {
                "cores": os.cpu_count(),
                "system": platform.system(),
                "architecture": platform.machine(),
                "python": platform.python_version(),
                "load_before": load,
            },
            "lines": [line.as_json() for line in self.lines],
        }


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> tuple[float, ...]:
    """Ours ÷ theirs, each pair from the same round."""
    return tuple(a / b for a, b in zip(ours, theirs, strict=True))


def show(rows: Sequence[Row]) -> None:
    """Print the lines of all rows as one table."""
    table = Table(title=rows[0].title if len(rows) == 1 else None)
    if len(rows) > 1:
        table.add_column("row")
    for heading in ("contender", "measure"):
        table.add_column(heading)
    for heading in ("median", "min..max", "target"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        for line in row.lines:
            spread = f"{line.show(min(line.values))}..{line.show(max(line.values))}"
            named = (row.name,) if len(rows) > 1 else ()
            aim = f"≤ {line.show(line.target)}" if line.target is not None else ""
            table.add_row(
                *named, line.contender, line.measure, line.show(line.median), spread, aim, line.verdict
            )
        table.add_section()
    console = Console()
    # A file or a pipe has no width of its own: do not fold the table to 80 columns.
    Console(width=None if console.is_terminal else 140).print(table)


def busy() -> float:
    """The machine's load; says so when others leave a benchmark no core of its own."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    if load > cores / 2:
        say(f"the machine is busy (load {load:.1f} on {cores} cores): trust no figure with a wide spread")
    return load


def say(text: str) -> None:
    """Progress and warnings, beside the results on standard output."""
    print(text, file=sys.stderr, flush=True)


def write(row: Row, load: float, path: Path | None = None) -> None:
    """Keep the row as JSON; by default under `results/`.

    Args:
        load: the machine's before the benchmark.
    """
    path = path or RESULTS / f"{row.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row.as_json(load), indent=1) + "\n", encoding="utf-8")


def command(measure: Callable[[int], Row], *, runs: int = RUNS) -> None:
    """The command line of one benchmark. Exit status 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--runs", type=int, default=runs, help="rounds (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where the result goes (default: under benchmarks/results)")
    given = parser.parse_args()
    load = busy()
    row = measure(given.runs)
    write(row, load, given.json)
    show([row])
    sys.exit(1 if row.over else 0)
