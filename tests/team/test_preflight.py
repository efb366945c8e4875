"""The preflight: each line of the guide's checklist when all is well, and when it is not."""

import json
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm.access.team import open_team
from clawswarm.config.load import load
from clawswarm.config.team import TeamRules
from clawswarm.engine.checks import Check
from clawswarm.errors import NotFound, StoreError
from clawswarm.team import preflight_board
from clawswarm.team.overview import Overview, collect
from clawswarm.team.preflight import Situation, go_through
from clawswarm.team.preflight_around import awake_linux, awake_macos
from clawswarm.team.preflight_models import seconds_of
from clawswarm.team.preflight_places import ENOUGH, judge_room
from clawswarm.team.programs import run_program
from clawswarm.types.team import Role
from tests.clock import FakeClock
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.command import FakeCommand
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_models import MODELS
from tests.team.boards import Bench

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

KEY = "sk-ant-0123456789abcdefghij"
SETTINGS = {"OLLAMA_NUM_PARALLEL": "2", "OLLAMA_KEEP_ALIVE": "60m", "OLLAMA_MAX_QUEUE": "100"}
"""Operations guide, section 7."""
NAMES = [
    "ollama", "ollama settings", "model", "director", "gateway", "memory", "state", "agents",
    "simple command", "disk", "leftovers", "awake", "alerts", "daemon",
]  # fmt: skip
"""In the order of the guide."""


def reachable(found: bool, error: str | None = None) -> str:
    """What `status --json` of OpenClaw and Clawdbot says of the gateway, among much else."""
    gateway = {"mode": "local", "url": "ws://127.0.0.1:18789", "reachable": found, "error": error}
    return json.dumps({"os": {}, "gateway": gateway, "agents": {"gateway": None}})


@dataclass
class Home:
    """A user's home and environment, with a folder of programs that is the whole PATH."""

    path: Path
    clock: FakeClock
    environ: dict[str, str] = field(default_factory=dict[str, str])
    daemon: Check = field(default_factory=lambda: Check(name="daemon", status="ok", seen="runs"))

    @property
    def memory(self) -> Path:
        return self.path / "clawd" / "memory"

    @property
    def alerts(self) -> Path:
        return self.path / "clawd" / "alerts"

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.path), "PATH": str(self.path / "bin"), **self.environ}

    def command(self, name: str) -> FakeCommand:
        return FakeCommand(self.path / "bin", name)

    def open_run(self) -> None:
        environ = self.environment()
        with open_team(load(environ).settings, environ, self.clock) as team:
            team.open("Build it")

    async def look(self) -> dict[str, dict[str, Any]]:
        """Every check by its name; each that failed has to name its fix."""
        environ = self.environment()
        settings = load(environ).settings

        def board() -> Overview | None:
            with open_team(settings, environ, self.clock) as team:
                try:
                    return team.overview()
                except NotFound:
                    return None

        async def daemon() -> Check:
            return self.daemon

        report = await go_through(
            Situation(
                settings=settings,
                environ=environ,
                system="linux",
                clock=self.clock,
                board=board,
                daemon=daemon,
            )
        )
        found = {check.name: check.as_json() for check in report.checks}
        assert list(found) == [name for name in NAMES if name in found]
        assert all(check["fix"] for check in found.values() if check["status"] == "fail")
        assert report.ok is all(check["status"] != "fail" for check in found.values())
        return found


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Home]:
    """A machine on which everything is as the guide wants it."""
    (tmp_path / "bin").mkdir()
    async with AsyncExitStack() as stack:
        ollama = await stack.enter_async_context(FakeOllama(num_parallel=2))
        anthropic = await stack.enter_async_context(FakeAnthropic(key=KEY))
        environ = {
            "OLLAMA_HOST": ollama.url,
            **SETTINGS,
            "ANTHROPIC_BASE_URL": anthropic.base_url,
            "ANTHROPIC_API_KEY": KEY,
            "SWARM__TEAM__ALERTS__WEBHOOK": "https://example.org/hook/sEcReT",
            "SWARM_WEBHOOK_SECRET": "s3cr3t",
        }
        found = Home(tmp_path, FakeClock(), environ)
        found.command("openclaw").answer("status", reachable(True))
        found.memory.mkdir(parents=True)
        found.open_run()
        yield found


async def test_a_machine_that_is_ready_passes(home: Home) -> None:
    found = await home.look()
    assert list(found) == NAMES
    well = {name for name, check in found.items() if check["status"] == "ok"}
    assert {*NAMES} - well <= {"simple command", "awake", "disk"}  # the last two are this machine's own
    assert found["simple command"]["status"] == "unknown"
    assert "OLLAMA_NUM_PARALLEL=2" in found["ollama settings"]["seen"]
    assert "cannot be read from here" in found["ollama settings"]["seen"]
    assert found["director"]["details"] == {
        "key": "sk-a…ij",
        "origin": "ANTHROPIC_API_KEY",
        "reachable": True,
    }
    assert found["alerts"]["details"]["webhook"] == "https://example.org/…"
    assert found["alerts"]["details"]["signed"] is True
    assert "Builder 900 s" in found["agents"]["seen"]
    assert [word for word in (KEY, "sEcReT", "s3cr3t") if word in str(found)] == []


async def test_a_new_machine_is_told_what_to_do_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    home = Home(tmp_path, FakeClock(), {"OLLAMA_HOST": "127.0.0.1:9"})
    found = await home.look()
    assert "ollama settings" not in found  # nobody is there to be set
    statuses = {name: found[name]["status"] for name in ("ollama", "director", "gateway", "memory", "state")}
    assert statuses == {
        "ollama": "fail", "director": "warn", "gateway": "unknown", "memory": "fail", "state": "warn",
    }  # fmt: skip
    assert found["director"]["details"] == {"key": None, "reachable": None}
    assert found["memory"]["fix"] == f"mkdir -p {home.memory}"
    assert found["alerts"]["status"] == "warn"
    assert os.listdir(tmp_path) == ["bin"]


# The models


async def test_the_model_has_to_be_there_and_its_stay_in_memory_is_told(home: Home) -> None:
    async with FakeOllama(models={"gemma:2b": MODELS["gemma:2b"]}) as ollama:
        home.environ["OLLAMA_HOST"] = ollama.url
        model = (await home.look())["model"]
        assert (model["status"], model["fix"]) == ("fail", "ollama pull qwen3:32b")
        assert "the host has gemma:2b" in model["seen"]
        home.environ["SWARM__PROVIDER__NAME"] = "ollama"
        home.environ["SWARM__PROVIDER__MODEL"] = "gemma:2b"
        model = (await home.look())["model"]
        assert (model["status"], model["details"]["loaded"]) == ("ok", False)
        ollama.loaded["gemma:2b"] = 4096
        model = (await home.look())["model"]
    assert model["details"]["loaded"] is True
    assert model["details"]["stays_seconds"] > 0


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"OLLAMA_NUM_PARALLEL": "1"}, "warn", "2 agents work at once, and it has 1 slots"),
        ({"OLLAMA_KEEP_ALIVE": "5m"}, "warn", "leaves memory"),
        ({"OLLAMA_KEEP_ALIVE": "-1"}, "ok", "OLLAMA_KEEP_ALIVE=-1"),
        ({"OLLAMA_KEEP_ALIVE": "24h"}, "ok", "OLLAMA_KEEP_ALIVE=24h"),
        ({"OLLAMA_MAX_QUEUE": "20"}, "warn", "beyond 20"),
        ({"SWARM__TEAM__MAX_CONCURRENT": "3"}, "warn", "3 agents work at once, and it has 2 slots"),
        (dict.fromkeys(SETTINGS, ""), "unknown", "none is set here"),
        ({"SWARM__PROVIDER__MODEL": "qwen3.6:27b"}, "warn", "one slot whatever is set"),
    ],
)  # fmt: skip
async def test_ollamas_environment_is_judged_as_far_as_it_is_seen(
    home: Home, changes: dict[str, str], status: str, words: str
) -> None:
    home.environ |= changes
    found = (await home.look())["ollama settings"]
    assert (found["status"], words in found["seen"]) == (status, True), found["seen"]
    assert found["status"] == "ok" or found["fix"]


async def test_another_provider_needs_no_ollama(home: Home) -> None:
    home.environ |= {"SWARM__PROVIDER__NAME": "gemini", "OLLAMA_HOST": "127.0.0.1:9"}
    found = await home.look()
    assert (found["ollama"]["status"], "gemini" in found["ollama"]["seen"]) == ("unknown", True)
    assert "model" not in found


async def test_the_directors_key_may_be_refused_unreachable_or_unusable(home: Home) -> None:
    home.environ["ANTHROPIC_API_KEY"] = f"{KEY}-wrong"
    refused = (await home.look())["director"]
    assert (refused["status"], refused["details"]["reachable"]) == ("fail", True)
    assert f"{KEY}-wrong" not in str(refused)
    home.environ["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9"
    away = (await home.look())["director"]
    assert (away["status"], away["details"]["reachable"]) == ("warn", False)
    home.environ["ANTHROPIC_API_KEY"] = "two words"
    assert (await home.look())["director"]["status"] == "fail"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60m", 3600), ("1h30m", 5400), ("3600", 3600), ("-1", inf), ("-1m", inf), ("1.5h", 5400), ("0", 0),
     ("soon", None), ("5 m", None), ("", None)],
)  # fmt: skip
def test_durations_are_read_as_ollama_reads_them(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


# What is around it


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (reachable(False, "connect ECONNREFUSED"), "fail", "connect ECONNREFUSED"),
        (f"a word before it\n{reachable(True)}", "ok", "ws://127.0.0.1:18789"),
        ("no document", "unknown", "did not tell (exit status 0): no document"),
        ('{"gateway": []}', "unknown", "did not tell"),
    ],
)
async def test_the_gateway_is_asked_through_the_hosts_own_program(
    home: Home, answer: str, status: str, words: str
) -> None:
    command = home.command("openclaw")
    command.answer("status", answer)
    found = (await home.look())["gateway"]
    assert (found["status"], words in found["seen"]) == (status, True), found["seen"]
    assert command.calls == ["status --json --timeout 5000"]


async def test_a_host_without_its_program_is_not_a_failure(home: Home) -> None:
    (home.path / "bin" / "openclaw").unlink()
    (home.path / ".openclaw").mkdir()
    found = (await home.look())["gateway"]
    assert (found["status"], "its program is not" in found["seen"]) == ("unknown", True)
    home.command("clawdbot").answer("status", reachable(True))
    (home.path / ".openclaw").rmdir()
    found = (await home.look())["gateway"]
    assert (found["status"], found["details"]["host"]) == ("ok", "clawdbot")


LISTED = """\
ModemManager    0 root 770  ModemManager    sleep      ModemManager needs to reset devices             delay
NetworkManager  0 root 771  NetworkManager  sleep      NetworkManager needs to turn off networks       delay
swarm        1000 me   4242 systemd-inhibit {what} a sleep of twelve hours                           {mode}
"""


@pytest.mark.parametrize(
    ("power", "listed", "status"),
    [
        ("", None, "ok"),
        ("freeze mem disk\n", LISTED.format(what="sleep:idle", mode="block"), "ok"),
        ("freeze mem disk\n", LISTED.format(what="sleep:idle", mode="delay"), "warn"),
        ("freeze mem disk\n", LISTED.format(what="shutdown", mode="block"), "warn"),
        ("mem\n", "", "warn"),
        ("mem\n", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_linux_says_whether_it_may_fall_asleep(power: str | None, listed: str | None, status: str) -> None:
    check = awake_linux(power, listed)
    assert check.status == status
    assert status == "ok" or check.fix


@pytest.mark.parametrize(
    ("assertions", "status"),
    [
        ("   PreventUserIdleSystemSleep    1\n   PreventSystemSleep             0\n", "ok"),
        ("   PreventUserIdleDisplaySleep   1\n   PreventUserIdleSystemSleep     0\n", "warn"),
        (None, "unknown"),
    ],
)
def test_macos_says_whether_it_may_fall_asleep(assertions: str | None, status: str) -> None:
    assert awake_macos(assertions).status == status


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"SWARM_WEBHOOK_SECRET": ""}, "warn", "unsigned: SWARM_WEBHOOK_SECRET is not set"),
        (
            {"SWARM_WEBHOOK_SECRET": "", "SWARM__TEAM__ALERTS__WEBHOOK": "https://hooks.slack.com/services/T/B/x"},
            "ok",
            "https://hooks.slack.com/…",
        ),
        ({"SWARM__TEAM__ALERTS__WEBHOOK": "https://api.telegram.org/bot1:x"}, "fail", "needs a chat"),
        ({"SWARM__TEAM__ALERTS__WEBHOOK": "null"}, "warn", "nobody's phone rings"),
        ({"SWARM_ALERTS_DIR": "/dev/null/alerts"}, "fail", "cannot be written"),
    ],
)  # fmt: skip
async def test_somebody_has_to_be_told(home: Home, changes: dict[str, str], status: str, words: str) -> None:
    home.environ |= changes
    found = (await home.look())["alerts"]
    assert (found["status"], words in found["seen"]) == (status, True), found["seen"]


async def test_a_desktop_that_shows_alerts_is_named(home: Home) -> None:
    assert "desktop" not in (await home.look())["alerts"]["seen"]
    home.command("notify-send")
    assert "and the desktop" in (await home.look())["alerts"]["seen"]


async def test_a_daemon_that_does_not_run_fails(home: Home) -> None:
    home.daemon = Check(name="daemon", status="fail", seen="none runs", fix="swarm start")
    assert (await home.look())["daemon"]["status"] == "fail"


# The places


async def test_a_memory_directory_that_cannot_be_written_fails(home: Home) -> None:
    home.environ["SWARM_MEMORY_DIR"] = str(home.path / "file")
    (home.path / "file").write_text("")
    found = (await home.look())["memory"]
    assert (found["status"], "cannot be written" in found["seen"]) == ("fail", True)


async def test_the_try_leaves_nothing_in_the_memory_directory(home: Home) -> None:
    before = {each.name for each in home.memory.iterdir()}
    await home.look()
    assert {each.name for each in home.memory.iterdir()} - before <= {"swarm.db-wal", "swarm.db-shm"}


@pytest.mark.parametrize(("free", "status"), [(ENOUGH + 1, "ok"), (ENOUGH, "fail"), (0, "fail")])
def test_more_than_ten_gigabytes_should_be_free(tmp_path: Path, free: int, status: str) -> None:
    assert judge_room(tmp_path, free).status == status


async def test_what_earlier_runs_left_is_named(home: Home) -> None:
    assert (await home.look())["leftovers"]["status"] == "ok"  # the emergency.md of now is Swarm's own
    home.alerts.mkdir(parents=True)
    for name in ("ALERT-20260101T000000Z-r1-a9.md", "ALERT-20260102T000000Z-r1-a11.md", "notes.md"):
        (home.alerts / name).write_text("read me")
    (home.memory / "emergency.md").write_text("The build machine is on fire")
    found = (await home.look())["leftovers"]
    assert found["status"] == "warn"
    assert "2 alerts lie in" in found["seen"]
    assert "ALERT-20260102T000000Z-r1-a11.md" in found["seen"]
    assert "emergency.md holds words" in found["seen"]
    assert len(found["details"]["alerts"]) == 2


# The run


def overview(bench: Bench) -> Overview:
    return collect(bench.board, "r1", now=bench.now)


async def test_the_state_of_a_run_that_is_open(home: Home) -> None:
    found = (await home.look())["state"]
    assert (found["status"], found["details"]["phase"]) == ("ok", "planning")
    (home.memory / "team-state.md").unlink()
    found = (await home.look())["state"]
    assert (found["status"], found["details"]["missing_views"]) == ("warn", ["team-state.md"])


async def test_a_run_that_somebody_forgot_is_named(home: Home) -> None:
    home.clock.advance(25 * 3600)
    found = (await home.look())["state"]
    assert (found["status"], "swarm team end" in found["fix"]) == ("warn", True)


async def test_a_run_that_has_ended_is_none(home: Home) -> None:
    environ = home.environment()
    with open_team(load(environ).settings, environ, home.clock) as team:
        team.end("human", reason="released")
    found = (await home.look())["state"]
    assert (found["status"], "has ended" in found["seen"]) == ("warn", True)


async def test_an_open_emergency_is_named(home: Home) -> None:
    environ = home.environment()
    with open_team(load(environ).settings, environ, home.clock) as team:
        team.raise_emergency("inspector", level=2, text="MD5")
    found = (await home.look())["state"]
    assert (found["status"], "level 2" in found["seen"]) == ("warn", True)


def test_the_agents_are_those_of_the_open_run(tmp_path: Path) -> None:
    rules = TeamRules(agent_timeouts={"scout": 42}, max_concurrent=5)
    seen = preflight_board.agents(overview(Bench(rules)), TeamRules()).seen
    assert "Scout 42 s" in seen
    assert "at most 5" in seen
    assert "Scout 300 s" in preflight_board.agents(None, TeamRules()).seen


def test_a_board_that_lacks_an_agent_fails() -> None:
    whole = overview(Bench())
    some = Overview(
        at=whole.at,
        run=whole.run,
        standing=whole.standing,
        agents=tuple(agent for agent in whole.agents if agent.role != Role.SCOUT),
        tasks=whole.tasks,
    )
    check = preflight_board.agents(some, TeamRules())
    assert (check.status, "lacks Scout" in check.seen) == ("fail", True)


async def test_a_board_that_cannot_be_opened_hides_nothing_else(home: Home) -> None:
    (home.memory / "swarm.db").write_bytes(b"no database at all, but some other file" * 100)
    for name in ("swarm.db-wal", "swarm.db-shm"):
        (home.memory / name).unlink(missing_ok=True)
    found = await home.look()
    assert found["state"]["status"] == "fail"
    assert found["state"]["details"]["code"] == StoreError.code
    assert found["memory"]["status"] == "ok"


# Programs


async def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script = tmp_path / "hangs"
    told = tmp_path / "pids"
    sleep = shutil.which("sleep")
    script.write_text(f"#!/bin/sh\n{sleep} 60 &\necho $$ $! > {told}\nwait\n")
    script.chmod(0o755)
    assert await run_program(str(script), environ={}, seconds=1) is None
    pids = told.read_text().split()
    assert len(pids) == 2
    with anyio.fail_after(10):
        while any(_lives(pid) for pid in pids):
            await anyio.lowlevel.checkpoint()


def _lives(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_program_that_cannot_be_run_or_complains_is_told(tmp_path: Path) -> None:
    assert await run_program(str(tmp_path / "none"), environ={}, seconds=5) is None
    command = FakeCommand(tmp_path, "complains")
    command.answer("now", out="an answer\n", err="\n  a complaint\nand more\n", status=3)
    ran = await run_program(str(tmp_path / "complains"), "now", environ={}, seconds=20)
    assert ran is not None
    assert (ran.status, ran.said, ran.out) == (3, "a complaint", "an answer\n")
