"""A user at a terminal: runs the real command line as a child process, in a home of its own."""

import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any

import anyio
from anyio.abc import Process

from tests.fakes.openai import FakeOpenAI

QUESTIONS = Path(__file__).with_name("questions.txt")
KEY = "sk-live-0123456789abcdefghijklmnop"
PATIENCE = 25
"""Seconds after which a child counts as hung."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as one JSON event a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def codes(self) -> list[str | None]:
        """The error code of each task of a `--json` document, None for one that is well."""
        return [task["error"] and task["error"]["code"] for task in self.json["tasks"]]

    @property
    def message(self) -> str:
        """The words of the only task's error in a `--json` document."""
        [task] = self.json["tasks"]
        return task["error"]["message"]


def without_traceback(ran: Ran) -> Ran:
    assert "Traceback" not in ran.err, ran.err
    assert "Exception ignored" not in ran.err, ran.err
    return ran


@dataclass
class Shell:
    """The home and the environment of one user. Of the tester's own, only PATH is passed on."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict[str, str])

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **self.environ}

    def use(self, fake: FakeOpenAI) -> None:
        """Make a fake OpenAI the provider, with a key that it knows."""
        fake.key = KEY
        self.environ |= {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": KEY}

    def configure(self, text: str) -> Path:
        """Write the configuration file; `text` stands below the root key."""
        path = self.home / ".config" / "clawdbot" / "node-scaling.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"  {line}\n" for line in text.splitlines())
        path.write_text(f"node_scaling:\n{lines}", encoding="utf-8")
        return path

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.home / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    @property
    def memory(self) -> Path:
        return self.home / "clawd" / "memory"

    async def run(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        """Run `swarm` with these arguments to its end."""
        return await self.execute(command(*arguments), stdin=stdin)

    async def script(self, text: str, **variables: str) -> Ran:
        """Run a line of Bash in which `swarm` is a command."""
        function = f'swarm() {{ "{sys.executable}" -m clawswarm.cli.main "$@"; }}'
        return await self.execute(["bash", "-c", f"{function}\n{text}"], variables=variables)

    async def execute(
        self, line: list[str], *, stdin: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> Ran:
        environ = self.environment() | dict(variables or {})
        with anyio.fail_after(PATIENCE):
            done = await anyio.run_process(line, input=stdin, check=False, env=environ, cwd=self.home)
        return without_traceback(Ran(done.returncode, done.stdout.decode(), done.stderr.decode()))

    @asynccontextmanager
    async def started(self, *arguments: str | Path, stderr: int = PIPE) -> AsyncGenerator["Running"]:
        """Start `swarm` and leave it running; it is killed at the end, where it still is.

        Args:
            stderr: a file number in place of a pipe.
        """
        process = await anyio.open_process(
            command(*arguments), env=self.environment(), cwd=self.home, start_new_session=True, stderr=stderr
        )
        try:
            yield Running(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.aclose()


@dataclass
class Running:
    """A command that is still at work."""

    process: Process

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> Ran:
        """Everything it printed, once it has ended."""
        texts = {"out": b"", "err": b""}

        async def read(name: str, stream: Any) -> None:
            async for chunk in stream:
                texts[name] += chunk

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                for name, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
                    if stream is not None:
                        group.start_soon(read, name, stream)
            status = await self.process.wait()
        return without_traceback(Ran(status, texts["out"].decode(), texts["err"].decode()))


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "clawswarm.cli.main", *map(str, arguments)]
