"""The log: JSON lines, rotated, without secrets; and `swarm logs`, which shows them."""

import json
import logging
import os
import re
from pathlib import Path

import anyio
import pytest

from clawswarm.access.launch import last_lines
from clawswarm.cli.logs_command import readable
from clawswarm.daemon.log import KEPT, logging_to
from clawswarm.engine.redact import MASK, Redactor
from tests.cli.conftest import Inside
from tests.cli.shell import Running
from tests.daemon.homes import Home

pytestmark = pytest.mark.anyio

logger = logging.getLogger("tests.daemon")


def written(path: Path, *messages: str, largest_mb: float = 1) -> None:
    with logging_to(path, redact=Redactor(["the-key-in-use"]), largest_mb=largest_mb):
        for message in messages:
            logger.info("%s", message)


def test_a_line_is_one_object_whatever_it_says(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "daemon.log"
    texts = ["plain", "two\nlines", "a\u2028separator\x85and more", "half \ud83d of a pair", '"quoted"']
    written(path, *texts)
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    records = [json.loads(line) for line in lines]
    assert [record["message"] for record in records] == texts
    assert list(records[0]) == ["time", "level", "logger", "message"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", records[0]["time"])
    assert last_lines(path, 3) == [line.decode() for line in lines[-3:]]


def test_fields_and_tracebacks_are_part_of_the_object(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    with logging_to(path, redact=Redactor([]), largest_mb=1):
        logger.info("request", extra={"fields": {"status": 200, "ms": 1.5}})
        try:
            raise RuntimeError("this is why")
        except RuntimeError:
            logger.exception("it failed")
    first, second = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert (first["status"], first["ms"]) == (200, 1.5)
    assert second["level"] == "error"
    assert second["traceback"].startswith("Traceback (most recent call last):\n")
    assert second["traceback"].endswith("RuntimeError: this is why")
    assert readable(json.dumps(first)).endswith("INFO    request  status=200 ms=1.5")
    assert readable(json.dumps(second)).endswith("RuntimeError: this is why")


def test_no_secret_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    written(path, "the-key-in-use", "key=sk-proj-0123456789abcdefghij0123456789")
    text = path.read_text(encoding="utf-8")
    assert "the-key-in-use" not in text
    assert "sk-proj" not in text
    assert text.count(MASK) == 2


def test_it_is_rotated_and_only_so_many_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    before = os.umask(0o077)
    try:
        written(path, *(f"line {number} {'x' * 400}" for number in range(100)), largest_mb=0.004)
    finally:
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert len(files) == KEPT + 1
    for file in files:
        assert file.stat().st_size <= 4000
        assert file.stat().st_mode & 0o077 == 0
        for line in file.read_text(encoding="utf-8").splitlines():
            json.loads(line)
    assert "line 99" in last_lines(path, 1)[0]


@pytest.mark.parametrize("count", [0, 1, 5, 30, 100])
def test_exactly_so_many_lines_are_read_from_the_end(tmp_path: Path, count: int) -> None:
    path = tmp_path / "file"
    lines = [f"{number} " + "x" * 5000 for number in range(30)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert last_lines(path, count) == lines[30 - min(count, 30) :]
    assert last_lines(tmp_path / "none", count) == []
    (tmp_path / "empty").touch()
    assert last_lines(tmp_path / "empty", count) == []


class TestCommand:
    """`swarm logs`."""

    def log(self, inside: Inside, *messages: str) -> Path:
        path = inside.home / "clawd" / "memory" / "logs" / "daemon.log"
        written(path, *messages)
        return path

    def test_it_shows_the_last_lines_for_people_and_for_machines(self, inside: Inside) -> None:
        path = self.log(inside, *(f"event {number}" for number in range(30)))
        shown = inside.run("logs", "2").out.splitlines()
        assert [line.split("INFO")[1].strip() for line in shown] == ["event 28", "event 29"]
        assert len(inside.run("logs").out.splitlines()) == 20
        assert inside.run("logs", "0").out == ""
        assert inside.run("logs", "3", "--json").out == "".join(
            line + "\n" for line in path.read_text(encoding="utf-8").splitlines()[-3:]
        )

    def test_without_a_log_it_says_when_there_will_be_one(self, inside: Inside) -> None:
        ran = inside.run("logs")
        assert (ran.status, ran.out) == (0, "")
        assert "It begins with: swarm start" in ran.err

    def test_what_is_no_json_is_shown_as_it_is(self, inside: Inside) -> None:
        path = self.log(inside, "fine")
        with path.open("a", encoding="utf-8") as file:
            file.write('half a line\n[1]\n{"time": 5}\n')
        assert inside.run("logs", "3").out == 'half a line\n[1]\n{"time": 5}\n'


async def said(running: Running, text: str) -> str:
    """What it prints until `text` is in it."""
    assert running.process.stdout is not None
    seen = ""
    with anyio.fail_after(10):
        while text not in seen:
            seen += (await running.process.stdout.receive()).decode()
    return seen


@pytest.mark.timeout(30)
async def test_it_follows_over_a_rotation_and_leaves_nothing_out(home: Home) -> None:
    path = home.paths.log
    written(path, "old", "last")
    async with home.started("logs", "1", "--follow", "--json") as running:
        seen = await said(running, "last")
        with logging_to(path, redact=Redactor([]), largest_mb=1):
            logger.info("before")
            seen += await said(running, "before")
            logger.info("just before the rotation")
            path.rename(path.with_name("daemon.log.1"))
        written(path, "after it", "end")
        seen += await said(running, "end")
        with path.open("ab") as file:
            file.write(b'{"message": "in two ')
            file.flush()
            file.write(b'pieces"}\n')
        seen += await said(running, "pieces")
    messages = [json.loads(line)["message"] for line in seen.splitlines()]
    assert messages == [
        "last", "before", "just before the rotation", "after it", "end", "in two pieces",
    ]  # fmt: skip


@pytest.mark.timeout(30)
async def test_it_follows_a_log_that_is_not_there_yet(home: Home) -> None:
    async with home.started("logs", "5", "--follow") as running:
        written(home.paths.log, "the first line")
        assert (await said(running, "the first line")).endswith("the first line\n")


@pytest.mark.timeout(30)
async def test_a_daemons_log_holds_neither_prompts_nor_keys(home: Home) -> None:
    home.environ |= {"GEMINI_API_KEY": "a-gemini-key-0123456789", "MY_OWN_TOKEN": "another-secret-value"}
    home.configure("provider:\n  name: demo\ndaemon:\n  grace: 1\n")
    await home.launch()
    await home.ask("POST", "/jobs", {"kind": "parallel", "prompts": ["a private question"]})
    await home.ask("GET", "/jobs/a-gemini-key-0123456789")
    await home.ask("GET", f"/nothing/another-secret-value/{home.token}?token={home.token}")
    await home.ask("GET", "/health")
    records = [json.loads(line) for line in home.log()]
    requests = [(r["method"], r["path"], r["status"]) for r in records if r["message"] == "request"]
    assert requests == [
        ("POST", "/jobs", 202),
        ("GET", f"/jobs/{MASK}", 404),
        ("GET", f"/nothing/{MASK}/{MASK}", 404),
    ]
    text = " ".join(home.log())
    for secret in (home.token, "private question", "a-gemini-key", "another-secret"):
        assert secret not in text
    assert next(r for r in records if r["message"] == "ready")["port"] == home.presence.port
