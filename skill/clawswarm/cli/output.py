"""What every command prints with: data on standard output, everything else on standard error."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, NoReturn

import anyio
import typer
from pydantic_core import to_json

from clawswarm.errors import SwarmError

INTERRUPTED = 130


def run(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command; its exit status."""
    try:
        return anyio.run(command)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left (`swarm … | head`): nothing is wrong, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


@contextmanager
def told(*, as_json: bool) -> Generator[None]:
    """Errors on purpose are told in words, and as JSON where that was asked for, never as a traceback."""
    try:
        yield
    except SwarmError as error:
        fail(error, as_json=as_json)


def fail(error: SwarmError, *, as_json: bool) -> NoReturn:
    """Tell an error and leave with its exit status."""
    if as_json:
        print_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    say(f"swarm: {error.message}")
    if error.hint:
        say(*(f"  {line}" for line in error.hint.splitlines()))
    raise typer.Exit(error.exit_status)


def say(*lines: str) -> None:
    """Lines for the person who watches."""
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201


def warn(warnings: Iterable[str]) -> None:
    say(*(f"swarm: warning: {warning}" for warning in warnings))


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    write(to_json(document, indent=2) + b"\n")


def write(data: bytes) -> None:
    """Bytes on standard output, at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def error_status(failed: int) -> int:
    """0 all well, 1 some work failed (design, section 7)."""
    return 1 if failed else 0
