"""Terminals, pipes, and streams that are closed or lead nowhere."""

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import Shell
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

ESCAPE = "\x1b"
COLOR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN_ERR = "⏱️  "


@dataclass
class Terminal:
    """A pseudo-terminal: `far` is the child's end, and `shown` collects what it writes."""

    near: int
    far: int
    shown: bytearray = field(default_factory=bytearray)

    def read(self) -> str:
        """Everything that was written, once the child has ended."""
        os.close(self.far)
        while True:
            try:
                chunk = os.read(self.near, 65536)
            except OSError:  # Linux's word for the end
                break
            if not chunk:
                break
            self.shown += chunk
        return self.shown.decode()


@contextmanager
def terminal(width: int) -> Generator[Terminal]:
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    try:
        yield Terminal(near, far)
    finally:
        os.close(near)


async def on_terminal(shell: Shell, width: int, *options: str) -> tuple[str, str]:
    """Standard output and what the terminal showed, of a second's work with standard error on a terminal."""
    shell.environ["TERM"] = "xterm-256color"
    async with FakeOpenAI(latency=0.4) as fake:
        shell.use(fake)
        with terminal(width) as screen:
            async with shell.started(
                "parallel", "-c", "2", "a", "b", "c", *options, stderr=screen.far
            ) as running:
                ran = await running.end()
            shown = screen.read()
    assert ran.status == 0
    return ran.out, shown


@pytest.mark.parametrize("width", [80, 40, 12])
async def test_a_terminal_shows_a_live_bar_and_standard_output_stays_clean(shell: Shell, width: int) -> None:
    out, shown = await on_terminal(shell, width)
    assert out == "── 1. a\necho: a\n\n── 2. b\necho: b\n\n── 3. c\necho: c\n\n"
    assert "\x1b[2K" in shown  # lines are drawn over
    if width == 80:
        assert "0/3" in shown
        assert "2/3" in shown
        assert COLOR.search(shown)
    assert "✅ 3/3" in shown.rpartition("\x1b[2K")[2]  # the bar is gone, the summary stays
    assert shown.endswith("\r\n")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")  # the cursor comes back


async def test_no_color_is_respected_and_events_stay_whole_beside_the_bar(shell: Shell) -> None:
    shell.environ["NO_COLOR"] = "1"
    out, shown = await on_terminal(shell, 80, "--ndjson")
    assert len(out.splitlines()) == 5
    assert ESCAPE not in out
    assert "2/3" in shown
    assert not COLOR.search(shown)


async def test_quiet_leaves_the_terminal_alone(shell: Shell) -> None:
    _, shown = await on_terminal(shell, 80, "--quiet")
    assert shown == ""


def test_without_a_terminal_there_are_plain_lines_only(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    ran = inside.run("parallel", "-p", "demo", "a")
    assert ESCAPE not in ran.out + ran.err
    [summary] = ran.err.splitlines()
    assert summary.startswith(PLAIN_ERR)


async def test_a_reader_that_leaves_ends_the_command_without_a_word(shell: Shell) -> None:
    ran = await shell.script(
        "seq 1 3000 | swarm parallel -p demo --ndjson -q | head -1; echo ${PIPESTATUS[1]}\n"
        "swarm parallel -p demo a --json -q | true; echo ${PIPESTATUS[0]}\n"
        "swarm config show | true; echo ${PIPESTATUS[0]}\n"
        "swarm --version | true; echo ${PIPESTATUS[0]}\n"
    )
    start, *statuses = ran.out.splitlines()
    assert start == '{"event":"start","total":3000,"provider":"demo","model":"demo","workers":16}'
    assert statuses == ["141"] * 4
    assert ran.err == ""


async def test_closed_streams_lose_nothing_but_themselves(shell: Shell) -> None:
    ran = await shell.script(
        "swarm parallel -p demo a 2>&-; echo $?\n"
        "swarm parallel -p demo b >&-; echo $?\n"
        "swarm parallel -p demo <&-; echo $?\n"
    )
    assert ran.out.startswith("── 1. a\n[demo]")
    assert ran.out.endswith("\n\n0\n0\n2\n")
    assert "✅ 1/1" in ran.err
    assert "standard input holds no prompts" in ran.err


async def test_the_locale_does_not_change_the_prompts_or_the_answers(shell: Shell) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    async with FakeOpenAI() as fake:
        shell.use(fake)
        ran = await shell.script("swarm parallel 'Grüße, 東京' --system 'Früh'", **plain)
        assert [message["content"] for message in fake.calls[0].json["messages"]] == ["Früh", "Grüße, 東京"]
        ran_bad = await shell.script("swarm parallel $'caf\\xe9'")
        assert len(fake.calls) == 1
    assert ran.out == "── 1. Grüße, 東京\necho: Grüße, 東京\n\n"
    assert ran_bad.status == 2
    assert ran_bad.err.splitlines()[0] == "swarm: argument 1: the prompt is not UTF-8 (byte 4)"
