"""`swarm team preflight`, as its user runs it; what it looks at is tested with the team."""

from typing import Any

import pytest

from clawswarm.access.presence import Presence, take_seat
from clawswarm.config.paths import Paths
from clawswarm.version import __version__
from tests.cli.conftest import Inside
from tests.cli.shell import Shell
from tests.fakes.ollama import FakeOllama

pytestmark = pytest.mark.timeout(30)


def test_a_machine_that_is_not_ready_is_told_what_fails(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("PATH", str(inside.home))
    ran = inside.run("team", "preflight")
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("☒  ollama ")
    assert lines[1].strip().startswith("→ start it: ollama serve")
    assert any(line.startswith("☒  daemon ") for line in lines)
    assert any(line.startswith("☐  simple command  not tried") for line in lines)
    assert any(line.startswith("☑  agents ") for line in lines)
    assert "failed" in lines[-1]
    ran = inside.run("team", "preflight", "--json")
    assert (ran.status, ran.json["ok"], ran.err) == (1, False, "")
    daemon = ran.json["checks"][-1]
    assert (daemon["name"], daemon["status"], daemon["details"]) == ("daemon", "fail", {"running": False})
    assert not (inside.home / "clawd").exists()
    assert inside.nothing_was_sent


@pytest.mark.anyio
async def test_the_simple_command_is_run_where_it_is_asked_for(shell: Shell) -> None:
    async with FakeOllama() as ollama:
        shell.environ["OLLAMA_HOST"] = ollama.url
        found = await _checks(shell)
        assert (found["simple command"]["status"], ollama.calls) == ("unknown", [])
        found = await _checks(shell, "--call")
        assert (found["simple command"]["status"], len(ollama.calls)) == ("ok", 1)
        assert found["simple command"]["details"]["called"] is True
        assert "qwen3:32b answered in" in found["simple command"]["seen"]
        assert ollama.calls[0].json["model"] == "qwen3:32b"


@pytest.mark.anyio
async def test_a_daemon_that_runs_is_asked_whether_it_answers(shell: Shell) -> None:
    shell.environ["OLLAMA_HOST"] = "127.0.0.1:9"
    with take_seat(Paths.of(shell.environment())) as seat:
        known = Presence(pid=1, port=9, version=__version__, started=0.0, workers=1, settings="")
        seat.announce(known)
        daemon = (await _checks(shell))["daemon"]
    assert (daemon["status"], "does not answer" in daemon["seen"]) == ("fail", True)


async def _checks(shell: Shell, *options: str) -> dict[str, dict[str, Any]]:
    ran = await shell.run("team", "preflight", "--json", *options)
    return {check["name"]: check for check in ran.json["checks"]}
