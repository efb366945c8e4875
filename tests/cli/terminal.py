"""A person at a terminal who answers the questions of a command."""

import os
import pty
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from subprocess import PIPE

import anyio
from anyio.abc import Process

from tests.cli.shell import PATIENCE, Ran, Shell, command


@dataclass
class Terminal:
    """The screen and the keyboard. Standard output goes elsewhere, as into a file.

    Attributes:
        screen: all that was shown so far.
    """

    process: Process
    master: int
    screen: str = ""
    seen: int = 0
    raw: bytearray = field(default_factory=bytearray)

    async def asks(self, question: str) -> None:
        """Wait until `question` is on the screen, below what was waited for before."""
        with anyio.fail_after(PATIENCE):
            while question not in self.screen[self.seen :]:
                if not await self._read():
                    raise AssertionError(f"{question!r} was not asked:\n{self.screen}")
        self.seen = self.screen.index(question, self.seen) + len(question)

    async def answer(self, question: str, text: str) -> None:
        """Wait for `question`, then type `text` and Enter."""
        await self.asks(question)
        os.write(self.master, f"{text}\n".encode())

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    async def end(self) -> Ran:
        """The rest, once the command has ended."""
        out = b""
        with anyio.fail_after(PATIENCE):
            assert self.process.stdout is not None
            async for chunk in self.process.stdout:
                out += chunk
            while await self._read():
                pass
            status = await self.process.wait()
        return Ran(status, out.decode(), self.screen)

    async def _read(self) -> bool:
        await anyio.wait_readable(self.master)
        try:
            read = os.read(self.master, 65536)
        except OSError:  # Linux says so when the last one who held the other end has left
            return False
        if not read:
            return False
        self.raw += read
        self.screen = self.raw.decode(errors="replace").replace("\r\n", "\n")
        return True


@asynccontextmanager
async def at_terminal(shell: Shell, *arguments: str) -> AsyncGenerator[Terminal]:
    """Start `swarm` with a terminal as its standard input and standard error."""
    master, other = pty.openpty()
    try:
        # A test run that was started in the background ignores Ctrl-C, and its children would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = await anyio.open_process(
                command(*arguments),
                stdin=other,
                stdout=PIPE,
                stderr=other,
                env=shell.environment() | {"TERM": "xterm"},
                cwd=shell.home,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        os.close(other)
        other = -1
        try:
            yield Terminal(process, master)
        finally:
            if process.returncode is None:
                process.kill()
            await process.aclose()
    finally:
        os.close(master)
        if other != -1:
            os.close(other)
