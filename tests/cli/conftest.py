"""A user with a home of their own, and a quick one without a process of their own."""

import io
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from clawswarm.cli.main import main
from tests.cli.shell import KEY, Ran, Shell, without_traceback


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    return Shell(home)


@dataclass
class Inside:
    """Runs the command line in this process: for what sends nothing.

    Attributes:
        door: where the provider would be; a call would be found waiting there.
    """

    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[bytes]
    home: Path
    door: socket.socket

    def at(self, home: Path) -> "Inside":
        """The same in another home. (Commands that open an event loop cannot be run inside one.)"""
        self.monkeypatch.setenv("HOME", str(home))
        return replace(self, home=home)

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["swarm", *map(str, arguments)])
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
        captured = self.capture.readouterr()
        return without_traceback(Ran(status, captured.out.decode(), captured.err.decode()))

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.home / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    @property
    def nothing_was_sent(self) -> bool:
        """Whether nobody knocked at the provider's door."""
        try:
            self.door.accept()[0].close()
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def inside(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Iterator[Inside]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{door.getsockname()[1]}/v1")
        monkeypatch.chdir(tmp_path)
        yield Inside(monkeypatch, capsysbinary, tmp_path, door)
