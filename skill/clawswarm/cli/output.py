"""What every command prints with: data on standard output, everything else on standard error."""

import sys
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import anyio
import typer
from pydantic_core import to_json

from clawswarm.cli.screen import on_screen
from clawswarm.cli.streams import INTERRUPTED, divert, nobody_reads
from clawswarm.errors import SwarmError


def run(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command; its exit status."""
    try:
        return anyio.run(command)
    except KeyboardInterrupt:
        return INTERRUPTED


@contextmanager
def told(*, as_json: bool = False, as_event: bool = False) -> Generator[None]:
    """Errors on purpose are told in words, and as JSON where that was asked for, never as a traceback.

    Args:
        as_event: one line of JSON, the last of a stream of events.
    """
    try:
        yield
    except SwarmError as error:
        fail(error, as_json=as_json, as_event=as_event)
    except BrokenPipeError:
        raise typer.Exit(nobody_reads()) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        words = f"the system refused: {place}{error.strerror or error}"
        hint = "check the space on the disk (df -h) and the limits of this process (ulimit -a)"
        fail(SwarmError(words, hint=hint), as_json=as_json, as_event=as_event)


def fail(error: SwarmError, *, as_json: bool, as_event: bool = False) -> NoReturn:
    """Tell an error and leave with its exit status."""
    details = {"code": error.code, "message": error.message, "hint": error.hint}
    with suppress(SwarmError, OSError):
        if as_json:
            print_json({"error": details})
        elif as_event:
            write(to_json({"event": "error", "error": details}) + b"\n")
    say(f"swarm: {error.message}")
    if error.hint:
        say(*(f"  {line}" for line in error.hint.splitlines()))
    raise typer.Exit(error.exit_status)


def say(*lines: str) -> None:
    """Lines for the person who watches; where nobody can, the work goes on."""
    try:
        for line in lines:
            print(line, file=sys.stderr)  # noqa: T201
    except OSError:
        divert(sys.stderr)


def warn(warnings: Iterable[str]) -> None:
    say(*(f"swarm: warning: {warning}" for warning in warnings))


def show(*lines: str) -> None:
    """Lines of the answer itself, on standard output."""
    write_text("".join(f"{line}\n" for line in lines))


def write_text(text: str) -> None:
    """Text on standard output; on a terminal without what would steer it.

    Raises:
        BrokenPipeError, SwarmError: as `write`.
    """
    write((on_screen(text) if sys.stdout.isatty() else text).encode())


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    write(to_json(document, indent=2) + b"\n")


def write(data: bytes) -> None:
    """Bytes on standard output, at once.

    Raises:
        BrokenPipeError: nobody reads them any more.
        SwarmError: they cannot be written.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        divert(sys.stdout)
        raise SwarmError(
            f"standard output cannot be written: {error.strerror}",
            hint="free some space, or send it elsewhere",
        ) from error


def error_status(failed: int) -> int:
    """0 all well, 1 some work failed (design, section 7)."""
    return 1 if failed else 0
