"""`swarm logs`: the last lines of the daemon's log."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

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
        status = run(partial(_logs, path, lines, follow=follow, as_json=as_json))
    raise typer.Exit(0 if status == INTERRUPTED else status)


async def _logs(path: Path, lines: int, *, follow: bool, as_json: bool) -> int:
    def tell(texts: list[str]) -> None:
        show(*(text if as_json else readable(text) for text in texts))

    file = _open(path) if follow else None
    try:
        if file is not None:
            file.seek(0, os.SEEK_END)  # before the look back: rather a line twice than one left out
        tell(last_lines(path, lines))
        while follow:
            await anyio.sleep(LOOK_EVERY)
            if file is None:
                file = _open(path)
            if file is not None:
                renamed = _is_another(path, file)  # before the rest is read, which then is all of it
                tell(_whole_lines(file))
                if renamed:
                    file.close()
                    file = None
    finally:
        if file is not None:
            file.close()
    return 0


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _is_another(path: Path, file: BinaryIO) -> bool:
    """Whether the file of that name is no longer the one that is open: the log was rotated."""
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return True


def _whole_lines(file: BinaryIO) -> list[str]:
    """What is new and ends; the beginning of a line waits for the rest of it."""
    data = file.read()
    whole, end, rest = data.rpartition(b"\n")
    file.seek(-len(rest), os.SEEK_CUR)
    return whole.decode(errors="replace").split("\n") if end else []


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
