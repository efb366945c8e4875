"""`swarm diagnose`, as its user runs it: what is fine, what is not, and the fix for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clawswarm.access.connect import digest
from clawswarm.access.presence import Presence, take_seat
from clawswarm.clock import SystemClock
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from clawswarm.modes.diagnose import Situation, diagnose
from clawswarm.modes.machine import this_machine
from clawswarm.version import __version__
from tests.cli.shell import KEY, Ran, Shell
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.behaviours import Refuse, Say
from tests.fakes.gemini import FakeGemini
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_models import MODELS
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

WRONG = "sk-wrong-0123456789abcdefghijkl"


@pytest.fixture
def newcomer(shell: Shell) -> Shell:
    """Somebody whose machine runs no Ollama, and who has no key."""
    shell.environ["OLLAMA_HOST"] = "127.0.0.1:9"
    return shell


def checks(ran: Ran) -> dict[str, dict[str, Any]]:
    """The checks of a `--json` document by name; every failed one must name its fix."""
    found = {check["name"]: check for check in ran.json["checks"]}
    assert all(check["fix"] for check in found.values() if check["status"] == "fail")
    return found


async def look(shell: Shell, *, calls: bool = True) -> dict[str, dict[str, Any]]:
    """The same without a process of its own."""
    situation = Situation(
        environ=shell.environment(),
        machine=this_machine(),
        clock=SystemClock(),
        daemon=None,
        calls=calls,
    )
    found = {check.name: check.as_json() for check in (await diagnose(situation)).checks}
    assert all(check["fix"] for check in found.values() if check["status"] == "fail")
    return found


def private(shell: Shell, name: str, text: str, mode: int = 0o600) -> Path:
    folder = shell.home / ".config" / "clawdbot"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


async def test_a_good_machine_passes_with_one_tiny_call(newcomer: Shell) -> None:
    async with FakeOpenAI() as fake:
        newcomer.use(fake)
        ran = await newcomer.run("diagnose", "--json")
        assert (ran.status, ran.err) == (0, "")
        assert len(fake.calls) == 1
        assert fake.calls[0].json["max_completion_tokens"] <= 512
        found = checks(ran)
        assert (ran.json["ok"], ran.json["configured"]) == (True, True)
        text = await newcomer.run("diagnose")
    assert found["provider openai"]["status"] == "ok"
    assert found["provider openai"]["details"]["key"] == "sk-l…op"
    assert found["ollama"]["status"] == "skipped"
    assert {found[name]["status"] for name in ("python", "config", "state", "disk", "permissions")} == {"ok"}
    assert found["clock"]["status"] == "ok"
    assert "key works (sk-l…op from OPENAI_API_KEY): gpt-6-luna answered in" in text.out
    assert KEY not in ran.out + text.out + text.err


async def test_nobody_to_ask_is_not_configured(newcomer: Shell) -> None:
    ran = await newcomer.run("diagnose", "--json")
    assert (ran.status, ran.json["configured"]) == (3, False)
    assert checks(ran)["provider"]["fix"].startswith("run: swarm setup")
    text = await newcomer.run("diagnose")
    assert text.status == 3
    assert "❌ provider" in text.out


async def test_a_refused_key_is_told_with_a_fix_and_never_shown(newcomer: Shell) -> None:
    async with FakeOpenAI(echo_key=True) as used, FakeGemini(echo_key=True) as other:
        newcomer.configure("provider:\n  name: openai\n")
        newcomer.environ |= {
            "OPENAI_BASE_URL": used.base_url,
            "OPENAI_API_KEY": WRONG,
            "GEMINI_BASE_URL": f"{other.base_url}/v1beta",
            "GEMINI_API_KEY": f"{WRONG}x",
        }
        ran = await newcomer.run("diagnose", "--json")
        assert ran.status == 1
        assert other.calls == []  # a key that is not in use costs nothing
    found = checks(ran)
    assert found["provider openai"]["seen"].startswith("refused: openai answered 401")
    assert "swarm setup --provider openai" in found["provider openai"]["fix"]
    assert found["key gemini"]["seen"].startswith("refused: gemini answered 400: API key not valid")
    assert WRONG not in ran.out + ran.err


async def test_keys_that_lie_ready_are_tried_for_nothing(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: demo\n")
    async with (
        FakeOpenAI(key=KEY) as openai,
        FakeOpenAI("groq", key=KEY) as groq,
        FakeGemini(key=KEY) as gemini,
        FakeAnthropic(key=KEY) as anthropic,
    ):
        fakes = (openai, groq, gemini, anthropic)
        newcomer.environ |= {
            "OPENAI_BASE_URL": openai.base_url,
            "GROQ_BASE_URL": groq.base_url,
            "GEMINI_BASE_URL": f"{gemini.base_url}/v1beta",
            "ANTHROPIC_BASE_URL": anthropic.base_url,
        }
        for name in ("openai", "groq", "gemini", "anthropic"):
            private(newcomer, f"{name}-key.txt", KEY)
        found = await look(newcomer)
        assert [fake.calls for fake in fakes] == [[], [], [], []]
    assert {found[f"key {name}"]["status"] for name in ("openai", "groq", "gemini", "anthropic")} == {"ok"}
    assert found["provider demo"]["seen"].startswith("no key needed: demo answered")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Say(text="", thinking_tokens=512, output_tokens=512, finish="length"), "ok", "key works"),
        (Refuse(503, "busy"), "warn", "openai answered 503"),
        (Refuse(429, "no money", code="insufficient_quota"), "fail", "no money"),
        (Refuse(404, "The model does not exist", code="model_not_found"), "fail", "answered 404"),
    ],
)
async def test_what_a_call_says_about_the_key(
    newcomer: Shell, answer: Say | Refuse, status: str, words: str
) -> None:
    async with FakeOpenAI() as fake:
        newcomer.use(fake)
        fake.respond = lambda _: answer
        found = (await look(newcomer))["provider openai"]
    assert (found["status"], words in found["seen"]) == (status, True), found


async def test_a_model_that_will_be_gone_is_told(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: openai\n  model: gpt-4o-mini\n")
    async with FakeOpenAI() as fake:
        newcomer.use(fake)
        found = (await look(newcomer))["provider openai"]
    assert (found["status"], "will be shut down on 2027-01-14" in found["seen"]) == ("warn", True)
    assert "swarm setup" in found["fix"]


async def test_nothing_is_asked_where_it_must_not_be(newcomer: Shell) -> None:
    newcomer.configure("cost:\n  max_daily_spend: 0\n")
    async with FakeOpenAI() as fake:
        newcomer.use(fake)
        for calls in (True, False):
            found = await look(newcomer, calls=calls)
            assert "the list of models came" in found["provider openai"]["seen"]
        assert fake.calls == []


async def test_the_demo_asks_nobody_and_is_good_without_a_call(newcomer: Shell) -> None:
    newcomer.environ["SWARM__PROVIDER__NAME"] = "demo"
    for calls in (True, False):
        assert (await look(newcomer, calls=calls))["provider demo"]["status"] == "ok"


async def test_a_fallback_is_tried_too(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: demo\n  fallback:\n  - name: openai\n  - name: groq\n")
    async with FakeOpenAI() as fake:
        newcomer.use(fake)
        found = await look(newcomer)
        assert len(fake.calls) == 1
    assert found["provider openai"]["status"] == "ok"
    assert "GROQ_API_KEY is not set" in found["provider groq"]["seen"]


async def test_an_ollama_is_described_with_what_suits_it(shell: Shell) -> None:
    shell.configure("provider:\n  name: ollama\n  num_ctx: 8192\n")
    async with FakeOllama() as fake:
        shell.environ |= {"OLLAMA_HOST": fake.url, "OLLAMA_NUM_PARALLEL": "3"}
        found = await look(shell, calls=False)
        assert fake.loaded == {}  # nothing is loaded by looking
        called = await look(shell)
    assert "provider ollama" not in found
    assert found["ollama"]["details"]["version"] == "0.33.0"
    assert found["ollama model"]["details"]["present"] is True
    assert found["ollama slots"]["details"] == {
        "slots": 3,
        "from": "OLLAMA_NUM_PARALLEL",
        "one_slot_family": False,
    }
    memory = found["ollama memory"]["details"]
    assert (memory["slot_bytes"], memory["context"]) == (2 * 1024**3, 8192)
    settings = found["ollama settings"]["details"]
    assert settings["seen"]["OLLAMA_NUM_PARALLEL"] == "3"
    assert settings["recommended"]["OLLAMA_KEEP_ALIVE"] == "60m"
    assert "cannot be read" in settings["note"]
    assert called["provider ollama"]["seen"].startswith("no key needed: qwen3:32b answered")


async def test_a_family_with_one_slot_is_told(shell: Shell) -> None:
    shell.configure("provider:\n  name: ollama\n  model: my-coder\n  num_parallel: 4\n")
    models = {"my-coder:latest": MODELS["qwen3.5:9b"]}
    async with FakeOllama(models=models) as fake:
        shell.environ["OLLAMA_HOST"] = fake.url
        found = await look(shell)
    assert found["ollama slots"]["status"] == "warn"
    assert "provider.num_parallel: 1" in found["ollama slots"]["fix"]
    assert found["ollama settings"]["details"]["recommended"]["OLLAMA_NUM_PARALLEL"] == "1"


async def test_a_missing_model_and_a_missing_ollama_name_their_fix(shell: Shell) -> None:
    shell.configure("provider:\n  name: ollama\n  model: llama9\n")
    async with FakeOllama() as fake:
        shell.environ["OLLAMA_HOST"] = fake.url
        found = await look(shell)
        assert found["ollama model"]["status"] == "fail"
        assert found["ollama model"]["fix"].startswith("ollama pull llama9")
        assert "provider ollama" not in found  # one failure, told once
    found = await look(shell)
    assert (found["ollama"]["status"], "ollama serve" in found["ollama"]["fix"]) == ("fail", True)


async def test_open_doors_are_found_and_the_command_that_shuts_them(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: demo\n")
    newcomer.environ["GROQ_BASE_URL"] = "http://127.0.0.1:9"
    key = private(newcomer, "groq-key.txt", KEY, 0o644)
    token = private(newcomer, "swarm-token", "t", 0o640)
    newcomer.memory.mkdir(parents=True)
    newcomer.memory.chmod(0o755)
    newcomer.home.joinpath(".config", "clawdbot").chmod(0o777)
    found = await look(newcomer)
    assert found["permissions"]["status"] == "fail"
    fix = found["permissions"]["fix"]
    assert f"chmod 600 {key}" in fix
    assert f"chmod 600 {token}" in fix
    assert f"chmod 700 {newcomer.memory}" in fix
    assert found["key groq"]["status"] == "fail"
    assert "can be read by other users" in found["key groq"]["seen"]
    assert (await newcomer.execute(["bash", "-c", fix.removeprefix("run: ")])).status == 0
    assert (await look(newcomer))["permissions"]["status"] == "ok"


async def test_a_broken_configuration_does_not_stop_the_other_checks(newcomer: Shell) -> None:
    newcomer.configure("limits:\n  max_nodes: many\n")
    ran = await newcomer.run("diagnose", "--json")
    found = checks(ran)
    assert ran.status == 1
    assert ":3: limits.max_nodes: expected" in found["config"]["seen"]
    assert found["disk"]["status"] == "ok"


async def test_a_state_folder_that_cannot_be_used_is_named(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: demo\n")
    newcomer.memory.parent.mkdir()
    newcomer.memory.write_text("in the way")
    found = await look(newcomer)
    assert found["state"]["status"] == "fail"
    assert found["provider demo"]["status"] == "ok"


@pytest.mark.parametrize("host", [".openclaw", ".clawdbot"])
async def test_openclaw_is_found_with_and_without_the_skill(newcomer: Shell, host: str) -> None:
    newcomer.configure("provider:\n  name: demo\n")
    skill = newcomer.home / host / "skills" / "swarm"
    skill.parent.mkdir(parents=True)
    found = (await look(newcomer))["openclaw"]
    assert (found["status"], "./install.sh" in found["fix"]) == ("warn", True)
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\n")
    found = (await look(newcomer))["openclaw"]
    assert (found["status"], found["details"]["skill"]) == ("ok", str(skill))


@asynccontextmanager
async def seat(shell: Shell, **changes: Any) -> AsyncGenerator[None]:
    """A daemon that holds its lock and has told where it is."""
    known: dict[str, Any] = {
        "pid": 1, "port": 9, "version": __version__, "started": 0.0, "workers": 1, "settings": "",
    }  # fmt: skip
    with take_seat(Paths.of(shell.environment())) as taken:
        taken.announce(Presence(**{**known, **changes}))
        yield


async def test_a_daemon_that_hangs_or_is_old_is_told(newcomer: Shell) -> None:
    newcomer.configure("provider:\n  name: demo\n")
    found = checks(await newcomer.run("diagnose", "--json"))["daemon"]
    assert (found["status"], found["details"]) == ("ok", {"running": False})
    async with seat(newcomer):
        found = checks(await newcomer.run("diagnose", "--json"))["daemon"]
    assert (found["status"], "does not answer" in found["seen"]) == ("fail", True)
    assert "swarm restart" in found["fix"]
    async with FakeOpenAI("local") as fake:  # it has a /health that answers 200
        port = int(fake.url.rpartition(":")[2])
        async with seat(newcomer, port=port, version="0.0.1"):
            found = checks(await newcomer.run("diagnose", "--json"))["daemon"]
        assert (found["status"], found["fix"]) == ("warn", "swarm restart")
        now = digest(load(newcomer.environment()).settings)
        for known, status in ((now, "ok"), ("before", "warn")):
            async with seat(newcomer, port=port, settings=known):
                found = checks(await newcomer.run("diagnose", "--json"))["daemon"]
            assert (found["status"], found["details"]["outdated"]) == (status, status == "warn")
