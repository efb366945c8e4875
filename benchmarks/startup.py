"""`swarm --version` beside `python -c "import typer"`: nobody waits for what a command does not use."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Line, Row, command, ratios, say

RUNS = 30
TARGET = 1.5


def measure(runs: int) -> Row:
    """Wall time of both, in turns; the first turn warms the disk and is not counted."""
    commands = {"swarm --version": _swarm(), "import typer": [sys.executable, "-c", "import typer"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    say(f"{runs} rounds of {' and '.join(commands)}")
    for _ in range(runs + 1):
        for name, line in commands.items():
            started = time.perf_counter()
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - started) * 1000)
    ours, theirs = (tuple(values[1:]) for values in times.values())
    return Row(
        "startup",
        "From nothing to the end of the process",
        (
            Line("swarm --version ÷ import typer", "wall", ratios(ours, theirs), TARGET),
            Line("swarm --version", "wall ms", ours, digits=0),
            Line("import typer", "wall ms", theirs, digits=0),
        ),
    )


def _swarm() -> list[str]:
    """The installed command, else the module behind it."""
    script = Path(sys.executable).with_name("swarm")
    if script.exists():
        return [str(script), "--version"]
    return [sys.executable, "-m", "clawswarm.cli.main", "--version"]


if __name__ == "__main__":
    command(measure, runs=RUNS)
