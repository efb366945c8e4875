"""Programs of the system, run without a shell, for a limited time, with everything that they start."""

import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE

import anyio
from anyio.abc import ByteReceiveStream, Process

MOST_OUTPUT = 8 * 1024 * 1024
"""Bytes of one stream that are kept; the rest is read and forgotten."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The first line of its complaint, else of its answer."""
        lines = [line.strip() for line in (*self.err.splitlines(), *self.out.splitlines()) if line.strip()]
        return lines[0][:200] if lines else "it said nothing"


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """Where a program is, on the PATH of that environment."""
    return shutil.which(name, path=environ.get("PATH", os.defpath))


async def run_program(
    program: str, *arguments: str, environ: Mapping[str, str], seconds: float
) -> Ran | None:
    """Run it to its end; None where it does not end in time, or cannot be run."""
    kept = {"out": bytearray(), "err": bytearray()}
    status: int | None = None
    with anyio.move_on_after(seconds):
        try:
            process = await anyio.open_process(
                [program, *arguments],
                stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environ, start_new_session=True,
            )  # fmt: skip
        except OSError:
            return None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_keep, process.stdout, kept["out"])
                group.start_soon(_keep, process.stderr, kept["err"])
                status = await process.wait()
        except BaseException:
            _kill(process)
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await process.aclose()
    if status is None:
        return None
    return Ran(status, *(bytes(part).decode("utf-8", "replace") for part in kept.values()))


async def _keep(stream: ByteReceiveStream | None, kept: bytearray) -> None:
    if stream is None:
        return
    async for chunk in stream:
        kept += chunk[: MOST_OUTPUT - len(kept)]


def _kill(process: Process) -> None:
    """It leads a group of its own, which its children are in."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
