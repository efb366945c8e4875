"""Commands in a home that was made for them, which leave nothing behind."""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

PATIENCE = 120
"""Seconds after which a command counts as hung."""

PARTING = 6
"""Seconds in which what a command started has to be gone after it."""

DEMO = "node_scaling:\n  provider:\n    name: demo\n  daemon:\n    port: 0\n"
SETTINGS = Path(".config") / "clawdbot" / "node-scaling.yaml"


class ProblemError(Exception):
    """A check that did not pass, or cannot be made; its text says why."""


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The status and the last words."""
        words = (self.err.strip() or self.out.strip()).splitlines()
        return f"exit status {self.status}; " + " | ".join(words[-4:])

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.out)
        except ValueError:
            raise ProblemError(f"no JSON on standard output; {self.last}") from None


@dataclass(frozen=True)
class Place:
    """A home, and the PATH that goes with it."""

    home: Path
    path: str

    @classmethod
    def made(cls, home: Path, path: str) -> "Place":
        """A home in which the demo provider is configured: it answers without any network."""
        (home / "tmp").mkdir(parents=True)
        (home / SETTINGS).parent.mkdir(parents=True)
        (home / SETTINGS).write_text(DEMO, encoding="utf-8")
        return cls(home, path)

    async def run(
        self, line: list[str], *, own: bool = False, patience: float = PATIENCE, **variables: str
    ) -> Done:
        """Run a command to its end.

        Args:
            own: with the environment of the caller, whose settings npm needs; else with next to none.
        """
        base = dict(os.environ) if own else {"HOME": str(self.home), "LANG": "C.UTF-8", "SHELL": "/bin/sh"}
        base.setdefault("TMPDIR", str(self.home / "tmp"))
        environ = {**base, "PATH": self.path, **variables}
        cwd = Path.cwd() if own else self.home
        process = await anyio.open_process(line, env=environ, cwd=cwd, stdin=-3, start_new_session=True)
        texts = {"out": b"", "err": b""}
        try:
            with anyio.fail_after(patience):
                async with anyio.create_task_group() as group:
                    group.start_soon(_read, process.stdout, "out", texts)
                    group.start_soon(_read, process.stderr, "err", texts)
                status = await process.wait()
        except TimeoutError:
            said = texts["err"][-400:].decode(errors="replace")
            raise ProblemError(f"{Path(line[0]).name} did not end within {patience:g} s; {said}") from None
        finally:
            await _end(process)
        return Done(status, texts["out"].decode(), texts["err"].decode())

    async def good(self, line: list[str], *, patience: float = PATIENCE, **variables: str) -> Done:
        """Run a command that has to end with status 0."""
        done = await self.run(line, own=False, patience=patience, **variables)
        if done.status:
            raise ProblemError(f"{Path(line[0]).name}: {done.last}")
        return done


async def _read(stream: Any, name: str, texts: dict[str, bytes]) -> None:
    async for chunk in stream:
        texts[name] += chunk


async def _end(process: Process) -> None:
    """Kill a command that still runs, and all of its session."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with anyio.CancelScope(shield=True):
        await process.aclose()


async def left_behind(folder: Path) -> list[str] | None:
    """Processes whose home is below `folder`, once they had time to go. They are killed.

    None outside of Linux, which alone tells the environment of a process.
    """
    if sys.platform != "linux":
        return None
    with anyio.move_on_after(PARTING):
        while _living(folder):  # noqa: ASYNC110 - no event tells of a stranger's end
            await anyio.sleep(0.2)
    living = _living(folder)
    for pid in living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return list(living.values())


def _living(folder: Path) -> dict[int, str]:
    mark = f"HOME={folder}/".encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(line.startswith(mark) for line in (entry / "environ").read_bytes().split(b"\0")):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = words.decode(errors="replace").strip()
    return found


def say(line: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def swarm(*arguments: str) -> list[str]:
    """This checkout's `swarm`, under this Python."""
    return [sys.executable, "-m", "clawswarm.cli.main", *arguments]
