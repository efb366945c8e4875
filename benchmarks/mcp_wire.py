"""An MCP client over pipes with nothing of its own to pay for, and the servers that it starts."""

import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BARE = [sys.executable, "-m", "benchmarks.mcp_bare"]

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}


def swarm_mcp() -> list[str]:
    """The installed command, else the module behind it."""
    script = Path(sys.executable).with_name("swarm")
    return [str(script) if script.exists() else sys.executable, *([] if script.exists() else _MODULE), "mcp"]


_MODULE = ["-m", "clawswarm.cli.main"]


class Pipe:
    """A server that was started, and its two pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._id = 0

    def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """One request, to its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert answer["id"] == self._id, answer
        return answer["result"]

    def call(self, name: str, **arguments: Any) -> Any:
        result = self.ask("tools/call", {"name": name, "arguments": arguments})
        assert not result.get("isError"), result
        return result

    def shake_hands(self) -> None:
        """Returns once the server is ready."""
        self.ask("initialize", INITIALIZE)
        assert self._process.stdin is not None
        self._process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')


@contextmanager
def started(command: list[str], environ: Mapping[str, str]) -> Generator[Pipe]:
    """A server as a child process; it leaves when its input ends."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environ))
    try:
        yield Pipe(process)
    finally:
        process.communicate()
