"""`swarm logs`: the last lines of the daemon's log."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from clawswarm.access.launch import last_lines
from clawswarm.cli.output import run, say, show, told
from clawswarm.cli.streams import INTERRUPTED
from clawswarm.config.paths import Paths

app = typer.Typer(add_completion=False)

LOOK_EVERY = 0.5
"""Seconds between two looks at the file: a file of another process has no event that every system offers."""

_TOLD = ("time", "level", "logger", "message", "traceback")


@app.command("logs", epilog="Examples:\n\nswarm logs 50\n\nswarm logs --follow")
def logs_command(
    lines: Annotated[int, typer.Argument(min=0, help="How many lines.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The lines as they are: one JSON object each.")
    ] = False,
) -> None:
    """Show the last lines of the daemon's log."""
    path = Paths.of(os.environ).log
    with told():
        if not path.exists() and not follow:
            say(f"There is no log yet ({path}). It begins with: swarm start")
            return
        where = _end(path)
        show(*(line if as_json else readable(line) for line in last_lines(path, lines)))
        status = run(partial(_follow, path, where, as_json=as_json)) if follow else 0
    raise typer.Exit(0 if status == INTERRUPTED else status)


async def _follow(path: Path, where: tuple[int, int], *, as_json: bool) -> int:
    """Lines that are added from `where` on; the file may be rotated meanwhile."""
    inode, offset = where
    rest = b""
    while True:
        now, size = _end(path)
        if now != inode or size < offset:
            inode, offset, rest = now, 0, b""
        if size > offset:
            with path.open("rb") as file:
                file.seek(offset)
                data = rest + file.read(size - offset)
            offset = size
            *whole, rest = data.split(b"\n")
            texts = [line.decode(errors="replace") for line in whole]
            show(*(text if as_json else readable(text) for text in texts))
        await anyio.sleep(LOOK_EVERY)


def _end(path: Path) -> tuple[int, int]:
    """Which file is there, and how long it is."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_size


def readable(line: str) -> str:
    """A line of the log for people: time, level, message, what else it holds."""
    try:
        record: dict[str, Any] = json.loads(line)
        time, level, message = record["time"], record["level"], record["message"]
    except (ValueError, LookupError, TypeError):
        return line
    fields = " ".join(
        f"{name}={value}" for name, value in record.items() if name not in _TOLD and value is not None
    )
    shown = f"{time[:19].replace('T', ' ')} {level.upper():<7} {message}" + (f"  {fields}" if fields else "")
    trace = record.get("traceback")
    return f"{shown}\n{trace}" if trace else shown
