"""100,000 prompts streamed by the command line from one file into another: the memory of that process.

Peak is what the kernel counted for the finished process. The samples on the way show whether it grows.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.clients import KEY
from benchmarks.report import Line, Row, command, say
from benchmarks.server import MODEL, Server, running

PROMPTS = 100_000
AT_ONCE = 64
RUNS = 3
MARKS = (0.25, 0.50, 0.75, 1.00)
TARGET = 200
"""MiB."""

MIB = 1024 * 1024
PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class _Run:
    """MiB: the peak, and what was resident at each of `MARKS`."""

    peak: float
    at_marks: tuple[float, ...]


def measure(runs: int) -> Row:
    """Peak memory of each run, its samples, and how much the second half added."""
    found: list[_Run] = []
    for number in range(1, runs + 1):
        say(f"run {number} of {runs}: {PROMPTS:,} prompts")
        with running(0) as server, tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
            found.append(_one(server, Path(folder)))
    return Row(
        "memory",
        f"{PROMPTS:,} prompts from a file to a file, {AT_ONCE} at once, 0 ms provider",
        (
            Line("swarm parallel", "peak MiB", tuple(one.peak for one in found), TARGET, digits=0),
            *(
                Line("", f"MiB at {mark:.0%}", tuple(one.at_marks[at] for one in found), digits=0)
                for at, mark in enumerate(MARKS)
            ),
            Line(
                "",
                "MiB added, 50% to 100%",
                tuple(one.at_marks[-1] - one.at_marks[1] for one in found),
                digits=1,
            ),
        ),
    )


def _one(server: Server, folder: Path) -> _Run:
    prompts, answers = folder / "prompts.txt", folder / "answers.jsonl"
    with prompts.open("w", encoding="utf-8") as file:
        file.writelines(f"What is the capital of France? ({index})\n" for index in range(PROMPTS))
    process = subprocess.Popen(
        [
            sys.executable, "-m", "clawswarm.cli.main", "parallel", "--quiet",
            "--provider", "openai", "--model", MODEL, "--concurrency", str(AT_ONCE),
            "--file", str(prompts), "--output", str(answers),
        ],
        env={**os.environ, "HOME": str(folder), "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY},
    )  # fmt: skip
    try:
        at_marks = _watch(server, process.pid)
    except BaseException:
        process.kill()
        process.wait()
        raise
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with answers.open("rb") as file:
        lines = sum(1 for _ in file)
    if process.returncode or lines < PROMPTS:
        raise SystemExit(f"swarm ended with status {process.returncode} and wrote {lines:,} lines")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    return _Run(usage.ru_maxrss * unit / MIB, at_marks)


def _watch(server: Server, pid: int) -> tuple[float, ...]:
    """What is resident when each share of the prompts has been answered."""
    psutil: Any = import_module("psutil")  # by name: type checking does without it
    process = psutil.Process(pid)
    sizes: list[float] = []
    while len(sizes) < len(MARKS):
        if process.status() == psutil.STATUS_ZOMBIE:
            raise SystemExit("swarm ended before all prompts were asked")
        if server.served() >= MARKS[len(sizes)] * PROMPTS:
            sizes.append(process.memory_info().rss / MIB)
        else:
            time.sleep(PAUSE)  # noqa: TID251 - another process is watched
    return tuple(sizes)


if __name__ == "__main__":
    command(measure, runs=RUNS)
