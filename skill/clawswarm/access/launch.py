"""Starts the daemon as a process of its own and waits until it answers, and stops it again."""

import asyncio
import fcntl
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from pydantic_core import from_json

from clawswarm.access.presence import Presence, look, wait_gone
from clawswarm.config.paths import Paths
from clawswarm.errors import (
    ConfigError,
    DaemonError,
    InputError,
    NotConfigured,
    StoreError,
    SwarmError,
)

PATIENCE = 60.0
"""Seconds that a start may take: a cold disk, a machine that has just been switched on."""

LAST_LINES = 10

_ERRORS: Mapping[str, type[SwarmError]] = {
    kind.code: kind for kind in (ConfigError, DaemonError, InputError, NotConfigured, StoreError)
}


@dataclass(frozen=True, slots=True)
class Launched:
    """A daemon that answers, and whether it was there before."""

    presence: Presence
    was_running: bool


def daemon_command(*, port: int | None, workers: int | None) -> list[str]:
    """What runs the daemon in the foreground. `-P` keeps the working directory off Python's path."""
    command = [sys.executable, "-P", "-m", "clawswarm.daemon"]
    for name, value in (("--port", port), ("--workers", workers)):
        command += [name, str(value)] if value is not None else []
    return command


def launch(environ: Mapping[str, str], *, port: int | None = None, workers: int | None = None) -> Launched:
    """Start the daemon, unless one runs. Two that start one at once get the same. Blocks.

    Raises:
        DaemonError: it did not come up; its last words are in the message.
        NotConfigured, ConfigError, StoreError: it cannot work as it is configured.
    """
    paths = Paths.of(environ)
    with _one_at_a_time(paths):
        if (presence := look(paths)) is not None and presence.state == "running":
            return Launched(presence, was_running=True)
        output = paths.log.with_name("daemon.out")
        output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        reader, writer = os.pipe()
        with open(reader, "rb") as pipe:
            try:
                with open(os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
                    process = subprocess.Popen(  # noqa: S603 - our own module
                        [*daemon_command(port=port, workers=workers), "--ready-fd", str(writer)],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        env=dict(environ),
                        cwd=paths.memory,
                        pass_fds=(writer,),
                        start_new_session=True,
                    )
            finally:
                os.close(writer)
            try:
                return Launched(_first_word(pipe, process, output, paths), was_running=False)
            except DaemonError:
                if (presence := look(paths)) is not None and presence.state == "running":
                    return Launched(presence, was_running=True)  # a start by other ways was faster
                raise


def _first_word(pipe: Any, process: subprocess.Popen[bytes], output: Path, paths: Paths) -> Presence:
    """What the daemon says when it is ready, or why it is not."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(PATIENCE):
            process.kill()
            process.wait()
            raise _died(f"the daemon was not ready after {PATIENCE:g} s and was stopped", output, paths)
    line = pipe.readline()
    if not line:
        status = process.wait()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        raise _died(f"the daemon died while it was starting ({how})", output, paths)
    document = from_json(line)
    if "error" in document:
        process.wait()
        error = document["error"]
        raise _ERRORS.get(error["code"], DaemonError)(error["message"], hint=error["hint"])
    # It is on its own from here; a process that lives longer than it must still see it off.
    threading.Thread(target=process.wait, daemon=True).start()
    return Presence(**document["ready"])


def _died(message: str, output: Path, paths: Paths) -> DaemonError:
    """With the last lines of what it printed, or of its log."""
    for path in (output, paths.log):
        if lines := last_lines(path, LAST_LINES):
            message += f"; the last lines of {path}:\n" + "\n".join(f"    {line}" for line in lines)
            break
    return DaemonError(message, hint="run it where you can watch it: swarm start --foreground")


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a file; none when there is no file. Only a line feed ends a line, as in JSON."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            block, data = 64 * 1024, b""
            while size > 0 and data.count(b"\n") <= count:
                step = min(block, size)
                size = file.seek(size - step)
                data = file.read(step) + data
    except FileNotFoundError:
        return []
    lines = data.decode(errors="replace").removesuffix("\n").split("\n") if data else []
    return lines[max(0, len(lines) - count) :]


async def stop(environ: Mapping[str, str], *, patience: float) -> Presence | None:
    """Tell the daemon to stop and wait until it has; None when none was running.

    Args:
        patience: seconds it may take; its own grace included.

    Raises:
        DaemonError: it still runs.
    """
    paths = Paths.of(environ)
    if (presence := look(paths)) is None:
        return None
    if presence.pid == 0:
        raise DaemonError("the daemon is still starting", hint="wait a moment, then try again")
    if presence.state == "running":  # a second signal would tell it to leave at once
        with suppress(ProcessLookupError):
            os.kill(presence.pid, signal.SIGTERM)
    with anyio.move_on_after(patience) as late:
        await _until_gone(paths)
    if late.cancelled_caught:
        raise DaemonError(
            f"the daemon (pid {presence.pid}) still runs after {patience:g} s",
            hint=f"see: swarm logs; as a last resort: kill -9 {presence.pid} (jobs go on after a start)",
        )
    return presence


async def _until_gone(paths: Paths) -> None:
    """Wait in a thread that holds nobody up: a process waits for those of anyio before it ends."""
    gone, loop = anyio.Event(), asyncio.get_running_loop()

    def wait() -> None:
        wait_gone(paths)
        with suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=wait, daemon=True).start()
    await gone.wait()


@contextmanager
def _one_at_a_time(paths: Paths) -> Generator[None]:
    """Only one start at a time; the next one finds what the first has started."""
    path = paths.memory / "daemon.starting"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the state directory {paths.memory} cannot be written: {error.strerror}",
            hint="check its owner and mode, or point SWARM_MEMORY_DIR elsewhere",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
